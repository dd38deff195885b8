"""HTTP for the explorer and the prediction server: limits, errors and access, the same for both."""
