"""Rungs: how far a trial is trained before it is compared with the others, in epochs, images and resolution."""

from collections.abc import Sequence
from dataclasses import dataclass

FACTOR = 3
"""Of the trials that reached a rung, one in three goes on to the next (Li et al. 2020, arXiv:1810.05934)."""
ENOUGH = 27  # trials that a search should have time for, so that the last rung sees three
LONGEST = 9  # epochs of the last rung


@dataclass(frozen=True)
class Rung:
    """A level of training.

    Attributes:
        epochs: total number of epochs at its end.
        share: of the training images, those of an epoch on this rung.
        scale: of the input's side.
    """

    epochs: int
    share: float = 1.0
    scale: float = 1.0


@dataclass(frozen=True)
class Workload:
    """What an epoch of a typical network costs.

    Attributes:
        seconds: of an epoch on all training images at full resolution, evaluation included.
        images: number of training images.
        any_size: whether the network accepts a lower resolution.
    """

    seconds: float
    images: int
    any_size: bool


FULL = ((1, 1.0, 1.0), (3, 1.0, 1.0), (9, 1.0, 1.0))
LADDERS = (
    FULL,
    ((1, 1 / 3, 1.0), (3, 1.0, 1.0), (9, 1.0, 1.0)),
    ((1, 1 / 9, 1.0), (3, 1 / 3, 1.0), (9, 1.0, 1.0)),
    ((1, 1 / 9, 0.5), (3, 1 / 3, 0.75), (9, 1.0, 1.0)),
    ((1, 1 / 9, 0.5), (3, 1 / 3, 0.75), (6, 1.0, 1.0)),
    ((1, 1 / 9, 0.5), (2, 1 / 3, 0.75), (3, 1.0, 1.0)),
)
"""From the most to the least expensive: cheap rungs take fewer images, then fewer pixels, then all fewer epochs."""
FEWEST_IMAGES = 500  # of an epoch; below, scores say little


def rungs_for(work: Workload, seconds: float, jobs: int = 1) -> tuple[Rung, ...]:
    """Return the most expensive rungs at which the time suffices for `ENOUGH` trials; the cheapest if none do.

    Args:
        work: the cost of an epoch.
        seconds: the time for the search.
        jobs: processes that share it.
    """
    ladders = [usable(ladder, work) for ladder in LADDERS]
    return next((rungs for rungs in ladders if seconds_of(rungs, work, ENOUGH) <= seconds * jobs), ladders[-1])


def usable(ladder: Sequence[tuple[int, float, float]], work: Workload) -> tuple[Rung, ...]:
    """Return rungs whose epochs have at least `FEWEST_IMAGES` images, at full resolution where another is refused."""
    least = min(1.0, FEWEST_IMAGES / max(work.images, 1))
    return tuple(Rung(epochs, max(share, least), scale if work.any_size else 1.0) for epochs, share, scale in ladder)


def seconds_of(rungs: Sequence[Rung], work: Workload, trials: int) -> float:
    """Return the expected seconds of a search of this many trials, of which one in `FACTOR` passes each rung."""
    total, left, before = 0.0, float(trials), 0
    for rung in rungs:
        total += left * (rung.epochs - before) * work.seconds * rung.share * rung.scale**2
        left, before = left / FACTOR, rung.epochs
    return total


def trials_in(rungs: Sequence[Rung], work: Workload, seconds: float) -> int:
    """Return how many trials are expected in a time."""
    return max(1, int(seconds / max(seconds_of(rungs, work, 1), 1e-9)))


def scaled(rungs: Sequence[Rung], epochs: int) -> tuple[Rung, ...]:
    """Return the rungs with another number of epochs at the end; rungs that become equal are joined."""
    last = rungs[-1].epochs
    found: dict[int, Rung] = {}
    for rung in rungs:
        total = max(1, round(rung.epochs * epochs / last))
        found[total] = Rung(total, rung.share, rung.scale)
    return tuple(found.values())


def rung_of(rungs: Sequence[Rung], epoch: int) -> Rung:
    """Return the rung to which an epoch, from 0, belongs."""
    return next((rung for rung in rungs if epoch < rung.epochs), rungs[-1])
