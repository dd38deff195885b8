"""Checks of the learning: each is a function in its own file, from the records of a run to a finding or None."""
