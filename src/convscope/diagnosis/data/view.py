"""The data as the checks see them: decoded images with their splits and, where they have one, their class."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from convscope.datasets import Duplicates, find_duplicates
from convscope.runs.loaders import PreparedData


class DataView:
    """Decoded images, and what several checks need of them; it is computed once."""

    def __init__(self, prepared: PreparedData) -> None:
        """Start with data that are decoded and split."""
        self.prepared = prepared
        self.dataset = prepared.dataset
        self.names = prepared.dataset.names
        self.classes = prepared.dataset.classes
        self.split = prepared.split

    def __len__(self) -> int:
        """The number of images."""
        return len(self.names)

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """(N,) the class of each image; -1 where it has none or several."""
        kind = self.dataset.kind
        if not kind.single_class:
            return np.full(len(self), -1, np.int64)
        return kind.image_classes(self.dataset.targets, len(self.classes))

    @property
    def has_labels(self) -> bool:
        """Whether each image has exactly one of at least two classes."""
        return len(self.classes) > 1 and bool((self.labels >= 0).all())

    @cached_property
    def duplicates(self) -> Duplicates:
        """The groups of copies and near copies."""
        return find_duplicates(self.prepared.store.pixels, self.prepared.store_index)

    def pixels(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return (M, C, H, W) the decoded images of some rows of the data set."""
        return self.prepared.store.pixels[self.prepared.store_index[rows]]

    def of_split(self, split: str) -> NDArray[np.int64]:
        """Return the rows of a split."""
        return self.prepared.rows(split)
