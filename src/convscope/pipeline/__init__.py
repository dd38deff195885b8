"""Training, end to end: from what the user names to a finished run folder."""
