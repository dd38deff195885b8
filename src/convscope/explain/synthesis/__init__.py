"""Images by optimisation: activation maximisation, class images and inversion."""
