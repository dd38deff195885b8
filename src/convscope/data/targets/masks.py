"""One class per pixel: masks in files or arrays, and (N, K) float32 which classes occur in each."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from convscope.data.store.mask_store import build_masks
from convscope.data.targets.kind import Motion, Size, TargetData, TargetKind
from convscope.data.targets.labels import rarest_label
from convscope.data.targets.mask_files import IGNORE


@dataclass(frozen=True)
class MaskTargets(TargetKind):
    """See the module."""

    def strata(self, targets: NDArray[Any], classes: int) -> tuple[NDArray[np.int64], int]:
        """The rarest class that occurs in an image."""
        return rarest_label(targets, classes)

    def columns_differ(self, now: tuple[str, ...], then: tuple[str, ...]) -> bool:
        """Whether they are others or in another order, for the masks' values follow the order."""
        return now != then

    def decode(self, data: TargetData, size: Size) -> tuple[NDArray[Any], dict[int, str]]:
        """(N, H, W) class indices, 255 where none is right."""
        return build_masks(data, size)

    def warp(self, y: Tensor, motion: Motion) -> Tensor:
        """The nearest pixel's class."""
        return motion.warp_masks(y)

    def image_classes(self, seen: NDArray[Any], classes: int) -> NDArray[np.int64]:
        """The class with most pixels beside the first, which is most often the ground."""
        return np.array([_main_class(mask, classes) for mask in seen], np.int64)

    def object_masks(self, seen: NDArray[Any], rows: NDArray[np.int64], size: Size) -> NDArray[np.uint8]:  # noqa: ARG002
        """The masks themselves."""
        return seen


def _main_class(mask: NDArray[np.uint8], classes: int) -> int:
    counts = np.bincount(mask.ravel(), minlength=IGNORE + 1)[1:classes]
    return int(counts.argmax()) + 1 if counts.any() else -1


MASKS = MaskTargets("masks", needs_two_classes=True, spatial=True, has_masks=True)
