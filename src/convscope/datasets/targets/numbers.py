"""Numbers, for regression: (N, D) float32, finite."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.targets.kind import TargetData, TargetKind

_STRATA = 10


@dataclass(frozen=True)
class NumberTargets(TargetKind):
    """Numbers; see the module. They may depend on left and right, so images are not mirrored."""

    def strata(self, targets: NDArray[Any], classes: int) -> tuple[NDArray[np.int64], int]:  # noqa: ARG002
        """Stratify by deciles of the first number; of fewer than 100 images by quantiles of at least 10 images."""
        parts = max(1, min(_STRATA, len(targets) // _STRATA))
        edges = np.quantile(targets[:, 0], np.arange(1, parts) / parts)
        return np.searchsorted(edges, targets[:, 0], side="right").astype(np.int64), parts

    def figures(self, data: TargetData, decoded: NDArray[Any] | None = None) -> dict[str, NDArray[Any]]:  # noqa: ARG002
        """Minimum, mean and maximum of each number where it is known; nan if it never is."""
        known = np.ma.masked_invalid(data.targets.astype(np.float64))
        of = {"min": known.min(0), "mean": known.mean(0), "max": known.max(0)}
        return {name: np.ma.filled(values, np.nan) for name, values in of.items()}

    def tags(self, target: NDArray[Any], names: Sequence[str]) -> tuple[str, ...]:
        """The value of each number, with its name where there are several."""
        prefixes = [f"{name} " for name in names] if len(names) > 1 else [""]
        return tuple(
            f"{prefix}{'unknown' if np.isnan(value) else f'{value:.4g}'}"
            for prefix, value in zip(prefixes, target, strict=True)
        )

    def counts(self, targets: NDArray[Any], classes: int) -> NDArray[np.int64]:  # noqa: ARG002
        """(D,) images for which each number is known."""
        return np.asarray(np.isfinite(targets).sum(0), np.int64)


NUMBERS = NumberTargets("numbers", ("number", "numbers"), counted=False, may_mirror=False)
