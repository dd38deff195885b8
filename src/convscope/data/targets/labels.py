"""Several labels per image: (N, K) of 1, 0 or nan where it is not known."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.data.targets.kind import TargetKind


@dataclass(frozen=True)
class LabelTargets(TargetKind):
    """See the module."""

    def strata(self, targets: NDArray[Any], classes: int) -> tuple[NDArray[np.int64], int]:
        """The rarest label that an image has."""
        return rarest_label(targets, classes)

    def convert(self, kind: TargetKind, targets: NDArray[Any], classes: int) -> NDArray[Any] | None:
        """One class per image is one label per image."""
        return np.eye(classes, dtype=np.float32)[targets] if kind.single_class else None


def rarest_label(targets: NDArray[Any], classes: int) -> tuple[NDArray[np.int64], int]:
    """(N,) of (N, K) labels the rarest that an image has, K where it has none, and K + 1."""
    there = np.nan_to_num(targets) == 1
    rarest = np.where(there, there.sum(0), len(targets) + 1).argmin(1)
    return np.where(there.any(1), rarest, classes).astype(np.int64), classes + 1


LABELS = LabelTargets("labels", ("label", "labels"), invariant=True)
