"""Checks of the data: each is a function in its own file, from the decoded data to a finding or None."""
