"""Numbers, for regression: (N, D) float32, finite."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.targets.kind import TargetKind

_STRATA = 10


@dataclass(frozen=True)
class NumberTargets(TargetKind):
    """Numbers; see the module. They may depend on left and right, so images are not mirrored."""

    def strata(self, targets: NDArray[Any], classes: int) -> tuple[NDArray[np.int64], int]:  # noqa: ARG002
        """Stratify by deciles of the first number; of fewer than 100 images by quantiles of at least 10 images."""
        parts = max(1, min(_STRATA, len(targets) // _STRATA))
        edges = np.quantile(targets[:, 0], np.arange(1, parts) / parts)
        return np.searchsorted(edges, targets[:, 0], side="right").astype(np.int64), parts

    def describe(self, target: NDArray[Any], names: tuple[str, ...]) -> str:
        """The numbers with their names: age 31."""
        return ", ".join(f"{name} {value:g}" for name, value in zip(names, target, strict=True))

    def counts(self, targets: NDArray[Any], classes: int) -> NDArray[np.int64]:  # noqa: ARG002
        """(D,) images for which each number is known."""
        return np.asarray(np.isfinite(targets).sum(0), np.int64)


NUMBERS = NumberTargets("numbers", ("number", "numbers"), counted=False, may_mirror=False)
