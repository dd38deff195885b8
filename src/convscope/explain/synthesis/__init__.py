"""Image synthesis by optimisation: activation maximisation, class images and feature inversion."""
