"""The report of a run, and its texts and charts."""
