"""Targets of labels that are written as text, one for each example."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.array_targets import ArrayTargets, targets_of
from convscope.datasets.inputs.series_files import is_number
from convscope.datasets.targets.numbers import NUMBERS


def targets_of_labels(source: str, labels: Sequence[str], target_kind: str | None) -> ArrayTargets:
    """Classes, or numbers where the labels are no whole ones, or are wanted as numbers; see `targets_of`.

    Args:
        source: for errors.
        labels: one per example; "" if it is missing.
        target_kind: the requested kind of target; None: detected.

    Raises:
        DataError: as for `targets_of`.
    """
    known = [place for place, label in enumerate(labels) if label]
    given = _as_array([labels[place] for place in known], target_kind)
    found = targets_of(source, [given], (), (target_kind, (0, 0)))
    targets = np.zeros((len(labels), *found.targets.shape[1:]), found.targets.dtype)
    targets[known] = found.targets
    unknown = ["its label is missing"] * len(labels)
    for place, why in zip(known, found.unknown, strict=True):
        unknown[place] = why
    return ArrayTargets(found.kind, targets, found.classes, unknown)


def _as_array(labels: Sequence[str], kind: str | None) -> NDArray[Any]:
    """(N,) whole numbers, other numbers, or texts."""
    if not all(map(is_number, labels)):
        return np.array([_whole(label) for label in labels])
    values = [float(label) for label in labels]
    if kind == NUMBERS.name or not all(value.is_integer() for value in values):
        return np.array(values)
    if -1 in values:  # a class of the UCR archive, not an unknown one
        return np.array([_whole(label) for label in labels])
    return np.array([int(value) for value in values])


def _whole(label: str) -> str:
    """A label without the zeros after the point: 1.0 and 1.0000000e+00 are the class 1."""
    if is_number(label) and any(mark in label for mark in ".eE"):
        value = float(label)
        return str(int(value)) if value.is_integer() else label
    return label
