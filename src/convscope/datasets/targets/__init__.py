"""What the data say of an image: one file per kind of target."""
