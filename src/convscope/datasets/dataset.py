"""A dataset: names, targets and splits of images, before their pixels are decoded."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.inputs.fitting import CROP, Fit
from convscope.datasets.inputs.image import ImageSpec
from convscope.datasets.inputs.raster import WHITE
from convscope.datasets.inputs.values import FULL_WHITE
from convscope.datasets.targets.kind import TargetKind
from convscope.datasets.targets.mask_files import MaskFile
from convscope.datasets.targets.registry import DEFAULT_KIND, TARGET_KINDS

SPLITS = ("train", "validation", "test")
IMAGE_KIND = "image"
"""The kind of input of images, `inputs.image_input.IMAGE`."""

# Only unambiguous words.
_SPLIT_WORDS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "val", "valid", "dev", "tune", "tuning", "publictest"), "validation"),
    **dict.fromkeys(("test", "testing", "final", "privatetest"), "test"),
}


def split_of(word: str) -> str | None:
    """The split that a name of a folder or a cell of a table stands for, or None.

    >>> split_of("Val"), split_of("final"), split_of("cats")
    ('validation', 'test', None)
    """
    return _SPLIT_WORDS.get(word.strip().lower())


@dataclass(frozen=True)
class Skipped:
    """A file that was skipped, and why."""

    name: str
    why: str


@dataclass(frozen=True, eq=False)
class Dataset:
    """N images with their targets, sorted by name."""

    source: str
    """An absolute path, or the name of a built-in dataset."""
    layout: str
    """The name of one of `LAYOUTS`."""
    images: tuple[Path, ...] | NDArray[Any]
    """Files, or (N, H, W, C) pixels, (N, C, L) series, or (N,) texts as objects."""
    names: tuple[str, ...]
    """Unique names: the path relative to the source, or digits/0001."""
    targets: NDArray[Any]
    """(N,) int64 index into `classes`."""
    classes: tuple[str, ...]
    splits: NDArray[np.str_]
    """(N,) "train", "validation", "test", or "" if the data do not specify it."""
    groups: NDArray[np.str_] | None
    """(N,) images of one group stay in the same split; "" is no group."""
    skipped: tuple[Skipped, ...]
    sizes: NDArray[np.int64]
    """(N, 2) height and width, upright; (N, 1) length of series; as `sides` of the kind of input."""
    channels: int
    """Of the network's input: 1 when every image is grey, 3 in colour, or any other number that the files have."""
    modes: dict[str, int]
    """Number of images of each mode: grey, RGB, RGBA, CMYK, palette, 16-bit ..."""
    white: tuple[float, ...] = (FULL_WHITE,)
    """The value of deep images (16-bit and more) that becomes 255, for all channels or for each."""
    black: tuple[float, ...] = (0.0,)
    """The value that becomes 0."""
    alpha: bool = True
    """Whether the fourth channel of RGBA files is transparency."""
    background: int = WHITE
    """The grey behind transparent pixels, 0 to 255."""
    fit: Fit = CROP
    """How images of another aspect ratio become the input, see `fitting.fit`."""
    shown_channels: tuple[int, ...] = ()
    """The channels that figures show, see `inputs.image_input.shown_channels`."""
    notes: tuple[str, ...] = ()
    """Notes for the user, one sentence each."""
    target_kind: str = DEFAULT_KIND
    """The kind of target, one of `TARGET_KINDS`: classes as above; labels (N, K) of 1, 0 or nan (unknown); numbers
    (N, D); boxes (N, 5): class and xyxy in pixels of the upright file; masks, then (N, K): which classes occur.
    `classes` names columns."""
    masks: tuple[MaskFile, ...] | NDArray[np.uint8] | None = None
    """Files, or (N, H, W) class indices, 255 for unlabelled pixels."""
    palette: Any = None
    """`mask_files.Palette` of mask files."""
    objects: tuple[tuple[tuple[str, tuple[float, ...]], ...], ...] | None = None
    """For boxes from files: all objects of each image, (label, xyxy); `targets` contain the largest."""
    input_kind: str = IMAGE_KIND
    """The kind of input, one of `INPUT_KINDS`."""
    reading: Any = None
    """How files of this kind are read, such as `inputs.sound_reading.SoundReading`; None of images."""
    because: str = ""
    """Why the source was read in this layout, a clause without "because"; "" if it was not detected."""

    def __len__(self) -> int:
        return len(self.names)

    def subset(self, keep: NDArray[np.bool_] | NDArray[np.int64]) -> "Dataset":
        """The dataset of the images in `keep`, a (N,) mask or indices; classes and notes are unchanged."""
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

    def spec(self, size: tuple[int, int] | None = None) -> ImageSpec:
        """How the files become pixels of `size` (H, W); None keeps the sizes of the files."""
        return ImageSpec(size, self.channels, self.white, self.black, self.alpha, self.fit, self.background)

    @property
    def kind(self) -> TargetKind:
        """The kind of the targets."""
        return TARGET_KINDS[self.target_kind]

    def strata(self) -> tuple[NDArray[np.int64], int]:
        """(N,) the stratum of each image for stratified splitting, and the number of strata."""
        return self.kind.strata(self.targets, len(self.classes))

    def counts(self, rows: NDArray[np.bool_]) -> NDArray[np.int64]:
        """(K,) number of images with each class, label or number."""
        return self.kind.counts(self.targets[rows], len(self.classes))

    def fingerprint(self) -> str:
        """32 hex digits that depend on the names, the targets, and the sizes and times of the files or the pixels."""
        digest = hashlib.blake2b(digest_size=16)
        digest.update(repr((self.layout, self.classes, self.spec())).encode())
        digest.update("\0".join(self.names).encode())
        digest.update(np.ascontiguousarray(self.targets).tobytes())
        digest.update(np.ascontiguousarray(self.sizes).tobytes())
        for extra in () if self.target_kind == DEFAULT_KIND else (self.target_kind, self.palette):
            digest.update(repr(extra).encode())
        if self.reading is not None:
            digest.update(repr((self.input_kind, self.reading)).encode())
        if isinstance(self.masks, np.ndarray):
            digest.update(np.ascontiguousarray(self.masks).tobytes())
        if isinstance(self.images, tuple):
            masks = self.masks if isinstance(self.masks, tuple) else ()
            for path in (*self.images, *(path for mask in masks for path in mask.paths)):
                known = path.stat()
                digest.update(f"{known.st_size} {known.st_mtime_ns} ".encode())
        elif self.images.dtype == np.object_:  # texts
            digest.update("\0".join(self.images).encode("utf-8", "surrogatepass"))
        else:
            digest.update(np.ascontiguousarray(self.images).tobytes())
        return digest.hexdigest()
