"""Datasets from arrays of images and labels, as NumPy files, idx files and objects of Python hold them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.array_targets import ArrayTargets, targets_of
from convscope.datasets.class_checks import check_classes
from convscope.datasets.dataset import Dataset, Skipped
from convscope.datasets.inputs.volume_reading import Ends
from convscope.datasets.series_arrays import SeriesPart, is_series, series_dataset
from convscope.datasets.volume_arrays import VolumePart, are_volumes, volume_dataset
from convscope.errors import DataError

CHANNELS = (1, 3)
_CHUNK = 256  # images that are converted at once


@dataclass(frozen=True, eq=False)
class ArrayPart:
    """The images and labels of one split."""

    split: str
    """"train", "validation" or "test"; "" if the data have no splits."""
    images: NDArray[Any]
    """(N, H, W), (N, H, W, C) or (N, C, H, W) numbers."""
    labels: NDArray[Any]
    """See `array_targets.targets_of`."""


@dataclass(frozen=True)
class ArraySource:
    """Where arrays come from: the source, the layout that read them, and what it knows of the classes."""

    source: str
    layout: str
    classes: tuple[str, ...] = ()
    """Names of the labels 0, 1 ...; empty: the labels themselves."""
    target_kind: str | None = None
    """The requested kind of target."""
    notes: tuple[str, ...] = ()


def array_dataset(origin: ArraySource, parts: Sequence[ArrayPart]) -> Dataset:
    """A dataset of the images in arrays, named ``train/00000`` and so on in their order.

    Args:
        origin: the source.
        parts: the images and labels of each split; arrays of series, see `series_arrays.is_series`, give a dataset of
            series; arrays of volumes, see `volume_arrays.are_volumes`, one of volumes.

    Raises:
        DataError: the arrays are no images of one size, or do not match their labels.
    """
    if parts and all(is_series(part.images.shape, part.images.dtype) for part in parts):
        return _as_series(origin, parts)
    if parts and all(are_volumes(part.images.shape) for part in parts):
        return _as_volumes(origin, parts)
    for part in parts:
        if part.images.ndim not in (3, 4) or len(part.images) != len(part.labels):
            raise DataError(
                f"{origin.source}: {part.split or 'the'} images have the shape {_shown(part.images)} and labels "
                f"{_shown(part.labels)}; give (N, H, W) or (N, H, W, C) images and N labels"
            )
    pixels, pixel_notes = _pixels(origin.source, [part.images for part in parts])
    labels = [np.asarray(part.labels) for part in parts]
    targets = targets_of(origin.source, labels, origin.classes, (origin.target_kind, pixels.shape[1:3]))
    names = [f"{part.split or 'images'}/{i:05d}" for part in parts for i in range(len(part.images))]
    splits = np.array([part.split for part in parts for _ in range(len(part.images))], dtype="<U10")
    unusable = {name: why for name, why in zip(names, _reasons(parts, targets), strict=True) if why}
    dataset = _dataset(origin, (pixels, names, splits), targets, [*origin.notes, *pixel_notes, *targets.notes])
    if unusable:
        keep = np.array([name not in unusable for name in names])
        if not keep.any():
            raise DataError(f"{origin.source}: no image can be used; the first {next(iter(unusable.values()))}")
        skipped = tuple(Skipped(name, why) for name, why in unusable.items())
        dataset = replace(dataset.subset(keep), skipped=skipped)
    return check_classes(dataset)


def _as_series(origin: ArraySource, parts: Sequence[ArrayPart]) -> Dataset:
    """A dataset of (N, L) or (N, C, L) arrays."""
    wrong = next((part for part in parts if len(part.images) != len(part.labels)), None)
    if wrong is not None or any(part.images.dtype.kind not in "buif" for part in parts):
        shown = wrong or parts[0]
        raise DataError(
            f"{origin.source}: {shown.split or 'the'} series have the shape {_shown(shown.images)} and labels "
            f"{_shown(shown.labels)}; give (N, C, L) numbers and N labels"
        )
    labels = [np.asarray(part.labels) for part in parts]
    found = targets_of(origin.source, labels, origin.classes, (origin.target_kind, (0, 0)))
    values = [part.images[:, None] if part.images.ndim == 2 else part.images for part in parts]
    shape = " x ".join(map(str, values[0].shape[1:]))
    note = f"the arrays are read as series of {shape}, channels and values; give (N, H, W, 1) to read them as images"
    notes = [*origin.notes, *found.notes, *([note] if parts[0].images.ndim == 3 else [])]
    series = [SeriesPart(part.split, list(array)) for part, array in zip(parts, values, strict=True)]
    return series_dataset((origin.source, origin.layout), series, found, notes)


def _as_volumes(origin: ArraySource, parts: Sequence[ArrayPart]) -> Dataset:
    """A dataset of (N, D, H, W) or (N, C, D, H, W) arrays."""
    wrong = next((part for part in parts if len(part.images) != len(part.labels) or not part.images.size), None)
    if wrong is not None:
        raise DataError(
            f"{origin.source}: {wrong.split or 'the'} volumes have the shape {_shown(wrong.images)} and labels "
            f"{_shown(wrong.labels)}; give (N, D, H, W) numbers and N labels"
        )
    labels = [np.asarray(part.labels) for part in parts]
    found = targets_of(origin.source, labels, origin.classes, (origin.target_kind, (0, 0)))
    arrays = [part.images for part in parts]
    offset, factor, scaled = _scaling(origin.source, arrays[0].dtype, *_range(arrays))
    shape = " x ".join(map(str, arrays[0].shape[1:]))
    notes = [*origin.notes, *found.notes, f"the arrays are read as volumes of {shape}"]
    volumes = [VolumePart(part.split, part.images) for part in parts]
    ends = Ends((offset,), (offset + 255 / factor,))
    notes += [note.replace("the images hold", "the volumes hold") for note in scaled]
    return volume_dataset((origin.source, origin.layout), volumes, found, ends, notes)


def _dataset(
    origin: ArraySource,
    rows: tuple[NDArray[np.uint8], list[str], NDArray[np.str_]],
    targets: ArrayTargets,
    notes: Sequence[str],
) -> Dataset:
    pixels, names, splits = rows
    count, height, width, channels = pixels.shape
    return Dataset(
        source=origin.source,
        layout=origin.layout,
        images=pixels,
        names=tuple(names),
        targets=targets.targets,
        classes=targets.classes,
        splits=splits,
        groups=None,
        skipped=(),
        sizes=np.tile(np.array([[height, width]], np.int64), (count, 1)),
        channels=channels,
        modes={"grey" if channels == 1 else "RGB": count},
        notes=tuple(notes),
        target_kind=targets.kind,
        masks=targets.masks,
    )


def _pixels(source: str, arrays: Sequence[NDArray[Any]]) -> tuple[NDArray[np.uint8], list[str]]:
    """(N, H, W, C) bytes, and notes on how the values were scaled."""
    shaped = [_channels_last(source, array) for array in arrays]
    sizes = {array.shape[1:] for array in shaped}
    if len(sizes) > 1:
        shown = " and ".join(" x ".join(map(str, size)) for size in sorted(sizes))
        raise DataError(f"{source}: its images are {shown}; give images of one size")
    count = sum(len(array) for array in shaped)
    if not count or 0 in next(iter(sizes)):
        raise DataError(f"{source}: its array of images is empty; give at least one image per class")
    low, high = _range(shaped)
    offset, factor, notes = _scaling(source, shaped[0].dtype, low, high)
    found = np.empty((count, *next(iter(sizes))), np.uint8)
    row = 0
    for array in shaped:
        for start in range(0, len(array), _CHUNK):
            chunk = array[start : start + _CHUNK]
            if chunk.dtype != np.uint8:
                scaled = (np.nan_to_num(chunk.astype(np.float64)) - offset) * factor
                chunk = np.rint(scaled).clip(0, 255).astype(np.uint8)
            found[row : row + len(chunk)] = chunk
            row += len(chunk)
    return found, notes


def _channels_last(source: str, array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype.kind not in "buif":
        raise DataError(f"{source}: its images are of type {array.dtype}; give numbers")
    if array.ndim == 3:
        return array[..., None]
    if array.shape[3] in CHANNELS:
        return array
    if array.shape[1] in CHANNELS:
        return array.transpose(0, 2, 3, 1)
    raise DataError(f"{source}: its images have the shape {_shown(array)}; give 1 or 3 channels, first or last")


def _range(arrays: Sequence[NDArray[Any]]) -> tuple[float, float]:
    """The lowest and the highest value, without nan and infinity."""
    low, high = np.inf, -np.inf
    for array in arrays:
        for start in range(0, len(array), _CHUNK):
            chunk = array[start : start + _CHUNK]
            if array.dtype == np.uint8:
                return 0.0, 255.0
            finite = chunk[np.isfinite(chunk)] if chunk.dtype.kind == "f" else chunk
            if finite.size:
                low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    return low, high


def _scaling(source: str, dtype: np.dtype[Any], low: float, high: float) -> tuple[float, float, list[str]]:
    """(offset, factor) that scale values to 0 .. 255, and a note on them."""
    if low > high:
        raise DataError(f"{source}: its images hold no finite value; give numbers")
    if dtype == np.uint8 or (low >= 0 and high <= 255 and (dtype.kind in "iu" or high > 1)):
        return 0.0, 1.0, []
    if dtype.kind == "b" or (low >= 0 and high <= 1):
        return 0.0, 255.0, ["the images hold 0 to 1, which becomes 0 to 255"]
    if low >= -1 and high <= 1:
        return -1.0, 127.5, ["the images hold -1 to 1, which becomes 0 to 255"]
    return low, 255.0 / (high - low), [f"the images hold {low:,.6g} to {high:,.6g}, which becomes 0 to 255"]


def _reasons(parts: Sequence[ArrayPart], targets: ArrayTargets) -> list[str]:
    """Why each image cannot be used; empty if it can."""
    found = []
    for part in parts:
        for start in range(0, len(part.images), _CHUNK):
            chunk = part.images[start : start + _CHUNK]
            finite = (
                np.isfinite(chunk.reshape(len(chunk), -1)).all(1) if chunk.dtype.kind == "f" else [True] * len(chunk)
            )
            found += ["" if one else "contains nan or infinity" for one in finite]
    return [why or unknown for why, unknown in zip(found, targets.unknown, strict=True)]


def _shown(array: NDArray[Any]) -> str:
    return str(array.shape)
