"""How the volumes of a dataset are read: range of values and spacing; and what their headers say."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.dataset import Dataset
from convscope.datasets.inputs.settings import InputSettings
from convscope.datasets.inputs.value_range import SAMPLE, ValueRange, range_over, sample_of, scale_note
from convscope.datasets.inputs.values import to_bytes
from convscope.datasets.inputs.volume_files import VOLUME, Volume, VolumeHeader, read_volume, read_volume_headers
from convscope.datasets.inputs.volume_geometry import Spacing, centred, resampled_sides, resized
from convscope.datasets.inputs.volume_stacks import ENDINGS as STACK_ENDINGS
from convscope.errors import ConfigError, DataError

_THREADS = 2  # volumes that are held in memory at once
_SAME = 0.01  # share by which equal spacings differ
_OWN_RANGE = (0.5, 99.5)
"""Percentiles of a volume that become 0 and 255 with input.scaling set to each."""


@dataclass(frozen=True)
class VolumeReading:
    """How files become volumes of bytes."""

    spacing: Spacing | None = None
    """Millimetres from voxel to voxel that all are resampled to; None: they are resized to the input instead."""
    each: bool = False
    """Whether each volume is scaled by its own range of values."""


def differing_volumes(headers: Sequence[VolumeHeader]) -> list[str]:
    """For each header, why the volume cannot be used beside the others; empty if it can."""
    usual = Counter(header.channels for header in headers).most_common(1)[0][0] if headers else 1
    why = f"channel{{}} and most volumes have {usual}; put volumes of each kind in a dataset of their own"
    return [
        "" if one.channels == usual else f"has {one.channels} {why.format('' if one.channels == 1 else 's')}"
        for one in headers
    ]


def describe_volumes(paths: Sequence[Path], headers: Sequence[VolumeHeader]) -> dict[str, Any]:
    """The fields of a dataset of volumes from their headers, and from the values of some."""
    channels = headers[0].channels
    found = _find_range(paths, channels)
    scale_notes = [note for note in (scale_note(found, "volumes"),) if note]
    return {
        "sizes": np.array([header.sides for header in headers], np.int64),
        "channels": channels,
        "modes": dict(sorted(Counter(header.mode for header in headers).items())),
        "white": found.white,
        "black": found.black,
        "input_kind": VOLUME,
        "reading": VolumeReading(),
        "notes": [*_stack_notes(paths), *scale_notes, _range_note(found), _spacing_note(headers)],
    }


def with_reading(data: Dataset, settings: InputSettings) -> Dataset:
    """A dataset read with the settings' spacing and scaling.

    Raises:
        ConfigError: a spacing is set, and the volumes have none.
    """
    if settings.spacing is None:
        return replace(data, reading=VolumeReading(None, settings.scaling == "each"))
    headers = read_volume_headers(data.images) if isinstance(data.images, tuple) else []
    spacings = [one.spacing for one in headers if not isinstance(one, str) and one.spacing is not None]
    if len(spacings) < len(data):
        lacking = len(data) - len(spacings)
        raise ConfigError(
            f"input.spacing is {list(settings.spacing)}, but {lacking:,} of {len(data):,} volumes of {data.source} do "
            "not say their spacing; remove it"
        )
    sides = [
        resampled_sides(one, spacing, settings.spacing)
        for one, spacing in zip(data.sizes.tolist(), spacings, strict=True)
    ]
    note = f"volumes are resampled to {_shown(settings.spacing)} mm, as set"
    notes = (*(one for one in data.notes if not one.startswith(_SPACING)), note)
    reading = VolumeReading(settings.spacing, settings.scaling == "each")
    return replace(data, sizes=np.array(sides, np.int64), reading=reading, notes=notes)


def fitted(volume: Volume, size: Sequence[int], reading: VolumeReading, ends: "Ends") -> NDArray[np.uint8]:
    """(C, *size) bytes: the whole volume resized; or resampled to the reading's spacing, then its middle.

    Raises:
        DataError: a spacing is wanted and the volume does not say its own; the message has no place.
    """
    if reading.spacing is None:
        return ends.bytes_of(resized(volume.values, size), reading.each)
    if volume.spacing is None:
        raise DataError(f"does not say its spacing, and the others are resampled to {_shown(reading.spacing)} mm")
    sides = resampled_sides(volume.values.shape[1:], volume.spacing, reading.spacing)
    middle: NDArray[np.uint8] = centred(ends.bytes_of(resized(volume.values, sides), reading.each), size)
    return middle


@dataclass(frozen=True)
class Ends:
    """The values that become 0 and 255, one for all channels or one for each."""

    black: tuple[float, ...]
    white: tuple[float, ...]

    def bytes_of(self, values: NDArray[Any], each: bool) -> NDArray[np.uint8]:
        """(C, D, H, W) bytes; with `each`, between the volume's own percentiles."""
        black, white = self.black, self.white
        if each:
            rows = values.reshape(len(values), -1)
            low, high = np.percentile(rows, _OWN_RANGE, axis=1)
            black, white = tuple(low.tolist()), tuple(np.where(high > low, high, low + 1).tolist())
        return np.moveaxis(to_bytes(np.moveaxis(values, 0, -1), black, white), -1, 0)


def _find_range(paths: Sequence[Path], channels: int) -> ValueRange:
    """The range of values over some volumes."""
    few = max(1, min(SAMPLE // 4, len(paths)))
    chosen = [paths[i] for i in np.unique(np.linspace(0, len(paths) - 1, few).astype(int))]
    with ThreadPoolExecutor(_THREADS, "convscope-headers") as pool:
        samples = [one for one in pool.map(_values_of, chosen) if one is not None]
    return range_over([sample_of(one) for one in samples], channels)


def _values_of(path: Path) -> NDArray[Any] | None:
    """(M, C) values of a volume, channels last; None if it cannot be read."""
    try:
        values = read_volume(path).values
    except DataError:
        return None
    return np.moveaxis(values, 0, -1).reshape(-1, len(values))


def _range_note(found: ValueRange) -> str:
    low, high = f"{found.black[0]:,.6g}", f"{found.white[0]:,.6g}"
    shown = f"{low} to {high}" if len(found.white) == 1 else "the range of each channel"
    return (
        f"{shown} becomes 0 to 255; set data.black and data.white for another range, or input.scaling to each where "
        "values of different volumes cannot be compared"
    )


_SPACING = "spacing of voxels"


def _spacing_note(headers: Sequence[VolumeHeader]) -> str:
    known = np.array([header.spacing for header in headers if header.spacing is not None])
    if not len(known):
        return f"{_SPACING}: the files do not say it; volumes are resized to the input"
    low, high = known.min(0), known.max(0)
    lacking = len(headers) - len(known)
    unknown = f", and {lacking:,} volumes do not say it" if lacking else ""
    if (high - low <= _SAME * low).all():
        return f"{_SPACING}: {_shown(low)} mm (depth x height x width){unknown}; volumes are resized to the input"
    return (
        f"{_SPACING}: {_shown(low)} to {_shown(high)} mm (depth x height x width){unknown}; volumes are resized to the "
        "input, set input.spacing to resample all to one spacing"
    )


def _stack_notes(paths: Sequence[Path]) -> list[str]:
    if not all(path.suffix.lower() in STACK_ENDINGS for path in paths):
        return []
    return [f"{paths[0].name} and the others are read as volumes; set input.kind to image to read images"]


def _shown(spacing: Sequence[float] | NDArray[np.float64]) -> str:
    return " x ".join(f"{float(one):.3g}" for one in spacing)
