"""The table of every pane, and what stands around it."""
