"""Interface of kinds of target; each kind is one file in this folder and one line in `registry`."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from convscope.datasets.inputs.fitting import Fit
from convscope.datasets.targets.mask_files import MaskFile
from convscope.errors import DataError

Size = tuple[int, ...]
"""Height and width in pixels, or the length of series."""


class TargetData(Protocol):
    """The part of a dataset that kinds of target use; see `datasets.Dataset`."""

    @property
    def source(self) -> str: ...
    @property
    def targets(self) -> NDArray[Any]: ...
    @property
    def classes(self) -> tuple[str, ...]: ...
    @property
    def sizes(self) -> NDArray[np.int64]: ...
    @property
    def masks(self) -> tuple[MaskFile, ...] | NDArray[np.uint8] | None: ...
    @property
    def palette(self) -> Any: ...
    @property
    def fit(self) -> Fit: ...
    @property
    def objects(self) -> tuple[tuple[tuple[str, tuple[float, ...]], ...], ...] | None: ...
    def __len__(self) -> int: ...


class FileTarget(Protocol):
    """The target of one file; see `datasets.builder.ListedFile`."""

    @property
    def label(self) -> str: ...
    @property
    def value(self) -> Any: ...


class Motion(Protocol):
    """A geometric change of a batch; see `datasets.augment.geometric.Motion`."""

    def warp_masks(self, y: Tensor) -> Tensor: ...
    def warp_boxes(self, y: Tensor) -> Tensor: ...


@dataclass(frozen=True)
class TargetKind(ABC):
    """A kind of target: an (N, ...) array for N images, and the names of its classes or columns."""

    name: str
    nouns: tuple[str, str] = ("class", "classes")
    """Singular and plural of what the names stand for."""
    single_class: bool = False
    """Whether each image has exactly one class, so that classes can be balanced."""
    needs_two_classes: bool = False
    """Whether data with a single class cannot be trained on."""
    spatial: bool = False
    """Whether the targets have positions: they are transformed and cropped with the image."""
    invariant: bool = False
    """Whether the target is invariant to translation, rotation and scaling of the image."""
    counted: bool = True
    """Whether images can be counted per name, as for classes."""
    may_mirror: bool = True
    """Whether images may be mirrored, unless flip detection says otherwise."""
    by_class: bool = False
    """Whether the examples of each class are shown together: each image has one class, the stratum."""
    has_masks: bool = False
    """Whether the targets are masks, which `Dataset.targets` summarises."""
    has_objects: bool = False
    """Whether files have objects, of which `Dataset.targets` contains one."""

    @abstractmethod
    def strata(self, targets: NDArray[Any], classes: int) -> tuple[NDArray[np.int64], int]:
        """(N,) the stratum of each image for stratified splitting, and the number of strata."""

    def counts(self, targets: NDArray[Any], classes: int) -> NDArray[np.int64]:  # noqa: ARG002
        """(K,) number of images with each class, label or known number."""
        return np.asarray((targets == 1).sum(0), np.int64)

    def figures(self, data: TargetData, decoded: NDArray[Any] | None = None) -> dict[str, NDArray[Any]]:  # noqa: ARG002
        """Figures of each class or column beside the number of its images, (K,) each, by name.

        Args:
            data: the dataset.
            decoded: the result of `decode` for a sample of the images; None: not decoded yet.
        """
        return {}

    def tags(self, target: NDArray[Any], names: Sequence[str]) -> tuple[str, ...]:  # noqa: ARG002
        """The target of one image as text, for display; `names` are those of the classes or columns."""
        return (str(np.asarray(target).tolist()),)

    def file_error(self, file: FileTarget, size: Size) -> str:  # noqa: ARG002
        """Why the target of a file does not match its image; empty if it does."""
        return ""

    def from_files(self, files: Sequence[tuple[FileTarget, Size]], index: Mapping[str, int]) -> NDArray[Any]:  # noqa: ARG002
        """(N, ...) the targets of files; `index` maps class names to indices."""
        return np.array([file.value for file, _ in files], np.float32)

    def convert(self, kind: "TargetKind", targets: NDArray[Any], classes: int) -> NDArray[Any] | None:  # noqa: ARG002
        """Convert targets of another kind to this one; None if that is impossible."""
        return None

    def without_classes(self, targets: NDArray[Any], present: NDArray[np.bool_]) -> NDArray[Any] | None:  # noqa: ARG002
        """Targets renumbered for the classes that are `present`; None if classes without images are kept."""
        return None

    def restore(self, data: TargetData, then: tuple[str, ...]) -> NDArray[Any]:
        """The targets with their columns in the order of the run's data.

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
        """Whether columns of the run's data are missing now."""
        return bool(set(then) - set(now))

    def decode(self, data: TargetData, size: Size) -> tuple[NDArray[Any] | None, dict[int, str]]:  # noqa: ARG002
        """Targets stored in separate files, at `size`, and the reasons for unreadable rows; None for other kinds."""
        return None, {}

    def in_view(self, data: TargetData, size: Size) -> NDArray[Any]:  # noqa: ARG002
        """The targets in pixels of the network's input."""
        return data.targets

    def warp(self, y: Tensor, motion: Motion) -> Tensor:  # noqa: ARG002
        """Apply the geometric transforms of images to a batch of targets."""
        return y

    def image_classes(self, targets: NDArray[Any], classes: int) -> NDArray[np.int64]:  # noqa: ARG002
        """(N,) the single class of each image, -1 if there is none; from targets in pixels of the network's input."""
        return np.full(len(targets), -1)

    def object_masks(self, targets: NDArray[Any], rows: NDArray[np.int64], size: Size) -> NDArray[np.uint8] | None:  # noqa: ARG002
        """(M, H, W) the class of the object at each pixel, 255 for none; None if the targets have no positions.

        Args:
            targets: (M, ...) in pixels of the network's input.
            rows: the rows to fill; others may stay empty.
            size: (H, W) of the masks.
        """
        return None


def restore_classes(source: str, now: tuple[str, ...], then: tuple[str, ...], kinds: NDArray[np.int64]) -> NDArray[Any]:
    """(N,) convert indices into the classes `now` to indices into the classes of the run, `then`.

    Raises:
        DataError: an image has a class that is not among those of the run.
    """
    unknown = sorted({now[k] for k in np.unique(kinds)} - set(then))
    if unknown:
        raise DataError(
            f"{source}: the label {unknown[0]} is new; the run was started with {', '.join(then)}; "
            "correct the label or train again"
        )
    index: NDArray[Any] = np.array([then.index(name) if name in then else -1 for name in now])[kinds]
    return index
