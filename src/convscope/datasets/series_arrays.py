"""Datasets of series, from arrays and from files of series."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.array_targets import ArrayTargets
from convscope.datasets.class_checks import check_classes
from convscope.datasets.dataset import Dataset, Skipped
from convscope.datasets.inputs.series import SERIES, at_length
from convscope.errors import DataError

LONG = 4
"""How many times longer than its channels an array (N, C, L) is that is read as series."""
MOST_CHANNELS = 64


@dataclass(frozen=True, eq=False)
class SeriesPart:
    """The series of one split, each (C, L)."""

    split: str
    values: Sequence[NDArray[Any]]


def is_series(shape: tuple[int, ...], dtype: np.dtype[Any]) -> bool:
    """Whether an array is series rather than images: (N, L), or floats (N, C, L) that are much longer than high.

    >>> is_series((10, 3, 128), np.dtype("f4")), is_series((10, 28, 28), np.dtype("f4"))
    (True, False)
    """
    if len(shape) == 2:
        return True
    flat = len(shape) == 3 and shape[1] <= MOST_CHANNELS and shape[2] >= LONG * shape[1]
    return flat and dtype.kind == "f"


def series_dataset(
    origin: tuple[str, str], parts: Sequence[SeriesPart], targets: ArrayTargets, notes: Sequence[str] = ()
) -> Dataset:
    """A dataset of series, named ``train/00000`` and so on in their order; shorter ones are padded.

    Args:
        origin: the source, and the layout that read it.
        parts: the series of each split.
        targets: of all series, in the order of the parts.
        notes: what was decided.

    Raises:
        DataError: the series have no values, or different numbers of channels.
    """
    source, layout = origin
    rows = [np.asarray(row, np.float32) for part in parts for row in part.values]
    names = [f"{part.split or 'series'}/{i:05d}" for part in parts for i in range(len(part.values))]
    why = [_unusable(row) or unknown for row, unknown in zip(rows, targets.unknown, strict=True)]
    keep = np.array([not one for one in why], bool)
    if not keep.any():
        raise DataError(f"{source}: no series can be used; the first {why[0] if why else 'is missing'}")
    kept = [row for row, one in zip(rows, keep, strict=True) if one]
    _check_channels(source, kept)
    lengths = np.array([_known_length(row) for row in kept], np.int64)
    values = at_length(kept, int(lengths.max()))
    masked = bool(np.isnan(values).any())
    splits = np.array([part.split for part in parts for _ in part.values], dtype="<U10")
    dataset = Dataset(
        source=source,
        layout=layout,
        images=values,
        names=tuple(name for name, one in zip(names, keep, strict=True) if one),
        targets=targets.targets[keep],
        classes=targets.classes,
        splits=splits[keep],
        groups=None,
        skipped=tuple(Skipped(name, one) for name, one in zip(names, why, strict=True) if one),
        sizes=lengths[:, None],
        channels=values.shape[1] + masked,
        modes={},
        notes=(*notes, *_notes(values, lengths)),
        target_kind=targets.kind,
        input_kind=SERIES,
    )
    return check_classes(dataset)


def _unusable(row: NDArray[np.float32]) -> str:
    if not row.size:
        return "is empty"
    return "" if np.isfinite(row).any() else "has no finite value"


def _known_length(row: NDArray[np.float32]) -> int:
    """The length up to the last value: the archives pad shorter series with NaN."""
    known = np.flatnonzero(np.isfinite(row).any(0))
    return int(known[-1]) + 1


def _check_channels(source: str, rows: Sequence[NDArray[np.float32]]) -> None:
    found = sorted({row.shape[0] for row in rows})
    if len(found) > 1:
        raise DataError(
            f"{source}: its series have {' and '.join(map(str, found))} channels; give series of one number of channels"
        )


def _notes(values: NDArray[np.float32], lengths: NDArray[np.int64]) -> list[str]:
    if not np.isnan(values).any():
        return []
    shortest, longest = int(lengths.min()), int(lengths.max())
    inside = int(np.isnan(values).any(1).sum() - (longest - lengths).sum())
    what = [f"series of {shortest:,} to {longest:,} values are padded to {longest:,}"] if shortest < longest else []
    missing = "1 missing value is" if inside == 1 else f"{inside:,} missing values are"
    what += [f"{missing} set to the mean"] if inside > 0 else []
    return [f"{' and '.join(what)}; a channel that says where there are values is added"] if what else []
