"""Kinds of target: one file per kind."""
