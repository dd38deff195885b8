"""The range of values of deep images (16-bit, 32-bit, float) that becomes 0 to 255, found over a dataset."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.inputs.arrays import is_array, open_array
from convscope.datasets.inputs.opening import open_image, quiet_pillow
from convscope.datasets.inputs.tiff import tiff_values
from convscope.datasets.inputs.values import FULL_WHITE
from convscope.datasets.store.resources import usable_cores
from convscope.errors import DataError

SAMPLE = 64
"""Evenly spaced files whose values are read."""
TAIL = 0.1
"""Percent of the values below and above the range, where single values lie far outside."""
FEWEST = 8
"""Values that use less than this part of a range of whole bits get a range of their own: fewer than 32 of 256 greys
would be left."""
ABOVE = 32.0
"""The largest value from which a file beside others of values up to 1 is on another scale than these."""
_BITS = (8, 10, 12, 14, 16)
_NO_DATA = (-9999.0, -99999.0, -999.0, -32768.0, -32767.0, 1e20, -1e20)  # customary values of missing pixels
_VALUES = 2**16  # values of a file, per channel, from which percentiles are taken
_THREADS = 4  # files that are held in memory at once


@dataclass(frozen=True)
class ValueRange:
    """The values that become 0 and 255, one for all channels or one per channel."""

    black: tuple[float, ...] = (0.0,)
    white: tuple[float, ...] = (FULL_WHITE,)
    bits: int | None = None
    """The number of bits in use, of unsigned integers and of floats up to 1."""
    without: tuple[str, ...] = ()
    """Values that were left out, since they stand for missing pixels."""
    scales: tuple[int, int, float] | None = None
    """Where files of fractions up to 1 are beside files far above: the numbers of both, and the largest value."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Some values of a file."""

    values: NDArray[np.float64]
    """(M, C), not finite where there are none."""
    whole: bool
    """Whether the file holds integers from 0: Pillow gives unsigned ones of 32 bits as signed."""


def find_range(paths: Sequence[Path], channels: int) -> ValueRange:
    """The range of values over up to 64 evenly spaced files of deep values.

    Unsigned integers: cameras and scanners often store 10, 12 or 14 bits in 16-bit files, which read as 16 bits are
    nearly black, so the largest value is rounded up to 8, 10, 12, 14 or 16 bits and black is 0. Floats from 0 to 1 have
    the white value 1. All others, and values that use less than an eighth of such a range, are scaled from their lowest
    to their highest, between the 0.1 and 99.9 percentiles if single values lie far outside.

    NaN, infinity and values such as -9999 that lie far from all others are left out. One range is used for all files,
    which preserves relative brightness.

    Args:
        paths: files of deep values.
        channels: of the dataset; other than 1 and 3, each channel has a range of its own.
    """
    chosen = [paths[i] for i in np.unique(np.linspace(0, len(paths) - 1, min(SAMPLE, len(paths))).astype(int))]
    with quiet_pillow(), ThreadPoolExecutor(min(_THREADS, usable_cores()), "convscope-headers") as pool:
        found = [sample for sample in pool.map(lambda path: _sample(path, channels), chosen) if sample is not None]
    return range_over(found, channels)


def range_over(found: Sequence[Sample], channels: int) -> ValueRange:
    """The range of the values of some files of deep values; see `find_range`."""
    if not found:
        return ValueRange()
    whole = all(sample.whole for sample in found)
    width = min(sample.values.shape[1] for sample in found)
    values = np.concatenate([sample.values[:, :width] for sample in found])
    if channels in (1, 3):
        return replace(_range_of(values.ravel(), whole), scales=_two_scales(found))
    ranges = [_range_of(values[:, channel], whole) for channel in range(width)]
    return ValueRange(
        tuple(one.black[0] for one in ranges),
        tuple(one.white[0] for one in ranges),
        ranges[0].bits if len({one.bits for one in ranges}) == 1 else None,
        tuple(sorted({name for one in ranges for name in one.without})),
        _two_scales(found),
    )


def _two_scales(found: Sequence[Sample]) -> tuple[int, int, float] | None:
    """See `ValueRange.scales`; None if some files are in between, as measured values are."""
    fractions, highest = 0, []
    for sample in found:
        values = sample.values[np.isfinite(sample.values)]
        top = float(values.max(initial=0))
        if top >= ABOVE:
            highest.append(top)
        elif 0.5 < top <= 1 and float(values.min()) >= -1 and bool((values % 1 != 0).any()):
            fractions += 1
        elif top > 1:
            return None
    return (fractions, len(highest), max(highest)) if fractions and highest else None


