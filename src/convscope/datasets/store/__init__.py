"""Stores of decoded examples, in memory or on disk."""
