"""Search for the network and its training within a time limit."""
