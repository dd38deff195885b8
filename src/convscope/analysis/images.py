"""Images as network inputs, with their classes and object masks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convscope.datasets.augment.pipeline import to_unit_floats
from convscope.datasets.augment.sound import unit_samples
from convscope.errors import ConfigError
from convscope.runs.loaders import PreparedData

NOTHING = 255  # in object masks: no object


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images at the network's input size, (N, C, H, W) uint8 or float in [0, 1], read on demand.

    Attributes:
        names: image names.
        targets: (N,) class indices, -1 where the class is not known.
        store: (M, C, H, W) pixels.
        rows: (N,) indices into the store.
        object_masks: (M, H, W) uint8 class of the object at each pixel, 255 for none; None if not annotated.
    """

    names: tuple[str, ...]
    targets: NDArray[np.int64]
    store: NDArray[Any]
    rows: NDArray[np.int64]
    object_masks: NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self.names)

    def select(self, indices: Sequence[int] | NDArray[np.int64]) -> "ImageSet":
        """Return the images at these indices, in that order."""
        chosen = np.asarray(indices, np.int64)
        names = tuple(self.names[i] for i in chosen)
        return replace(self, names=names, targets=self.targets[chosen], rows=self.rows[chosen])

    def masks_of(self, targets: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return (N, H, W) masks of each image's object of that class; False if not annotated."""
        if self.object_masks is None:
            return np.zeros((len(self), *self.store.shape[2:]), bool)
        return np.asarray(self.object_masks[self.rows] == targets[:, None, None])

    def pixels(self, indices: slice = slice(None)) -> Tensor:
        """Return pixels (B, C, H, W), float32 in [0, 1]; samples of sound in [-1, 1]; series as they are."""
        chosen = torch.from_numpy(np.ascontiguousarray(self.store[self.rows[indices]]))
        return to_unit_floats(chosen) if chosen.dtype == torch.uint8 else unit_samples(chosen).float()


def joined(parts: Sequence[ImageSet]) -> ImageSet:
    """Concatenate image sets of one size."""
    if len(parts) == 1:
        return parts[0]
    pixels = np.concatenate([part.pixels().numpy() for part in parts])
    names = tuple(name for part in parts for name in part.names)
    masks = [part.object_masks[part.rows] for part in parts if part.object_masks is not None]
    joined_masks = np.concatenate(masks) if len(masks) == len(parts) else None
    return ImageSet(
        names, np.concatenate([part.targets for part in parts]), pixels, np.arange(len(names)), joined_masks
    )


def check_object_masks(
    masks: NDArray[Any] | Tensor | None, targets: NDArray[np.int64], store: NDArray[Any]
) -> NDArray[np.uint8] | None:
    """Check object masks: bool, or the class of each pixel.

    Raises:
        ConfigError: another shape than the images.
    """
    if masks is None:
        return None
    given = masks.detach().cpu().numpy() if isinstance(masks, Tensor) else np.asarray(masks)
    if given.shape != (len(store), *store.shape[2:]):
        raise ConfigError(f"object_masks: shape {given.shape} for images {store.shape}; give one mask (H, W) per image")
    if given.dtype == np.bool_:
        return np.where(given, targets[:, None, None], NOTHING).astype(np.uint8)
    return given.astype(np.uint8)


def image_set_of(prepared: PreparedData, split: str) -> ImageSet:
    """Return the images of a split of a run."""
    rows, dataset = prepared.rows(split), prepared.dataset
    index, targets = prepared.store_index[rows], prepared.targets()
    known = dataset.kind.image_classes(targets[index], len(dataset.classes))
    masks = dataset.kind.object_masks(targets, index, prepared.preprocessing.size)
    return ImageSet(tuple(dataset.names[i] for i in rows), known, prepared.store.pixels, index, masks)
