"""Make a cue equal in all images, so that a network cannot use it."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from convscope.diagnosis.data.cues import EDGE, without_middle

Images = NDArray[np.float64]  # (N, C, H, W), in [0, 255]


def equalised(pixels: NDArray[np.uint8], cue: str) -> NDArray[np.uint8]:
    """Return (N, C, H, W) images that do not differ in a cue of `EQUALISERS`, and else as little as can be."""
    changed = EQUALISERS[cue](pixels.astype(np.float64))
    return np.asarray(np.rint(changed).clip(0, 255), np.uint8)


def _brightness(x: Images) -> Images:
    means = x.mean((1, 2, 3), keepdims=True)
    return np.asarray(x + np.median(means) - means)


def _contrast(x: Images) -> Images:
    means = x.mean((1, 2, 3), keepdims=True)
    spreads = np.maximum(x.mean(1, keepdims=True).std((2, 3), keepdims=True), 1.0)
    return np.asarray(means + (x - means) * np.median(spreads) / spreads)


def _colour(x: Images) -> Images:
    means = x.mean((2, 3), keepdims=True)
    casts = means - means.mean(1, keepdims=True)
    return np.asarray(x + np.median(casts, axis=0) - casts)


def _border(x: Images) -> Images:
    width = max(1, min(x.shape[2:]) // EDGE)
    ring = np.ones(x.shape[2:], bool)
    ring[width:-width, width:-width] = False
    changed = x.copy()
    changed[:, :, ring] = x[:, :, ~ring].mean(2, keepdims=True)  # of each image: the cue is relative to its inside
    return changed


def _corner_mark(x: Images) -> Images:
    h, w = (max(1, side // (EDGE // 2)) for side in x.shape[2:])
    corners = np.zeros(x.shape[2:], bool)
    for rows in (slice(h), slice(-h, None)):
        for columns in (slice(w), slice(-w, None)):
            corners[rows, columns] = True
    return _filled(x, corners)


def _background(x: Images) -> Images:
    return _filled(x, without_middle(x.shape[2:]))


def _filled(x: Images, where: NDArray[np.bool_]) -> Images:
    """Fill a region with the mean colour of the rest of all images."""
    changed = x.copy()
    changed[:, :, where] = x[:, :, ~where].mean((0, 2))[None, :, None]
    return changed


EQUALISERS: dict[str, Callable[[Images], Images]] = {
    "brightness": _brightness,
    "contrast": _contrast,
    "colour": _colour,
    "border": _border,
    "corner mark": _corner_mark,
    "background": _background,
}
