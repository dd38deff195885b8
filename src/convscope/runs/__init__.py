"""The run folder: recipe, data, events, predictions and checkpoints."""
