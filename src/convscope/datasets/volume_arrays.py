"""Datasets of volumes from arrays (N, D, H, W) and (N, C, D, H, W)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.array_targets import ArrayTargets
from convscope.datasets.class_checks import check_classes
from convscope.datasets.dataset import Dataset, Skipped
from convscope.datasets.inputs.volume_files import VOLUME
from convscope.datasets.inputs.volume_reading import Ends, VolumeReading
from convscope.datasets.inputs.volume_stacks import channels_first
from convscope.errors import DataError

IMAGE_CHANNELS = (1, 3)


@dataclass(frozen=True, eq=False)
class VolumePart:
    """The volumes of one split."""

    split: str
    values: NDArray[Any]
    """(N, D, H, W), (N, C, D, H, W) or (N, D, H, W, C) numbers."""


def are_volumes(shape: tuple[int, ...]) -> bool:
    """Whether an array is volumes rather than images: five axes, or four of which none can be 1 or 3 channels.

    >>> are_volumes((10, 28, 28, 28)), are_volumes((10, 28, 28, 1)), are_volumes((10, 2, 8, 32, 32))
    (True, False, True)
    """
    if len(shape) == 4:
        return shape[1] not in IMAGE_CHANNELS and shape[3] not in IMAGE_CHANNELS
    return len(shape) == 5


def volume_dataset(
    origin: tuple[str, str], parts: Sequence[VolumePart], targets: ArrayTargets, ends: Ends, notes: Sequence[str] = ()
) -> Dataset:
    """A dataset of volumes, named ``train/00000`` and so on in their order.

    Args:
        origin: the source, and the layout that read it.
        parts: the volumes of each split, all of one size.
        targets: of all volumes, in the order of the parts.
        ends: the values that become 0 and 255.
        notes: what was decided.

    Raises:
        DataError: the volumes have several sizes, or none can be used.
    """
    source, layout = origin
    ordered = _of_one_size(source, parts)
    voxels = np.concatenate([_as_bytes(one, ends) for one in ordered])
    names = [f"{part.split or 'volumes'}/{i:05d}" for part in parts for i in range(len(part.values))]
    finite = [one for part in ordered for one in _are_finite(part)]
    why = [
        unknown or ("" if known else "contains nan or infinity")
        for known, unknown in zip(finite, targets.unknown, strict=True)
    ]
    count, channels, *sides = voxels.shape
    dataset = Dataset(
        source=source,
        layout=layout,
        images=voxels,
        names=tuple(names),
        targets=targets.targets,
        classes=targets.classes,
        splits=np.array([part.split for part in parts for _ in part.values], dtype="<U10"),
        groups=None,
        skipped=tuple(Skipped(name, one) for name, one in zip(names, why, strict=True) if one),
        sizes=np.tile(np.array([sides], np.int64), (count, 1)),
        channels=channels,
        modes={f"array {parts[0].values.dtype}": count},
        white=(255.0,),
        notes=tuple(notes),
        target_kind=targets.kind,
        input_kind=VOLUME,
        reading=VolumeReading(),
    )
    keep = np.array([not one for one in why], bool)
    if not keep.any():
        raise DataError(f"{source}: no volume can be used; the first {why[0] if why else 'is missing'}")
    return check_classes(dataset if keep.all() else replace(dataset.subset(keep), skipped=dataset.skipped))


def _of_one_size(source: str, parts: Sequence[VolumePart]) -> list[NDArray[Any]]:
    """The volumes of each part, channels first.

    Raises:
        DataError: they have several sizes.
    """
    ordered = [_channels_first(source, part.values) for part in parts]
    sizes = sorted({one.shape[1:] for one in ordered})
    if len(sizes) > 1:
        shown = " and ".join(" x ".join(map(str, size)) for size in sizes)
        raise DataError(f"{source}: its volumes are {shown}; give volumes of one size")
    return ordered


def _channels_first(source: str, values: NDArray[Any]) -> NDArray[Any]:
    """(N, C, D, H, W)."""
    if values.dtype.kind not in "buif":
        raise DataError(f"{source}: its volumes are of type {values.dtype}; give numbers")
    if values.ndim == 4:
        return values[:, None]
    return values.transpose(0, *(1 + axis for axis in channels_first(values.shape[1:])))


def _as_bytes(values: NDArray[Any], ends: Ends) -> NDArray[np.uint8]:
    found = np.empty(values.shape, np.uint8)
    for into, one in zip(found, values, strict=True):
        into[:] = ends.bytes_of(one, each=False)
    return found


def _are_finite(values: NDArray[Any]) -> list[bool]:
    if values.dtype.kind != "f":
        return [True] * len(values)
    return [bool(np.isfinite(one).all()) for one in values]
