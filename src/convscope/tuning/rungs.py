"""Rungs: after how many epochs a trial is compared with the others, and on how many images."""

from collections.abc import Sequence
from dataclasses import dataclass

FACTOR = 3
"""Of the trials that reached a rung, one in three goes on to the next (Li et al. 2020, arXiv:1810.05934)."""
LADDERS = ((1, 3, 9, 27), (1, 3, 9), (1, 2, 4), (1, 2))
"""Epochs at the end of each rung, from the most to the least expensive."""
SHARES = (1.0, 1 / 3, 1 / 9)
FEWEST_IMAGES = 500  # of an epoch; below, scores say little
LARGEST_EPOCH = 3.0
"""An epoch may cost this many times what one of the average network may, so that one network does not take all."""


@dataclass(frozen=True)
class Rungs:
    """How far trials are trained.

    Attributes:
        epochs: total number of epochs at the end of each rung.
        share: of the training images that trials are trained on.
        epoch_seconds: the longest epoch that the search has time for; networks that need more are refused.
    """

    epochs: tuple[int, ...]
    share: float
    epoch_seconds: float

    @property
    def last(self) -> int:
        """The number of the last rung."""
        return len(self.epochs) - 1


def rungs_for(epoch_seconds: float, images: int, seconds: float | None, jobs: int = 1) -> Rungs:
    """Return the most expensive rungs at which the time suffices for three trials on the last one.

    Args:
        epoch_seconds: of a usual network on all training images, evaluation included.
        images: number of training images.
        seconds: the time for the search; None: it is not limited.
        jobs: processes that share it.
    """
    if seconds is None:
        return Rungs(LADDERS[1], 1.0, float("inf"))
    least = min(1.0, FEWEST_IMAGES / max(images, 1))
    shares = dict.fromkeys(max(share, least) for share in SHARES)
    choices = [(ladder, share) for share in shares for ladder in LADDERS]
    epochs, share = next(
        (
            (ladder, share)
            for ladder, share in choices
            if trials_needed(ladder) * epochs_per_trial(ladder) * share * epoch_seconds <= seconds * jobs
        ),
        choices[-1],
    )
    mean = seconds * jobs / (trials_needed(epochs) * epochs_per_trial(epochs))
    return Rungs(epochs, share, max(LARGEST_EPOCH * mean, share * epoch_seconds))


def trials_needed(epochs: Sequence[int]) -> int:
    """Return the number of trials of which three reach the last rung."""
    return int(FACTOR ** len(epochs))


def epochs_per_trial(epochs: Sequence[int]) -> float:
    """Return the mean number of epochs of a trial, where one in `FACTOR` passes each rung.

    >>> epochs_per_trial((1, 3, 9))
    2.3333333333333335
    """
    total, share, before = 0.0, 1.0, 0
    for count in epochs:
        total, share, before = total + share * (count - before), share / FACTOR, count
    return total
