"""Data augmentation of training examples and their targets."""
