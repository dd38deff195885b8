"""What channels and layers respond to, on images of a data set."""
