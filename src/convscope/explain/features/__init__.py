"""Features: what channels and layers respond to on the images of a dataset."""
