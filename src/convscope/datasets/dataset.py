"""The data set: names, targets and splits of the images, before any pixel is decoded for training."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.inputs.image import FULL_WHITE
from convscope.datasets.targets.kind import TargetKind
from convscope.datasets.targets.registry import DEFAULT_KIND, TARGET_KINDS

SPLITS = ("train", "validation", "test")

# The lecture's "test" is what others call validation; the words below are those whose meaning is not in doubt.
_SPLIT_WORDS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "val", "valid", "dev", "tune", "tuning"), "validation"),
    **dict.fromkeys(("test", "testing", "final"), "test"),
}


def split_of(word: str) -> str | None:
    """The role that a folder's or table's word means, or None.

    >>> split_of("Val"), split_of("final"), split_of("cats")
    ('validation', 'test', None)
    """
    return _SPLIT_WORDS.get(word.strip().lower())


@dataclass(frozen=True)
class Skipped:
    """A file that was passed over, and why."""

    name: str
    why: str


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images and what is known of them, in one order (by name) throughout; N images."""

    source: str
    """As the user said it: an absolute path, or a built-in's name."""
    layout: str
    """The name of one of `LAYOUTS`, or of boxes in any of theirs."""
    images: tuple[Path, ...] | NDArray[np.uint8]
    """Files, or (N, H, W, C) pixels."""
    names: tuple[str, ...]
    """Short and unique: the path within the source, or digits/0001."""
    targets: NDArray[Any]
    """(N,) int64 index into `classes`."""
    classes: tuple[str, ...]
    splits: NDArray[np.str_]
    """(N,) "train", "validation", "test", or "" where the data do not say."""
    groups: NDArray[np.str_] | None
    """(N,) images of one group must not be parted by a split; "" belongs to none."""
    skipped: tuple[Skipped, ...]
    sizes: NDArray[np.int64]
    """(N, 2) height and width, upright."""
    channels: int
    """1 when every image is grey, else 3."""
    modes: dict[str, int]
    """How many images of each kind: grey, RGB, RGBA, CMYK, palette, 16-bit ..."""
    white: float = FULL_WHITE
    """The value of deep greys (16-bit and more) that becomes 255."""
    notes: tuple[str, ...] = ()
    """Sentences on what a user should know."""
    target_kind: str = DEFAULT_KIND
    """What the targets are, one of `TARGET_KINDS`: classes as above; labels (N, K) of 1, 0 or nan (unknown); numbers
    (N, D); boxes (N, 5): class and xyxy in pixels of the upright file; masks, then (N, K): which classes occur.
    `classes` names columns."""
    masks: tuple[Path, ...] | NDArray[np.uint8] | None = None
    """Files, or (N, H, W) class indices, 255 where no class is right."""
    palette: Any = None
    """`mask_files.Palette` of mask files."""
    objects: tuple[tuple[tuple[str, tuple[float, ...]], ...], ...] | None = None
    """Of boxes from files: all objects of each image, (label, xyxy), of which `targets` hold the largest."""

    def __len__(self) -> int:
        return len(self.names)

    def subset(self, keep: NDArray[np.bool_] | NDArray[np.int64]) -> "Dataset":
        """The data set of the images in `keep`, a (N,) mask or indices; classes and notes stay as they are."""
        rows = np.flatnonzero(keep) if keep.dtype == np.bool_ else np.asarray(keep)
        images = self.images
        return replace(
            self,
            images=tuple(images[i] for i in rows) if isinstance(images, tuple) else images[rows],
            names=tuple(self.names[i] for i in rows),
            targets=self.targets[rows],
            splits=self.splits[rows],
            groups=None if self.groups is None else self.groups[rows],
            sizes=self.sizes[rows],
            objects=None if self.objects is None else tuple(self.objects[i] for i in rows),
            masks=tuple(self.masks[i] for i in rows)
            if isinstance(self.masks, tuple)
            else None
            if self.masks is None
            else self.masks[rows],
        )

    @property
    def kind(self) -> TargetKind:
        """What depends on the kind of the targets."""
        return TARGET_KINDS[self.target_kind]

    def strata(self) -> tuple[NDArray[np.int64], int]:
        """(N,) a stratum for each image, which a split spreads evenly, and how many there are."""
        return self.kind.strata(self.targets, len(self.classes))

    def counts(self, rows: NDArray[np.bool_]) -> NDArray[np.int64]:
        """(K,) images of each class, or that have each label; of numbers, all of them."""
        return self.kind.counts(self.targets[rows], len(self.classes))

    def fingerprint(self) -> str:
        """32 hex digits that change with the names, the targets, and the files' lengths and times or the pixels."""
        digest = hashlib.blake2b(digest_size=16)
        digest.update(repr((self.layout, self.classes, self.channels, self.white)).encode())
        digest.update("\0".join(self.names).encode())
        digest.update(np.ascontiguousarray(self.targets).tobytes())
        digest.update(np.ascontiguousarray(self.sizes).tobytes())
        for extra in () if self.target_kind == DEFAULT_KIND else (self.target_kind, self.palette):
            digest.update(repr(extra).encode())
        if isinstance(self.masks, np.ndarray):
            digest.update(np.ascontiguousarray(self.masks).tobytes())
        if isinstance(self.images, tuple):
            for path in (*self.images, *(self.masks if isinstance(self.masks, tuple) else ())):
                known = path.stat()
                digest.update(f"{known.st_size} {known.st_mtime_ns} ".encode())
        else:
            digest.update(np.ascontiguousarray(self.images).tobytes())
        return digest.hexdigest()
