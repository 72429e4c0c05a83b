"""What stands around the panes: status, banner, keys."""
