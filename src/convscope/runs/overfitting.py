"""Detect overfitting from three signs in a run's curves."""

import math
from dataclasses import dataclass

from convscope.runs.folder import RunFolder
from convscope.runs.training_records import RunRecords, read_records
from convscope.training import overfitting_from

MOST_GAP = 0.4  # of the chance loss, between the losses on validation and training images
MOST_LEFT = 0.5  # of the chance loss on the training images, so that a gap counts
LEAST_DROP = 0.05  # of the score, from its best epochs to the last ones
MIN_EPOCHS = 4
MEAN_OF = 3  # epochs, so that one good epoch by chance is not the best


@dataclass(frozen=True)
class Overfitting:
    """From `epoch` on a network overfits; `sign` is a clause with the figures, and `figure` exceeds `threshold`."""

    epoch: int
    sign: str
    figure: float
    threshold: float


def overfitting(folder: RunFolder) -> int | None:
    """Return the epoch from which the network overfits, or None."""
    found = find_overfitting(read_records(folder))
    return found.epoch if found else None


def find_overfitting(records: RunRecords) -> Overfitting | None:
    """Return the clearest sign of overfitting, or None.

    The signs are a validation loss that rises (`training.overfitting_from`), a validation score that falls while the
    training loss does, and a gap between the losses. The last two also appear where label smoothing or a falling
    learning rate keep the validation loss level.
    """
    train, validation = records.losses("train"), records.losses("validation")
    if len(train) < MIN_EPOCHS:
        return None
    return _rising(train, validation) or _falling_score(records, train) or _gap(records, train, validation)


def _rising(train: list[float], validation: list[float]) -> Overfitting | None:
    epoch = overfitting_from(train, validation)
    if epoch is None:
        return None
    lowest = min(validation)
    sign = (
        f"the validation loss rises from {lowest:.3f} in epoch {validation.index(lowest) + 1} to {validation[-1]:.3f} "
        "while the training loss keeps falling"
    )
    return Overfitting(epoch, sign, validation[-1] / lowest - 1 if lowest else math.inf, 0.05)


def _falling_score(records: RunRecords, train: list[float]) -> Overfitting | None:
    scores = records.scores()
    if not all(map(math.isfinite, scores)) or len(scores) < MIN_EPOCHS + MEAN_OF:
        return None
    means = [sum(scores[i : i + MEAN_OF]) / MEAN_OF for i in range(len(scores) - MEAN_OF + 1)]
    best = max(range(len(means)), key=means.__getitem__)
    drop, least = means[best] - means[-1], max(LEAST_DROP, 2 * _standard_error(records, means[best]))
    if best + MEAN_OF >= len(scores) or drop < least or train[-1] > train[best + 1]:
        return None
    task = records.recipe.task_class
    sign = (
        f"the validation {task.primary} falls from {task.format_score(means[best])} around epoch {best + 2} to "
        f"{task.format_score(means[-1])} while the training loss falls"
    )
    return Overfitting(best + 3, sign, drop, least)


def _standard_error(records: RunRecords, share: float) -> float:
    images = 0 if records.confusion is None else int(records.confusion.sum())
    return math.sqrt(max(share * (1 - share), 0.0) / images) if images else LEAST_DROP / 2


def _gap(records: RunRecords, train: list[float], validation: list[float]) -> Overfitting | None:
    chance, least = records.chance_loss, records.least_loss
    if not chance or not all(map(math.isfinite, validation)):
        return None
    gaps = [(v - (t - least)) / chance for t, v in zip(train, validation, strict=True)]
    if min(gaps[-2:]) < MOST_GAP or (train[-1] - least) / chance > MOST_LEFT:
        return None
    first = max((epoch for epoch, gap in enumerate(gaps, 1) if gap < MOST_GAP), default=0) + 1
    perfect = f", where {least:.3f} is perfect" if least else ""
    sign = (
        f"the training loss ends at {train[-1]:.3f}{perfect}, and the validation loss at {validation[-1]:.3f}, where "
        f"{chance:.3f} is chance"
    )
    return Overfitting(first, sign, gaps[-1], MOST_GAP)
