"""The dashboard: screens, panes and the widgets they are made of."""
