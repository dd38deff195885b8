"""Thresholds of labels, chosen by their F1."""

import numpy as np
from numpy.typing import NDArray


def best_threshold(probabilities: NDArray[np.floating], truth: NDArray[np.floating]) -> float:
    """The threshold of the best F1 over images with a known label; of equal ones the nearest to 0.5.

    Candidates are the midpoints of neighbouring probabilities. 0.5 if no image has the label.

    >>> best_threshold(np.array([0.1, 0.2, 0.3]), np.array([0.0, 1.0, 1.0]))
    0.15...
    """
    known = ~np.isnan(truth)
    probabilities, positive = probabilities[known].astype(float), truth[known] == 1
    if not positive.any():
        return 0.5
    levels = np.unique(probabilities)
    candidates = np.concatenate([[levels[0] / 2], (levels[1:] + levels[:-1]) / 2])
    order = np.argsort(-probabilities, kind="stable")
    hits = np.concatenate([[0], np.cumsum(positive[order])])
    count = np.searchsorted(-probabilities[order], -candidates, side="right")
    f1 = 2 * hits[count] / (count + positive.sum())
    best = np.flatnonzero(f1 >= f1.max() - 1e-12)
    return float(candidates[best[np.abs(candidates[best] - 0.5).argmin()]])
