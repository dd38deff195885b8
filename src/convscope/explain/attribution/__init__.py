"""Which places of an image a prediction depends on."""
