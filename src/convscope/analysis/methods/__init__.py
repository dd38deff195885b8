"""One file per explain method: its settings, its function and its declaration."""
