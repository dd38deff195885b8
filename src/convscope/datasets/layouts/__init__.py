"""Layouts of data on disk: one file per layout."""
