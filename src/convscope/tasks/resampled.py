"""Bootstrap 95 % intervals, for scores that are not proportions."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from convscope.tasks.sections import Interval

DRAWS = 300


def bootstrap_interval(score: Callable[[NDArray[np.int64]], float], images: int) -> Interval:
    """Percentile bootstrap (Efron 1979): the middle 95 % of the scores of resampled images.

    With fewer than about twenty images the interval is too narrow.

    Args:
        score: maps row indices (n,), possibly repeated, to their score; nan if it is undefined.
        images: number of rows.
    """
    if not images:
        return Interval(float("nan"), float("nan"), float("nan"))
    random = np.random.default_rng(0)  # the same images give the same interval
    scores = np.array([score(random.integers(images, size=images)) for _ in range(DRAWS)])
    finite = scores[~np.isnan(scores)]
    low, high = np.percentile(finite, (2.5, 97.5)).tolist() if len(finite) else (float("nan"), float("nan"))
    return Interval(score(np.arange(images)), low, high)
