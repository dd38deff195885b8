"""Layouts of texts."""
