"""Duplicate texts: equal ones, and those that share most of their sequences of three tokens.

Broder, "On the resemblance and containment of documents", 1997: texts are sets of shingles, whose Jaccard index says
how alike they are. Candidates are found by MinHash: texts whose smallest hash values agree in one of several bands.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.duplicates import Duplicates, first_equal, merge_pairs

SHINGLE = 3
"""Tokens of a shingle."""
SAME = 0.7
"""Share of common shingles from which two texts are the same; a changed word in a text of 20 leaves 0.71."""
SHORTEST = 10
"""Tokens of a text below which only equal ones are duplicates: short texts share shingles by chance."""
_BANDS, _ROWS = 20, 4  # of hash values: 99.6 % of the pairs with SAME are candidates, 3 % of those with 0.2
_MOST = 40  # texts of one bucket that are all compared; in larger buckets each is compared with the next
_CHUNK = 4096  # texts whose hash values are in memory
_PADDING = 0


def duplicate_texts(stored: NDArray[Any], rows: NDArray[np.int64]) -> Duplicates:
    """Groups of duplicates among the rows of (N, 1, L) numbers of tokens, 0 after the end of a text."""
    firsts = first_equal(stored, rows)
    unique = firsts == np.arange(len(firsts))
    pairs = [(int(firsts[i]), int(i), 0.0) for i in np.flatnonzero(~unique)]
    texts = stored[rows][:, 0]
    kept = np.flatnonzero(unique & ((texts != _PADDING).sum(1) >= SHORTEST))
    if len(kept) > 1:
        pairs += _near(texts[kept], kept)
    return Duplicates(merge_pairs(len(firsts), pairs), tuple(sorted(pairs)))


def shingles(texts: NDArray[Any]) -> NDArray[np.uint64]:
    """(N, L - 2) a hash of each sequence of three tokens; the largest number where the text has ended."""
    factors = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], np.uint64)
    count = texts.shape[1] - SHINGLE + 1
    codes = texts.astype(np.uint64)
    mixed = codes[:, :count] * factors[0]
    for place in range(1, SHINGLE):
        mixed = (mixed ^ (mixed >> np.uint64(29))) * factors[0] + codes[:, place : place + count] * factors[place]
    mixed ^= mixed >> np.uint64(32)
    return np.where(texts[:, SHINGLE - 1 :] == _PADDING, np.iinfo(np.uint64).max, mixed)


def jaccard(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> float:
    """The share of common elements of two sets.

    >>> jaccard(np.array([1, 2, 3], np.uint64), np.array([2, 3, 4, 4], np.uint64))
    0.5
    """
    one, other = np.unique(first), np.unique(second)
    common = len(np.intersect1d(one, other, assume_unique=True))
    return common / max(1, len(one) + len(other) - common)


def _near(texts: NDArray[Any], kept: NDArray[np.int64]) -> list[tuple[int, int, float]]:
    hashed = shingles(texts)
    found = []
    for i, j in sorted(set(_candidates(_signatures(hashed)))):
        agreement = jaccard(_without_end(hashed[i]), _without_end(hashed[j]))
        if agreement >= SAME:
            found.append((int(kept[i]), int(kept[j]), 1 - agreement))
    return found


def _without_end(row: NDArray[np.uint64]) -> NDArray[np.uint64]:
    known: NDArray[np.uint64] = row[row != np.iinfo(np.uint64).max]
    return known


def _signatures(hashed: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """(N, bands x rows) the smallest of differently mixed hash values of each text."""
    random = np.random.default_rng(0)
    factors = random.integers(1, 2**63, _BANDS * _ROWS, np.uint64) * np.uint64(2) + np.uint64(1)
    ended = hashed == np.iinfo(np.uint64).max
    result = np.empty((len(hashed), len(factors)), np.uint64)
    for start in range(0, len(hashed), _CHUNK):
        block, end = hashed[start : start + _CHUNK], ended[start : start + _CHUNK]
        for number, factor in enumerate(factors):
            mixed = (block ^ (block >> np.uint64(31))) * factor
            mixed[end] = np.iinfo(np.uint64).max
            result[start : start + _CHUNK, number] = mixed.min(1)
    return result


def _candidates(signatures: NDArray[np.uint64]) -> Iterator[tuple[int, int]]:
    """Pairs of texts that agree in all values of a band."""
    for band in range(_BANDS):
        keys = np.ascontiguousarray(signatures[:, band * _ROWS : (band + 1) * _ROWS])
        _, bucket, counts = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
        order = np.argsort(bucket.ravel(), kind="stable")
        ends = np.cumsum(counts)
        for number in np.flatnonzero(counts > 1):
            members = order[ends[number] - counts[number] : ends[number]].tolist()
            step = 1 if len(members) > _MOST else len(members)
            for place, first in enumerate(members):
                yield from ((first, second) for second in members[place + 1 : place + 1 + step])
