"""Checks of the mistakes on the validation images: each is a function in its own file."""
