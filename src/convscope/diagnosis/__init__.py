"""What is wrong with data or a run, where, and what to change."""
