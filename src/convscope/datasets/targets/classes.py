"""Classes, one per image: (N,) int64 indices into the class names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.targets.kind import FileTarget, Size, TargetData, TargetKind, restore_classes


@dataclass(frozen=True)
class ClassTargets(TargetKind):
    """Classes; see the module."""

    def strata(self, targets: NDArray[Any], classes: int) -> tuple[NDArray[np.int64], int]:
        """Stratify by class."""
        return targets, classes

    def counts(self, targets: NDArray[Any], classes: int) -> NDArray[np.int64]:
        """(K,) images of each class."""
        return np.bincount(targets, minlength=classes)

    def from_files(self, files: Sequence[tuple[FileTarget, Size]], index: Mapping[str, int]) -> NDArray[Any]:
        """(N,) from the labels of the files."""
        return np.array([index[file.label] for file, _ in files], np.int64)

    def without_classes(self, targets: NDArray[Any], present: NDArray[np.bool_]) -> NDArray[Any]:
        """Renumbered without the classes that have no images."""
        renumbered: NDArray[Any] = (np.cumsum(present) - 1)[targets]
        return renumbered

    def restore(self, data: TargetData, then: tuple[str, ...]) -> NDArray[Any]:
        """Indices into the classes of the run."""
        return restore_classes(data.source, data.classes, then, data.targets)

    def tags(self, target: NDArray[Any], names: Sequence[str]) -> tuple[str, ...]:
        """The class."""
        return (names[int(target)],)

    def image_classes(self, targets: NDArray[Any], classes: int) -> NDArray[np.int64]:  # noqa: ARG002
        """The targets themselves."""
        return targets.astype(np.int64)


CLASSES = ClassTargets("classes", single_class=True, by_class=True, needs_two_classes=True, invariant=True)
