"""Masks, one class per pixel: files or arrays, and (N, K) float32 which classes occur in each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from convscope.datasets.store.mask_store import build_masks
from convscope.datasets.targets.kind import Motion, Size, TargetData, TargetKind
from convscope.datasets.targets.labels import rarest_label
from convscope.datasets.targets.mask_files import IGNORE


@dataclass(frozen=True)
class MaskTargets(TargetKind):
    """Masks; see the module."""

    def strata(self, targets: NDArray[Any], classes: int) -> tuple[NDArray[np.int64], int]:
        """Stratify by the rarest class of each image."""
        return rarest_label(targets, classes)

    def columns_differ(self, now: tuple[str, ...], then: tuple[str, ...]) -> bool:
        """Whether the names or their order differ, as the values of the masks follow the order."""
        return now != then

    def figures(self, data: TargetData, decoded: NDArray[Any] | None = None) -> dict[str, NDArray[Any]]:
        """The share of the labelled pixels in [0, 1] of each class, over the decoded masks."""
        if decoded is None or not len(decoded):
            return {}
        counts = np.zeros(IGNORE + 1, np.int64)
        for mask in decoded:
            counts += np.bincount(mask.ravel(), minlength=IGNORE + 1)
        known = counts[: len(data.classes)]
        return {"pixel_share": known / max(1, known.sum())}

    def tags(self, target: NDArray[Any], names: Sequence[str]) -> tuple[str, ...]:
        """The classes of the pixels, each with its share, the largest first."""
        counts = np.bincount(target.ravel(), minlength=IGNORE + 1)
        shares = [(counts[index] / target.size, name) for index, name in enumerate(names) if counts[index]]
        unlabelled = [(counts[IGNORE] / target.size, "unlabelled")] if counts[IGNORE] else []
        return tuple(f"{name}: {100 * share:.0f} %" for share, name in sorted([*shares, *unlabelled], reverse=True))

    def decode(self, data: TargetData, size: Size) -> tuple[NDArray[Any], dict[int, str]]:
        """(N, H, W) class indices, 255 for unlabelled pixels."""
        return build_masks(data, (size[0], size[1]))

    def warp(self, y: Tensor, motion: Motion) -> Tensor:
        """Masks resampled by nearest neighbour."""
        return motion.warp_masks(y)

    def image_classes(self, targets: NDArray[Any], classes: int) -> NDArray[np.int64]:
        """The class with most pixels, except class 0, which is usually the background."""
        return np.array([_main_class(mask, classes) for mask in targets], np.int64)

    def object_masks(self, targets: NDArray[Any], rows: NDArray[np.int64], size: Size) -> NDArray[np.uint8]:  # noqa: ARG002
        """The masks themselves."""
        return targets


def _main_class(mask: NDArray[np.uint8], classes: int) -> int:
    counts = np.bincount(mask.ravel(), minlength=IGNORE + 1)[1:classes]
    return int(counts.argmax()) + 1 if counts.any() else -1


MASKS = MaskTargets("masks", needs_two_classes=True, spatial=True, has_masks=True)
