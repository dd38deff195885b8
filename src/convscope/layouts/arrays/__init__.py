"""Arrays of images: NumPy, idx and CIFAR's files."""
