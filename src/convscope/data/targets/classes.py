"""One class per image: (N,) int64 indices into the class names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.data.targets.kind import FileTarget, Size, TargetData, TargetKind, restore_classes


@dataclass(frozen=True)
class ClassTargets(TargetKind):
    """See the module."""

    def strata(self, targets: NDArray[Any], classes: int) -> tuple[NDArray[np.int64], int]:
        """The classes."""
        return targets, classes

    def counts(self, targets: NDArray[Any], classes: int) -> NDArray[np.int64]:
        """(K,) images of each class."""
        return np.bincount(targets, minlength=classes)

    def from_files(self, files: Sequence[tuple[FileTarget, Size]], index: Mapping[str, int]) -> NDArray[Any]:
        """From the files' labels."""
        return np.array([index[file.label] for file, _ in files], np.int64)

    def without_classes(self, targets: NDArray[Any], present: NDArray[np.bool_]) -> NDArray[Any]:
        """Renumbered: a class that has lost all its images is no class any more."""
        kept: NDArray[Any] = (np.cumsum(present) - 1)[targets]
        return kept

    def restore(self, data: TargetData, then: tuple[str, ...]) -> NDArray[Any]:
        """Indices into the run's classes."""
        return restore_classes(data.source, data.classes, then, data.targets)

    def image_classes(self, seen: NDArray[Any], classes: int) -> NDArray[np.int64]:  # noqa: ARG002
        """The targets themselves."""
        return seen.astype(np.int64)


CLASSES = ClassTargets("classes", single_class=True, needs_two_classes=True, invariant=True)
