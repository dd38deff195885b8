"""Labels, several per image: (N, K) of 1, 0 or nan (unknown)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.targets.kind import TargetKind


@dataclass(frozen=True)
class LabelTargets(TargetKind):
    """Labels; see the module."""

    def strata(self, targets: NDArray[Any], classes: int) -> tuple[NDArray[np.int64], int]:
        """Stratify by the rarest label of each image."""
        return rarest_label(targets, classes)

    def tags(self, target: NDArray[Any], names: Sequence[str]) -> tuple[str, ...]:
        """The labels that the image has, and with a question mark those that are not known."""
        known = [name for name, value in zip(names, target, strict=True) if value == 1]
        unknown = [f"{name}?" for name, value in zip(names, target, strict=True) if np.isnan(value)]
        return (*known, *unknown) or ("no label",)

    def convert(self, kind: TargetKind, targets: NDArray[Any], classes: int) -> NDArray[Any] | None:
        """One class per image is one label per image."""
        return np.eye(classes, dtype=np.float32)[targets] if kind.single_class else None


def rarest_label(targets: NDArray[Any], classes: int) -> tuple[NDArray[np.int64], int]:
    """(N,) the rarest label of each image, K if it has none, from (N, K) labels; and K + 1."""
    present = np.nan_to_num(targets) == 1
    rarest = np.where(present, present.sum(0), len(targets) + 1).argmin(1)
    return np.where(present.any(1), rarest, classes).astype(np.int64), classes + 1


LABELS = LabelTargets("labels", ("label", "labels"), invariant=True)
