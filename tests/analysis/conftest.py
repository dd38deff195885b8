"""Fixtures of these tests."""

from helpers.analysis_fixtures import finding, run, spectral  # noqa: F401
