"""95 % intervals of scores that are no plain shares: how they vary as the images are drawn anew."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from convscope.tasks.sections import Interval

DRAWS = 300


def bootstrap_interval(score: Callable[[NDArray[np.int64]], float], images: int) -> Interval:
    """The percentile bootstrap (Efron 1979): the middle 95 % of the scores of as many images, drawn with replacement.

    Of fewer than about twenty images it tells too little: what they do not show cannot be drawn.

    Args:
        score: from rows (n,), in which some stand several times, to what they score; nan where nothing can be said.
        images: how many rows there are.
    """
    if not images:
        return Interval(float("nan"), float("nan"), float("nan"))
    random = np.random.default_rng(0)  # the same images give the same interval
    found = np.array([score(random.integers(images, size=images)) for _ in range(DRAWS)])
    finite = found[~np.isnan(found)]
    low, high = np.percentile(finite, (2.5, 97.5)).tolist() if len(finite) else (float("nan"), float("nan"))
    return Interval(score(np.arange(images)), low, high)
