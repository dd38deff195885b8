"""Duplicate series: equal ones, and the same series with another scale, offset or a little noise."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.duplicates import Duplicates, equal_only, first_equal, merge_pairs

SAME = 0.9999
"""Correlation from which two series are the same: noise of 1 % of the deviation in both of them."""
SAME_SPECTRUM = 0.998
"""Correlation from which two spectrograms are of the same recording, perhaps compressed or at another level."""
SHORTEST = 16
"""Values of a series below which only equal ones are duplicates: short series agree by chance."""
_CHUNK = 1024
_MOST_VALUES = 500_000_000
_MOST_PAIRS = 20_000  # series of which all pairs are compared; of more, only equal ones are found


def duplicate_series(stored: NDArray[Any], rows: NDArray[np.int64], same: float = SAME) -> Duplicates:
    """Groups of duplicates among the rows of (N, C, L) series; shifted copies are not found.

    Every pair of up to 20,000 series is compared; among more, only equal ones are found.
    """
    firsts = first_equal(stored, rows)
    unique = firsts == np.arange(len(firsts))
    pairs = [(int(firsts[i]), int(i), 0.0) for i in np.flatnonzero(~unique)]
    kept = np.flatnonzero(unique)
    if stored[0].size >= SHORTEST and len(kept) <= _MOST_PAIRS:
        pairs += _near(_standardised(stored[rows[kept]]), kept, same)
    return Duplicates(merge_pairs(len(firsts), pairs), tuple(sorted(pairs)))


def duplicate_spectra(stored: NDArray[Any], rows: NDArray[np.int64]) -> Duplicates:
    """Groups of duplicates among the rows of (N, C, bands, columns) spectrograms; shifted copies are not found.

    Of more than 20,000 spectrograms, or 500 million values, only equal ones are found.
    """
    if len(rows) > _MOST_PAIRS or len(rows) * int(np.prod(stored.shape[1:])) > _MOST_VALUES:
        return equal_only(stored, rows)
    values = stored[rows]
    return duplicate_series(values.reshape(*values.shape[:2], -1), np.arange(len(rows)), SAME_SPECTRUM)


def _near(flat: NDArray[np.float32], kept: NDArray[np.int64], same: float) -> list[tuple[int, int, float]]:
    found = []
    for start in range(0, len(flat), _CHUNK):
        agreement = np.triu(flat[start : start + _CHUNK] @ flat[start:].T, 1)
        for i, j in zip(*np.nonzero(agreement >= same), strict=True):
            found.append((int(kept[start + i]), int(kept[start + j]), 1 - float(agreement[i, j])))
    return found


def _standardised(series: NDArray[Any]) -> NDArray[np.float32]:
    """(N, C * L) of length 1, without each channel's mean; missing values are 0, and constant series too."""
    values = np.asarray(series, np.float64)
    known = np.isfinite(values)
    count = np.maximum(known.sum(2, keepdims=True), 1)
    mean = np.where(known, values, 0).sum(2, keepdims=True) / count
    flat = np.where(known, values - mean, 0).reshape(len(values), -1)
    norm = np.linalg.norm(flat, axis=1, keepdims=True)
    unit: NDArray[np.float32] = np.divide(flat, norm, out=np.zeros_like(flat), where=norm > 1e-9).astype(np.float32)
    return unit
