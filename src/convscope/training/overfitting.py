"""Overfitting detection from the curves of training and validation loss."""

import math
from collections.abc import Sequence
from statistics import fmean, median

MIN_EPOCHS_AFTER_BEST = 3  # epochs required after the best one
MIN_RELATIVE_RISE = 0.05  # relative to the best validation loss
MIN_RISE_IN_JITTERS = 4  # with noise of 5 %, 1 % of flat curves of 20 epochs rise this far by chance (4,000 seeds)


def overfitting_from(train_losses: Sequence[float], validation_losses: Sequence[float]) -> int | None:
    """Return the epoch, from 1, from which a network overfits; None if it does not.

    The best epoch is the one with the lowest validation loss after a running median over three epochs. Overfitting
    starts with the epoch after it if at least three epochs follow and, over the last half of these,

    - validation loss exceeds the best by 5 % and by four times its jitter (the median distance of a loss from the
      mean of its two neighbours, which is 0 for a steady rise), and
    - training loss is below its value at the best epoch.

    The first alone may be noise or a learning rate that is too high; the second shows that the network still learns,
    but that it does not generalise.

    Raises:
        ValueError: the curves have different lengths.
    """
    if len(train_losses) != len(validation_losses):
        raise ValueError(f"{len(train_losses)} training and {len(validation_losses)} validation losses")
    validation = _smoothed(validation_losses)
    if not validation:
        return None
    best = min(range(len(validation)), key=validation.__getitem__)
    after = len(validation) - 1 - best
    if after < MIN_EPOCHS_AFTER_BEST:
        return None
    last = -(-after // 2)
    rise = fmean(validation[-last:]) - validation[best]
    risen = rise > max(MIN_RELATIVE_RISE * validation[best], MIN_RISE_IN_JITTERS * _jitter(validation_losses))
    still_learning = fmean(train_losses[-last:]) < train_losses[best]
    return best + 2 if risen and still_learning else None


def _smoothed(losses: Sequence[float]) -> list[float]:
    """Return the running median over three epochs, so that a single outlier is not the best epoch."""
    finite = [loss if math.isfinite(loss) else math.inf for loss in losses]
    return [median(finite[max(0, epoch - 1) : epoch + 2]) for epoch in range(len(finite))]


def _jitter(losses: Sequence[float]) -> float:
    triples = zip(losses, losses[1:], losses[2:], strict=False)
    distances = [abs(middle - (before + after) / 2) for before, middle, after in triples]
    return median([distance for distance in distances if math.isfinite(distance)] or [0.0])
