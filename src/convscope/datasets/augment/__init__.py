"""Random changes of training examples and of their targets."""
