"""What depends on the kind of a data set's targets; each kind is one file beside this one and a line in `registry`."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from convscope.errors import DataError

Size = tuple[int, int]
"""Height and width in pixels."""


class TargetData(Protocol):
    """What a kind of target reads of a data set; see `data.Dataset`."""

    @property
    def source(self) -> str: ...
    @property
    def targets(self) -> NDArray[Any]: ...
    @property
    def classes(self) -> tuple[str, ...]: ...
    @property
    def sizes(self) -> NDArray[np.int64]: ...
    @property
    def masks(self) -> tuple[Path, ...] | NDArray[np.uint8] | None: ...
    @property
    def palette(self) -> Any: ...
    def __len__(self) -> int: ...


class FileTarget(Protocol):
    """What a layout's reader knows of one file's target; see `data.builder.ListedFile`."""

    @property
    def label(self) -> str: ...
    @property
    def value(self) -> Any: ...


class Motion(Protocol):
    """A geometric change of a batch; see `data.augment.geometric.Motion`."""

    def warp_masks(self, y: Tensor) -> Tensor: ...
    def warp_boxes(self, y: Tensor) -> Tensor: ...


@dataclass(frozen=True)
class TargetKind(ABC):
    """A kind of target: (N, ...) array of N images, and names of its classes or columns."""

    name: str
    nouns: tuple[str, str] = ("class", "classes")
    """What the names are called: one, and several."""
    single_class: bool = False
    """Whether each image has one class and nothing else: such classes can be balanced and counted out."""
    needs_two_classes: bool = False
    """Whether data with a single class cannot be trained on."""
    spatial: bool = False
    """Whether the targets say where something is: they move with the image, and what is cut off cannot be found."""
    invariant: bool = False
    """Whether the target stays right when the image is shifted, turned or scaled."""
    counted: bool = True
    """Whether there are so many images of each name, as of classes."""
    may_mirror: bool = True
    """Whether images may be mirrored where their look says nothing against it."""
    has_masks: bool = False
    """Whether the targets lie in masks, of which `Dataset.targets` hold a summary."""
    has_objects: bool = False
    """Whether files have objects, of which `Dataset.targets` hold one."""

    @abstractmethod
    def strata(self, targets: NDArray[Any], classes: int) -> tuple[NDArray[np.int64], int]:
        """(N,) a stratum for each image, which a split spreads evenly, and how many there are."""

    def counts(self, targets: NDArray[Any], classes: int) -> NDArray[np.int64]:  # noqa: ARG002
        """(K,) images of each class or that have each label; of numbers, all that are known."""
        return np.asarray((targets == 1).sum(0), np.int64)

    def file_error(self, file: FileTarget, size: Size) -> str:  # noqa: ARG002
        """Why a file's target does not fit its image; empty where it does."""
        return ""

    def from_files(self, files: Sequence[tuple[FileTarget, Size]], index: Mapping[str, int]) -> NDArray[Any]:  # noqa: ARG002
        """(N, ...) the targets of files; `index` has the classes' places by name."""
        return np.array([file.value for file, _ in files], np.float32)

    def convert(self, kind: "TargetKind", targets: NDArray[Any], classes: int) -> NDArray[Any] | None:  # noqa: ARG002
        """Targets of another kind as those of this; None where they cannot be."""
        return None

    def without_classes(self, targets: NDArray[Any], present: NDArray[np.bool_]) -> NDArray[Any] | None:  # noqa: ARG002
        """Targets renumbered for the classes that are `present`; None where classes without images are kept."""
        return None

    def restore(self, data: TargetData, then: tuple[str, ...]) -> NDArray[Any]:
        """The targets with their columns in the order that a run's data had.

        Raises:
            DataError: a column is missing.
        """
        if self.columns_differ(data.classes, then):
            raise DataError(
                f"{data.source}: the {self.name} were {', '.join(then)} when the run began and are "
                f"{', '.join(data.classes)} now; restore them or train again"
            )
        columns: NDArray[Any] = data.targets[:, [data.classes.index(name) for name in then]]
        return columns

    def columns_differ(self, now: tuple[str, ...], then: tuple[str, ...]) -> bool:
        """Whether a run's columns are not among those of the data now."""
        return bool(set(then) - set(now))

    def decode(self, data: TargetData, size: Size) -> tuple[NDArray[Any] | None, dict[int, str]]:  # noqa: ARG002
        """Targets that lie in files of their own, at `size`, and why for rows that cannot be read; None for others."""
        return None, {}

    def in_view(self, data: TargetData, size: Size) -> NDArray[Any]:  # noqa: ARG002
        """The targets in pixels of what the network sees of each image."""
        return data.targets

    def warp(self, y: Tensor, motion: Motion) -> Tensor:  # noqa: ARG002
        """A batch of targets as an image's geometric change moves them."""
        return y

    def image_classes(self, seen: NDArray[Any], classes: int) -> NDArray[np.int64]:  # noqa: ARG002
        """(N,) the one class of each image, -1 where there is none; from targets as the network sees them."""
        return np.full(len(seen), -1)

    def object_masks(self, seen: NDArray[Any], rows: NDArray[np.int64], size: Size) -> NDArray[np.uint8] | None:  # noqa: ARG002
        """(M, H, W) the class whose object lies in each pixel, 255 for none; None where the targets do not say.

        Args:
            seen: (M, ...) targets as the network sees them.
            rows: those that are wanted; others may stay empty.
            size: of the masks.
        """
        return None


def restore_classes(source: str, now: tuple[str, ...], then: tuple[str, ...], kinds: NDArray[np.int64]) -> NDArray[Any]:
    """(N,) indices into the classes that a run's data had, from those into the classes `now`.

    Raises:
        DataError: an image has a class that the run does not know.
    """
    unknown = sorted({now[k] for k in np.unique(kinds)} - set(then))
    if unknown:
        raise DataError(
            f"{source}: the label {unknown[0]} is new; the run was started with {', '.join(then)}; "
            "correct the label or train again"
        )
    index: NDArray[Any] = np.array([then.index(name) if name in then else -1 for name in now])[kinds]
    return index
