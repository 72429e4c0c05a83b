"""Charts, sparklines and bars, and the reading of what they show."""
