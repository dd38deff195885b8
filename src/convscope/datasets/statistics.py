"""Statistics of a dataset: channel means and deviations, and a summary."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.dataset import IMAGE_KIND, SPLITS, Dataset
from convscope.datasets.inputs.fitting import visible_share
from convscope.datasets.targets.kind import TargetKind
from convscope.datasets.targets.registry import DEFAULT_KIND, TARGET_KINDS

_CHUNK = 512  # images per block
_EACH = 3  # classes that are missing in a split and have a note each
_NAMED = 10  # of more classes
LEAST_VISIBLE = 0.6  # share of the median image that a crop shows, below which a note says so
LEAST_VISIBLE_OF_CLASS = 0.5


def channel_statistics(
    pixels: NDArray[np.uint8], indices: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of each channel over the images at `indices`, exact, with pixels in [0, 1].

    A constant channel gets the deviation 1/255, to avoid division by zero.

    Args:
        pixels: (N, C, H, W) uint8.
        indices: (M,) rows.

    Returns:
        mean (C,), deviation (C,).
    """
    channels = pixels.shape[1]
    histogram = np.zeros((channels, 256), np.int64)
    indices = np.sort(indices)  # in file order, for a memory-mapped store
    for start in range(0, len(indices), _CHUNK):
        block = pixels[indices[start : start + _CHUNK]]
        for channel in range(channels):
            histogram[channel] += np.bincount(block[:, channel].ravel(), minlength=256)
    level = np.arange(256) / 255
    share = histogram / np.maximum(histogram.sum(1, keepdims=True), 1)
    mean = share @ level
    variance = (share * (level - mean[:, None]) ** 2).sum(1)
    return mean, np.maximum(np.sqrt(variance), 1 / 255)


@dataclass(frozen=True)
class Spread:
    """Minimum, median and maximum of a number."""

    least: int
    median: int
    most: int


@dataclass(frozen=True, eq=False)
class Summary:
    """The summary of a dataset, for display."""

    source: str
    layout: str
    images: int
    classes: tuple[str, ...]
    counts: dict[str, tuple[int, ...]]
    """Split -> images per class, in the order of `classes`."""
    sides: tuple[Spread, ...]
    """Of each side: height and width of images, length of series."""
    channels: int
    modes: dict[str, int]
    imbalance: float
    """Images of the largest class divided by those of the smallest, in train."""
    skipped: dict[str, int]
    """Reason -> number of files."""
    notes: tuple[str, ...]
    target_kind: str = DEFAULT_KIND
    input_kind: str = IMAGE_KIND
    images_per_split: dict[str, int] = field(default_factory=dict)
    """Split -> number of images."""
    because: str = ""
    """Why the source was read in this layout."""
    given: tuple[str, ...] = ()
    """The splits that the data define, of validation and test."""
    figures: dict[str, tuple[float, ...]] = field(default_factory=dict)
    """What the kind of target adds for each class: see `TargetKind.figures`."""

    @property
    def kind(self) -> TargetKind:
        """The kind of the targets."""
        return TARGET_KINDS[self.target_kind]

    @property
    def cut(self) -> tuple[str, ...]:
        """The splits that are cut from train, of validation and test."""
        return tuple(name for name in SPLITS[1:] if self.images_per_split[name] and name not in self.given)


def summarise(dataset: Dataset, splits: NDArray[np.str_], decoded: NDArray[Any] | None = None) -> Summary:
    """The summary of a dataset with the splits `splits` (N,), and a sample of their decoded targets, if known."""
    counts = {name: dataset.counts(splits == name) for name in SPLITS}
    present = counts["train"][counts["train"] > 0]
    skipped_by_reason: dict[str, int] = {}
    for skipped in dataset.skipped:
        skipped_by_reason[skipped.why] = skipped_by_reason.get(skipped.why, 0) + 1
    return Summary(
        source=dataset.source,
        layout=dataset.layout,
        because=dataset.because,
        images=len(dataset),
        classes=dataset.classes,
        counts={name: tuple(int(n) for n in row) for name, row in counts.items()},
        sides=tuple(map(_spread, dataset.sizes.T)),
        channels=dataset.channels,
        modes=dataset.modes,
        target_kind=dataset.target_kind,
        input_kind=dataset.input_kind,
        images_per_split={name: int((splits == name).sum()) for name in SPLITS},
        imbalance=float(present.max() / present.min()) if len(present) else 1.0,
        skipped=skipped_by_reason,
        given=tuple(name for name in SPLITS[1:] if (dataset.splits == name).any()),
        figures={name: tuple(map(float, values)) for name, values in dataset.kind.figures(dataset, decoded).items()},
        notes=(*dataset.notes, *(_small_classes(dataset.classes, counts) if dataset.kind.single_class else ())),
    )


def cut_note(dataset: Dataset, size: tuple[int, ...]) -> str:
    """A note if cropping to `size` (H, W) shows too little of most images, or of most of one class; else empty."""
    sizes, index_of_size = np.unique(dataset.sizes, axis=0, return_inverse=True)
    shares = np.array(
        [visible_share((int(height), int(width)), (size[0], size[1]), dataset.fit) for height, width in sizes]
    )
    shares = shares[index_of_size.reshape(-1)]
    remedy = "set data.fit to pad or stretch to keep all of it"
    if float(np.median(shares)) < LEAST_VISIBLE:
        return f"a crop to {size[0]} x {size[1]} shows {np.median(shares):.0%} of an image (median); {remedy}"
    if not dataset.kind.single_class:
        return ""
    kinds = dataset.kind.image_classes(dataset.targets, len(dataset.classes))
    for index in np.unique(kinds).tolist():
        median = float(np.median(shares[kinds == index]))
        if median < LEAST_VISIBLE_OF_CLASS:
            name = dataset.classes[index]
            return f"a crop to {size[0]} x {size[1]} shows {median:.0%} of an image of class {name} (median); {remedy}"
    return ""


def _spread(values: NDArray[np.int64]) -> Spread:
    if not len(values):
        return Spread(0, 0, 0)
    return Spread(int(values.min()), int(np.median(values)), int(values.max()))


def _small_classes(classes: tuple[str, ...], counts: dict[str, NDArray[np.int64]]) -> list[str]:
    """Notes on classes that are missing in a split, one per class or, for many classes, one per split."""
    notes = []
    total = np.sum(list(counts.values()), axis=0)
    evaluated = [split for split in ("validation", "test") if counts[split].any()]
    absent = {split: [i for i in np.flatnonzero(total) if not counts[split][i]] for split in evaluated}
    if len(set().union(*absent.values())) > _EACH:
        return [_many_absent(split, [classes[i] for i in rows], len(classes)) for split, rows in absent.items() if rows]
    for index, name in enumerate(classes):
        if total[index] == 1 and counts["train"][index] == 1:
            notes.append(f"class {name} has one image: it is used for training and is not evaluated")
            continue
        splits = [split for split in evaluated if index in absent[split]]
        if splits:
            notes.append(f"class {name} has {total[index]} images: none in {' and '.join(splits)}")
    return notes


def _many_absent(split: str, names: list[str], classes: int) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return f"{len(names):,} of {classes:,} classes have no image in {split}: {', '.join(names[:_NAMED])}{more}"
