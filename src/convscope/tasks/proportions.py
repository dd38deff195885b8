"""Counts of classes, and proportions with their intervals."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convscope.tasks.sections import Interval

Z95 = 1.959963984540054  # the normal distribution's 97.5 % point: two-sided 95 % intervals


def confusion_matrix(scores: Tensor, target: Tensor, classes: int) -> NDArray[np.int64]:
    """(K, K) counts of (N, K) scores and (N,) classes: row = true class, column = class of the largest score."""
    cells = target * classes + scores.argmax(dim=1)
    return torch.bincount(cells, minlength=classes * classes).reshape(classes, classes).numpy()


def wilson(hits: int, trials: int) -> Interval:
    """A proportion with its 95 % interval (Wilson 1927), which stays in [0, 1] and is valid at 0 and 1.

    >>> wilson(9, 10)
    Interval(value=0.9, low=0.5958..., high=0.9821...)
    """
    if not trials:
        return Interval(math.nan, math.nan, math.nan)
    share, z2 = hits / trials, Z95**2
    centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half_width = Z95 * math.sqrt(share * (1 - share) / trials + z2 / (4 * trials**2)) / (1 + z2 / trials)
    return Interval(share, min(share, max(0.0, centre - half_width)), max(share, min(1.0, centre + half_width)))


def f1_interval(intersection: int, union: int) -> Interval:
    """F1 with its 95 % interval, from the intersection and the union of true and predicted images of a class.

    F1 = 2s / (1 + s) with s = intersection / union, a proportion: its Wilson interval is transformed.
    Flores et al. 2022, "Confidence interval for micro- and macro-averaged F1", the indirect form.
    """
    share = wilson(intersection, union)
    return Interval(*(2 * s / (1 + s) for s in (share.value, share.low, share.high)))
