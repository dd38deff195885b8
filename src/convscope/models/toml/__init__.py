"""Networks that a text file describes."""
