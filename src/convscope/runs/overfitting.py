"""Detect overfitting from a run's loss curves."""

import math

from convscope.runs.folder import RunFolder
from convscope.training import overfitting_from

PARTS = ("train", "validation")


def overfitting(folder: RunFolder) -> int | None:
    """Return the epoch from which the network overfits, or None."""
    epochs = folder.events("epoch")
    train, validation = ([math.inf if e[part]["loss"] is None else e[part]["loss"] for e in epochs] for part in PARTS)
    return overfitting_from(train, validation)
