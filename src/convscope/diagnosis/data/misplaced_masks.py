"""Masks that do not lie on the edges of the objects: mirrored, turned, shifted or scaled."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from convscope.diagnosis.data.view import DataView
from convscope.diagnosis.finding import Change, Finding, per_cent

MOST_IMAGES = 400
LEAST_IMAGES = 20
LEAST_INSIDE = 0.6  # of an outline that a change leaves inside the image
LEAST_GAIN = 0.05  # of the mean rank of the edges under the outlines
LEAST_Z = 5.0  # of that gain over the images
SHOWN = 12

Points = NDArray[np.float64]  # (P, 2) positions y, x of an outline, in [0, 1]
WAYS = (("left", 0, 1), ("right", 0, -1), ("up", 1, 0), ("down", -1, 0))


def _shift(down: float, right: float) -> Callable[[Points], Points]:
    return lambda points: np.asarray(points + np.array([down, right]))


MOTIONS: dict[str, Callable[[Points], Points]] = {
    "mirrored left to right": lambda p: p * [1, -1] + [0, 1],
    "mirrored top to bottom": lambda p: p * [-1, 1] + [1, 0],
    "turned by 180 degrees": lambda p: 1 - p,
    "stored with x and y exchanged": lambda p: p[:, ::-1],
    "half as large as the image": lambda p: p * 2,
    "twice as large as the image": lambda p: p / 2,
    **{f"shifted {way} by {100 * far:.0f} %": _shift(y * far, x * far) for far in (0.06, 0.12) for way, y, x in WAYS},
}
"""What is wrong with the masks, and the change that undoes it."""


def misplaced_masks(view: DataView) -> Finding | None:
    """Find masks whose outlines lie on stronger edges once they are mirrored, turned, shifted or scaled.

    An edge is ranked among all pixels of its image. The gain of a change is the mean over images of the difference of
    the mean ranks under the outline, with and without it; it counts where it is large and far above its standard error.
    """
    sample = _sample(view)
    if sample is None:
        return None
    rows, pixels, masks = sample
    gains = _gains(pixels, masks)
    known = {name: gain[np.isfinite(gain)] for name, gain in gains.items()}
    means = {name: float(gain.mean()) for name, gain in known.items() if _is_certain(gain)}
    if not means:
        return None
    name = max(means, key=lambda one: means[one])
    which = np.argsort(-np.nan_to_num(gains[name], nan=-1))[:SHOWN]
    return Finding(
        "misplaced_masks", 0.9, view.dataset.target_kind,
        f"the masks seem {name}: changed back, their outlines lie on stronger edges in "
        f"{per_cent(float((known[name] > 0).mean()))} of {len(known[name]):,} images",
        means[name], LEAST_GAIN,
        Change("draw some of the images with their masks, and correct what writes the masks"),
        images=tuple(view.names[rows[i]] for i in which),
    )  # fmt: skip


def _is_certain(gain: NDArray[np.float64]) -> bool:
    if len(gain) < LEAST_IMAGES or gain.mean() < LEAST_GAIN:
        return False
    return bool(gain.mean() > LEAST_Z * gain.std(ddof=1) / len(gain) ** 0.5)


def _sample(view: DataView) -> tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.uint8]] | None:
    """Return rows of the data set, and their images and masks; None where the data have no masks."""
    if (
        not view.dataset.kind.has_masks
    ):  # boxes touch their objects in few places, so that the edges under them say little
        return None
    rows = np.sort(np.random.default_rng(0).permutation(len(view))[:MOST_IMAGES])
    if len(rows) < LEAST_IMAGES:
        return None
    pixels = view.pixels(rows)
    targets = view.prepared.targets()[view.prepared.store_index[rows]]
    masks = view.dataset.kind.object_masks(targets, np.arange(len(rows)), pixels.shape[2:])
    return None if masks is None else (rows, pixels, masks)


def _gains(pixels: NDArray[np.uint8], masks: NDArray[np.uint8]) -> dict[str, NDArray[np.float64]]:
    """Return (M,) for each motion what it adds to the mean rank of the edges; nan where it cannot be judged."""
    found = {name: np.full(len(pixels), np.nan) for name in MOTIONS}
    for i, (image, mask) in enumerate(zip(pixels, masks, strict=True)):
        points, ranks = _outline(mask), _edge_ranks(image)
        if len(points):
            start = _mean_rank(ranks, points)
            for name, motion in MOTIONS.items():
                found[name][i] = _mean_rank(ranks, motion(points)) - start
    return found


def _outline(mask: NDArray[np.uint8]) -> Points:
    """Return the positions between pixels of different value."""
    size = np.array(mask.shape)
    down = np.argwhere(mask[1:] != mask[:-1]) + np.array([1.0, 0.5])
    right = np.argwhere(mask[:, 1:] != mask[:, :-1]) + np.array([0.5, 1.0])
    return np.asarray(np.concatenate([down, right]) / size)


def _edge_ranks(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return (H, W) the share of the image's pixels with a weaker edge."""
    grey = image.astype(np.float64).mean(0)
    strength = np.hypot(*np.gradient(grey))
    ranks = np.empty(strength.size)
    ranks[np.argsort(strength, axis=None, kind="stable")] = np.linspace(0, 1, strength.size)
    return ranks.reshape(strength.shape)


def _mean_rank(ranks: NDArray[np.float64], points: Points) -> float:
    inside = points[((points >= 0) & (points < 1)).all(1)]
    if len(inside) < LEAST_INSIDE * len(points):
        return np.nan
    y, x = (inside * ranks.shape).astype(int).T
    return float(ranks[y, x].mean())
