"""Images of a set as the network takes them, with their classes and where the data mark objects."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convscope.errors import ConfigError
from convscope.runs.loaders import PreparedData

NOTHING = 255  # in marks: no object is here


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images as the network takes them, (N, C, H, W) uint8 or float in [0, 1], read when asked for.

    Attributes:
        names: one for each.
        targets: (N,) class indices, -1 where the class is not known.
        store: (M, C, H, W) pixels.
        rows: (N,) where each lies in the store.
        object_masks: (M, H, W) uint8 where the data say which class's object lies in which place, 255 for none.
    """

    names: tuple[str, ...]
    targets: NDArray[np.int64]
    store: NDArray[Any]
    rows: NDArray[np.int64]
    object_masks: NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self.names)

    def select(self, places: Sequence[int] | NDArray[np.int64]) -> "ImageSet":
        """Those at these places, in that order."""
        chosen = np.asarray(places, np.int64)
        names = tuple(self.names[i] for i in chosen)
        return replace(self, names=names, targets=self.targets[chosen], rows=self.rows[chosen])

    def masks_of(self, targets: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(N, H, W) where each image's object of that class lies; nowhere where the data do not say."""
        if self.object_masks is None:
            return np.zeros((len(self), *self.store.shape[2:]), bool)
        return np.asarray(self.object_masks[self.rows] == targets[:, None, None])

    def pixels(self, places: slice = slice(None)) -> Tensor:
        """(B, C, H, W) float32 in [0, 1]."""
        chosen = torch.from_numpy(np.ascontiguousarray(self.store[self.rows[places]]))
        return chosen.float() / 255 if chosen.dtype == torch.uint8 else chosen.float()


def joined(parts: Sequence[ImageSet]) -> ImageSet:
    """Several sets of images of one size behind each other."""
    if len(parts) == 1:
        return parts[0]
    pixels = np.concatenate([part.pixels().numpy() for part in parts])
    names = tuple(name for part in parts for name in part.names)
    marks = [part.object_masks[part.rows] for part in parts if part.object_masks is not None]
    kept = np.concatenate(marks) if len(marks) == len(parts) else None
    return ImageSet(names, np.concatenate([part.targets for part in parts]), pixels, np.arange(len(names)), kept)


def check_object_masks(
    marks: NDArray[Any] | Tensor | None, targets: NDArray[np.int64], store: NDArray[Any]
) -> NDArray[np.uint8] | None:
    """Marks as a user gives them: bool, or the class of each place.

    Raises:
        ConfigError: of another shape than the images.
    """
    if marks is None:
        return None
    given = marks.detach().cpu().numpy() if isinstance(marks, Tensor) else np.asarray(marks)
    if given.shape != (len(store), *store.shape[2:]):
        raise ConfigError(f"marks: shape {given.shape} for images {store.shape}; give one of (H, W) for each image")
    if given.dtype == np.bool_:
        return np.where(given, targets[:, None, None], NOTHING).astype(np.uint8)
    return given.astype(np.uint8)


def image_set_of(prepared: PreparedData, split: str) -> ImageSet:
    """The images of one set of a run."""
    rows, dataset = prepared.rows(split), prepared.dataset
    index, targets = prepared.store_index[rows], prepared.targets()
    known = dataset.kind.image_classes(targets[index], len(dataset.classes))
    marks = dataset.kind.object_masks(targets, index, prepared.preprocessing.size)
    return ImageSet(tuple(dataset.names[i] for i in rows), known, prepared.store.pixels, index, marks)
