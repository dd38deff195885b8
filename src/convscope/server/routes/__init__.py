"""The addresses of the prediction server."""
