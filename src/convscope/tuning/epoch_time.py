"""Predict how long an epoch of a network takes, from its arithmetic and from the networks trained so far."""

import math
from collections.abc import Iterable

from convscope.tuning.study import Trial


def epoch_seconds(macs: int, trials: Iterable[Trial], first: tuple[int, float]) -> float:
    """Return the expected seconds of an epoch: those of the network with the nearest number of MACs, in proportion.

    For a smaller network that is a lower bound, so that none is refused without reason.

    Args:
        macs: of a forward pass of one image.
        trials: of the search; only those that completed an epoch count.
        first: MACs and measured seconds of the first network.
    """
    known = [(one.macs, one.epoch_seconds) for one in trials if one.results] or [first]
    nearest, seconds = min(known, key=lambda pair: abs(math.log((pair[0] + 1) / (macs + 1))))
    return seconds * macs / max(nearest, 1)
