"""Decoded examples in memory or in files, ready for batches."""