def _range_of(values: NDArray[np.float64], whole: bool) -> ValueRange:
    """The range of all values (M,) of a channel."""
    finite = values[np.isfinite(values)]
    names = [name for name, found in (("NaN", np.isnan(values)), ("infinity", np.isinf(values))) if found.any()]
    kept, missing = _without_missing(finite)
    names += missing
    if not len(kept):
        return ValueRange(without=tuple(names))
    lowest, highest = float(kept.min()), float(kept.max())
    low, high = (float(level) for level in np.percentile(kept, (TAIL, 100 - TAIL)))
    bits = _bits_in_use(lowest, highest, whole)
    if bits is not None and (high - low >= (2**bits - 1 if bits else 1) / FEWEST or highest == lowest):
        return ValueRange((0.0,), (float(2**bits - 1) if bits else 1.0,), bits, tuple(names))
    if highest - lowest <= 1.25 * (high - low) or high <= low:
        low, high = lowest, highest
    return ValueRange((low,), (high if high > low else low + 1,), None, tuple(names))


def _bits_in_use(lowest: float, highest: float, whole: bool) -> int | None:
    """Bits of values from 0, 0 for floats up to 1; None for values of another kind."""
    if lowest < 0:
        return None
    if whole:
        return next((bits for bits in _BITS if highest < 2**bits), None)
    if highest <= 1:
        return 0
    return 8 if 128 <= highest <= 255 else None


def _without_missing(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], list[str]]:
    """The values without those that stand for missing pixels: an extreme value, far from all others."""
    levels, names = np.unique(values), []
    while len(levels) >= 3:
        rest = levels[-1] - levels[1], levels[-2] - levels[0]
        gaps = levels[1] - levels[0], levels[-1] - levels[-2]
        ends = levels[0], levels[-1]
        many = len(levels) >= 16
        end = next((
            end for end in (0, 1)
            if gaps[end] > (0.1 if float(ends[end]) in _NO_DATA else 3 if many else np.inf) * rest[end]
        ), None)  # fmt: skip
        if end is None:
            break
        names.append(f"{ends[end]:g}")
        levels = levels[:-1] if end else levels[1:]
    if not names:
        return values, []
    return values[(values >= levels[0]) & (values <= levels[-1])], names


def _sample(path: Path, channels: int) -> Sample | None:
    """Values of a file; None if it cannot be read."""
    try:
        return sample_of(_values(path, channels))
    except DataError:
        return None


def sample_of(values: NDArray[Any]) -> Sample:
    """Values of a file (..., C), evenly spaced in memory, with its lowest and highest."""
    rows = values.reshape(-1, values.shape[-1])
    chosen = rows[:: max(1, len(rows) // _VALUES)]
    if len(chosen) < len(rows):
        with np.errstate(invalid="ignore"):
            chosen = np.concatenate([chosen, np.fmin.reduce(rows)[None], np.fmax.reduce(rows)[None]])
    kind = values.dtype.kind
    return Sample(chosen.astype(np.float64), kind in "bu" or (kind == "i" and int(rows.min()) >= 0))


def _values(path: Path, channels: int) -> NDArray[Any]:
    """(H, W, C) as stored."""
    stored = open_array(path) if is_array(path) else tiff_values(path, channels)
    if stored is not None:
        return stored
    with open_image(path) as image:
        values = np.asarray(image if image.mode != "I;16B" else image.convert("I"))
    return values if values.ndim == 3 else values[..., None]


def scale_note(found: ValueRange, noun: str = "images") -> str:
    """A note where files on two scales share one range; else empty."""
    if found.scales is None:
        return ""
    fractions, above, highest = found.scales
    return (
        f"{fractions + above} {noun} were looked at: {fractions} hold fractions up to 1 and {above} values up to "
        f"{highest:,.6g}, as if saved on two scales; one range is used for all, in which the former are nearly even; "
        "save all on one scale"
    )


def range_note(count: int, found: ValueRange) -> str:
    """What became of the values of `count` deep images, and how to set it otherwise."""
    files = f"{count:,} image{'s have' if count > 1 else ' has'} more than 8 bits per grey"
    remedy = "set data.black and data.white for another range"
    without = f" without {' and '.join(found.without)}" if found.without else ""
    if len(found.white) > 1:
        return f"{files}: the range of each channel{without} becomes 0 to 255; {remedy}"
    low, high = f"{found.black[0]:,.6g}", f"{found.white[0]:,.6g}"
    if found.bits in _BITS[:-1]:
        return f"{files}, of which {found.bits} are in use: {low} to {high} becomes 0 to 255; {remedy}"
    if found.bits is not None:
        return f"{files}: {low} to {high} becomes 0 to 255; {remedy}"
    return f"{files}: {low} to {high}, the range of their values{without}, becomes 0 to 255; {remedy}"
