"""Duplicate images: equal pixels, or the same image compressed, resized, brightened or mirrored.

Near duplicates are found in three steps. A perceptual hash (the lowest 8 x 8 cosine coefficients, each above their
median or not; Zauner, "Implementation and benchmarking of perceptual image hash functions", 2010) puts images into
buckets by each of its bands of bits. Within a bucket, those whose low-frequency coefficients agree are candidates. A
candidate pair is a duplicate if its high-frequency detail also agrees, in every colour. The threshold is computed from
the data (`detail_threshold`): different handwritten digits agree better than a photograph and its JPEG copy. Of
mirrored pairs, of which there are twice as many, clipped detail has to agree too: else the outline of an object on a
plain background decides.

Calibrated on CIFAR-10 as JPEG (60,000 images), MNIST (70,000), steel surfaces (1,800), cats and dogs (1,500), ants
and bees (398) and scikit-learn's digits (1,797), and on copies of 200 images of each that were compressed (JPEG
quality 75 and 40), resized by 0.8 and 0.5, or changed in brightness by 0.8 and 1.15, contrast by 1.2 or saturation by
0.7. Found of these copies: of the cats and dogs all, of CIFAR all but 1 % of those at half size, of steel all but 3 %
of those brightened into white, of MNIST all but the resized and strongly compressed, of the 8 x 8 digits the darkened
and few others. Found among the originals: 688 pairs in CIFAR (in a sample all were duplicates; the largest group, 46,
is one advertised car), which link 1.7 % of its test images to train; Barz and Denzler (2020, arXiv:1902.00423), who
also count shifted and recoloured ones, report 3.3 %; 3 pairs in steel, 1 in MNIST, none in the
others. Not found: copies that were cropped, shifted or turned.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]

_SIDE = 32  # pixels per side of the images that are compared
_LOW = 8  # cosine coefficients per side in the hash
_SAME_GIST = 0.95  # correlation of low frequencies that makes a pair a candidate
_SAME_DETAIL = 0.6  # minimum correlation of detail of duplicates, for all data
_MOST = 16  # candidates per image and bucket, those that agree most: bounds the memory for video frames
_SAMPLE = 2000  # images whose pairs determine the similarity of different images
_GAP = 0.25  # of Fisher z, between similar images and duplicates
_CLIP = 8.0  # grey levels of detail; chosen on fruits, cats and dogs, ants and bees
_FLIPS = (None, 3, 2)  # axes of (B, C, H, W): as it is, left to right, upside down
_MOST_ALIKE = 0.8  # threshold above which different images are too similar to tell mirrored copies: digits, letters
_FALSE = 1e-3  # expected false pairs per dataset, if Fisher z of different images is normally distributed
_CHUNK = 2048  # images per block
_PAIRS = 32768  # candidate pairs per block


@dataclass(frozen=True, eq=False)
class Duplicates:
    """Groups of duplicates among N images."""

    groups: Rows
    """(N,) group numbers: the index of the first image of the group."""
    pairs: tuple[tuple[int, int, float], ...]
    """(index, later index, distance): distance is 0 for equal pixels, else 1 - the correlation of detail."""


def find_duplicates(pixels: NDArray[np.uint8], rows: Rows | None = None) -> Duplicates:
    """Find groups of duplicates.

    Time is almost linear in N: 60,000 images of 32 x 32 take seconds.

    Args:
        pixels: (M, C, H, W) uint8, an array or a memory map.
        rows: (N,) the images to compare, such as `Store.readable`; None: all. Results are indices into `rows`.
    """
    rows = np.arange(len(pixels)) if rows is None else rows
    firsts = first_equal(pixels, rows)
    unique = firsts == np.arange(len(firsts))
    representatives = np.flatnonzero(unique)
    first, second, agreement = _near_duplicates(pixels, rows[representatives])
    pairs = [(int(firsts[i]), int(i), 0.0) for i in np.flatnonzero(~unique)]
    pairs += [
        (int(i), int(j), 1 - float(a))
        for i, j, a in zip(representatives[first], representatives[second], agreement, strict=True)
    ]
    return Duplicates(merge_pairs(len(firsts), pairs), tuple(sorted(pairs)))


def detail_threshold(pixels: NDArray[np.uint8], rows: Rows) -> float:
    """The correlation of detail from which two of these images are duplicates.

    The share 2 / N of pairs with the highest agreement is excluded (they may be duplicates), as are pairs beyond a gap
    (many copies of few images). The remaining pairs count as different; their largest correlation, as Fisher z, is
    extrapolated with a normal distribution to 0.001 false pairs among all N (N - 1) / 2. MNIST gives 0.98, CIFAR-10
    0.62, larger photographs the minimum, 0.6.
    """
    count = len(rows)
    some = np.random.default_rng(0).permutation(rows)[:_SAMPLE]
    detail = _detail(pixels, some)
    agreement = (detail @ detail.T)[np.triu_indices(len(some), 1)]
    score = np.arctanh(np.clip(np.sort(agreement), 0, 0.999999))
    tail = min(2 / count, 0.05)
    bound = np.quantile(score, 1 - tail)
    high = score[int(0.9 * len(score)) :]
    beyond = np.flatnonzero(np.diff(high) > _GAP)
    if len(beyond):
        bound = min(bound, high[beyond[0]])
    stretch = NormalDist().inv_cdf(1 - 2 * _FALSE / count**2) / NormalDist().inv_cdf(1 - tail)
    return max(_SAME_DETAIL, float(np.tanh(stretch * bound)))


def first_equal(pixels: NDArray[Any], rows: Rows) -> Rows:
    """(N,) the first index in `rows` with the same values."""
    firsts: dict[bytes, int] = {}
    digests = (hashlib.blake2b(pixels[row].tobytes(), digest_size=16).digest() for row in rows)
    return np.array([firsts.setdefault(digest, i) for i, digest in enumerate(digests)], np.int64)


def equal_only(stored: NDArray[Any], rows: Rows) -> Duplicates:
    """Groups of rows with equal values, of any shape."""
    firsts = first_equal(stored, rows)
    repeated = np.flatnonzero(firsts != np.arange(len(firsts)))
    pairs = [(int(firsts[i]), int(i), 0.0) for i in repeated]
    return Duplicates(merge_pairs(len(firsts), pairs), tuple(pairs))


def _near_duplicates(pixels: NDArray[np.uint8], rows: Rows) -> tuple[Rows, Rows, Floats]:
    """Pairs of indices in `rows` that are duplicates, and the correlation of their detail."""
    if len(rows) < 2:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32)
    gist = np.concatenate([_gist(pixels[rows[i : i + _CHUNK]]) for i in range(0, len(rows), _CHUNK)])
    first, second = _candidates(np.concatenate([_flipped(gist, (_LOW, _LOW), axis) for axis in _FLIPS]))
    flip, second = np.divmod(second, len(gist))
    kept = first < second  # of the others, both are flipped, or they are the same pair
    first, second, flip = first[kept], second[kept], flip[kept]
    threshold = detail_threshold(pixels, rows) if len(first) else 1.0
    agreement = np.zeros(len(first), np.float32)
    for start in range(0, len(first), _PAIRS):
        block = slice(start, start + _PAIRS)
        agreement[block] = _agreement(pixels, rows, (first[block], second[block], flip[block]))
    same = np.flatnonzero((agreement >= threshold) & ((flip == 0) | (threshold <= _MOST_ALIKE)))
    mirrored = same[flip[same] > 0]
    clipped = _agreement(pixels, rows, (first[mirrored], second[mirrored], flip[mirrored]), _CLIP)
    same = np.concatenate([same[flip[same] == 0], mirrored[clipped >= _SAME_DETAIL]])
    same = same[np.unique(first[same] * len(gist) + second[same], return_index=True)[1]]
    return first[same], second[same], agreement[same]


def _agreement(pixels: NDArray[np.uint8], rows: Rows, pairs: tuple[Rows, Rows, Rows], clip: float = np.inf) -> Floats:
    """The correlation of detail of pairs: the first image with the second, flipped."""
    first, second, flip = pairs
    if not len(first):
        return np.zeros(0, np.float32)
    needed, place = np.unique(np.stack([first, second]), return_inverse=True)
    detail, place = _detail(pixels, rows[needed], clip), place.reshape(2, -1)
    found = np.zeros(len(first), np.float32)
    shape = tuple(min(_SIDE, length) for length in pixels.shape[2:])
    for number, axis in enumerate(_FLIPS):
        chosen = np.flatnonzero(flip == number)
        other = detail[place[1, chosen]].reshape(len(chosen), pixels.shape[1], *shape)
        turned = (other if axis is None else np.flip(other, axis)).reshape(len(chosen), detail.shape[1])
        found[chosen] = np.einsum("ij,ij->i", detail[place[0, chosen]], turned)
    return found


def _flipped(gist: Floats, shape: tuple[int, int], axis: int | None) -> Floats:
    """The cosine coefficients of the flipped images: the odd ones along the axis change their sign."""
    if axis is None:
        return gist
    signs = 1.0 - 2.0 * (np.arange(shape[axis - 2]) % 2)
    along = signs[:, None] if axis == 2 else signs[None]
    return (gist.reshape(-1, *shape) * along).reshape(gist.shape).astype(np.float32)


def _candidates(gist: Floats) -> tuple[Rows, Rows]:
    """Pairs that share a band of the hash and whose low frequencies agree, as indices into `gist` (M, 64)."""
    code = np.packbits(gist > np.median(gist[:, 1:], axis=1, keepdims=True), axis=1).view(np.uint64)[:, 0]
    # Buckets of some 256: eight bands for up to 65,536 images, fewer and longer ones beyond.
    width = max(8, int(np.ceil(np.log2(len(gist) / 256))))
    found = [np.zeros(0, np.int64)]
    for band in range(64 // width):
        key = (code >> np.uint64(band * width)) & np.uint64(2**width - 1)
        for bucket in _buckets(key):
            found += [i * len(gist) + j for i, j in _agreeing_pairs(gist, bucket)]
    both = np.unique(np.concatenate(found))
    return both // len(gist), both % len(gist)


def _buckets(key: NDArray[np.uint64]) -> list[Rows]:
    order = np.argsort(key, kind="stable")
    buckets = np.split(order, np.flatnonzero(np.diff(key[order])) + 1)
    return [bucket for bucket in buckets if len(bucket) > 1]


def _agreeing_pairs(gist: Floats, bucket: Rows) -> Iterator[tuple[Rows, Rows]]:
    for start in range(0, len(bucket), _CHUNK):
        agreement = np.triu(gist[bucket[start : start + _CHUNK]] @ gist[bucket[start:]].T, 1)
        least = np.full(len(agreement), _SAME_GIST, np.float32)
        many = np.flatnonzero((agreement >= _SAME_GIST).sum(1) > _MOST)
        if len(many):
            least[many] = np.partition(agreement[many], -_MOST, axis=1)[:, -_MOST]
        i, j = np.nonzero(agreement >= least[:, None])
        yield bucket[start + i], bucket[start + j]  # in order, because the sort is stable


def _gist(pixels: NDArray[np.uint8]) -> Floats:
    """(B, 64) low cosine coefficients of the grey images without the mean, normalised to length 1."""
    weights = np.array([0.299, 0.587, 0.114]) if pixels.shape[1] == 3 else np.full(pixels.shape[1], 1 / pixels.shape[1])
    grey = np.tensordot(weights.astype(np.float32), pixels.astype(np.float32), axes=(0, 1))
    low = (_cosines(grey.shape[1]) @ grey @ _cosines(grey.shape[2]).T).reshape(len(grey), -1)
    low[:, 0] = 0
    return _unit(low)


def _detail(pixels: NDArray[np.uint8], rows: Rows, clip: float = np.inf) -> Floats:
    """(B, C * h * w) the image minus its 5 x 5 blur, resized to 32 pixels a side; clipped, then of length 1."""
    parts: list[Floats] = []
    for start in range(0, len(rows), _CHUNK):
        some = pixels[rows[start : start + _CHUNK]].astype(np.float32)
        small = _area(some.shape[2]) @ some @ _area(some.shape[3]).T
        blurred = _blur(small.shape[2]) @ small @ _blur(small.shape[3]).T
        parts.append(_unit(np.clip(small - blurred, -clip, clip).reshape(len(some), -1)))
    return np.concatenate(parts)


def _unit(values: NDArray[np.floating]) -> Floats:
    """Rows normalised to length 1; rows of norm <= 1e-3 become 0."""
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    unit: Floats = np.divide(values, lengths, out=np.zeros(values.shape, np.float32), where=lengths > 1e-3)
    return unit


@cache
def _area(length: int) -> Floats:
    """(side, length) matrix that averages equal intervals; side is 32, or the length if that is less."""
    side = min(_SIDE, length)
    edges = np.linspace(0, length, side + 1)
    pixel = np.arange(length)
    overlap = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
    share: Floats = (np.clip(overlap, 0, None) * side / length).astype(np.float32)
    return share


@cache
def _cosines(length: int) -> Floats:
    """(8, length) the low rows of the cosine transform (DCT-II, of orthonormal rows) of the resized side."""
    small = _area(length)
    side, rows = len(small), np.arange(min(_LOW, len(small)))[:, None]
    waves = np.sqrt((1 + (rows > 0)) / side) * np.cos(np.pi * rows * (np.arange(side) + 0.5) / side)
    low = np.zeros((_LOW, length), np.float32)
    low[: len(waves)] = waves.astype(np.float32) @ small
    return low


@cache
def _blur(side: int) -> Floats:
    """(side, side) matrix that averages 5 neighbours, with reflected borders."""
    matrix = np.zeros((side, side), np.float32)
    for offset in range(-2, 3):
        place = (np.arange(side) + offset) % (2 * side)
        np.add.at(matrix, (np.arange(side), np.minimum(place, 2 * side - 1 - place)), np.float32(0.2))
    return matrix


def merge_pairs(count: int, pairs: list[tuple[int, int, float]]) -> Rows:
    """(N,) the groups that pairs of duplicates form: the index of the first of each group."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    first, second = ([pair[k] for pair in pairs] for k in (0, 1))
    graph = coo_array((np.ones(len(pairs), bool), (first, second)), shape=(count, count))
    labels = connected_components(graph, directed=False)[1]
    _, start = np.unique(labels, return_index=True)
    groups: Rows = start[labels].astype(np.int64)
    return groups
