"""A run on disk: its recipe, data, events, predictions and weights."""
