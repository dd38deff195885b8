"""Simple cues of images, from which a label should not be predictable."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from convscope.diagnosis.data.view import DataView

Cue = NDArray[np.float32]
CHUNK = 1024
EDGE = 8  # the border is an eighth of the shorter side, and a corner an eighth of both


def pixel_cues(view: DataView, rows: NDArray[np.int64]) -> dict[str, Cue]:
    """Return (M, F) figures of each cue that is in the decoded pixels, in [0, 1]."""
    parts: dict[str, list[NDArray[np.float64]]] = {name: [] for name in PIXEL_CUES}
    for start in range(0, len(rows), CHUNK):
        pixels = view.pixels(rows[start : start + CHUNK]).astype(np.float64) / 255
        for name, cue in PIXEL_CUES.items():
            parts[name].append(cue(pixels).reshape(len(pixels), -1))
    return {name: np.concatenate(values).astype(np.float32) for name, values in parts.items()}


def file_cues(view: DataView, rows: NDArray[np.int64]) -> dict[str, Cue]:
    """Return (M, F) figures of each cue that is in the files: size, aspect ratio, bytes per pixel; the logarithms."""
    sizes = view.dataset.sizes[rows].astype(np.float64)
    found = {
        "image size": np.log(np.maximum(sizes, 1)),
        "aspect ratio": np.log(np.maximum(sizes[:, :1], 1) / np.maximum(sizes[:, 1:], 1)),
    }
    images = view.dataset.images
    if isinstance(images, tuple):
        bytes_of = np.array([_bytes(images[i]) for i in rows], np.float64)[:, None]
        found["bytes per pixel"] = np.log(np.maximum(bytes_of, 1) / np.maximum(sizes.prod(1, keepdims=True), 1))
    return {name: values.astype(np.float32) for name, values in found.items() if np.ptp(values, axis=0).max() > 1e-9}


def _bytes(path: object) -> int:
    try:
        return int(path.stat().st_size)  # type: ignore[attr-defined]
    except OSError:
        return 0


def _brightness(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(x.mean((1, 2, 3)))


def _contrast(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(x.mean(1).std((1, 2)))


def _colour(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of each channel relative to their mean, without brightness."""
    means = x.mean((2, 3))
    return np.asarray(means - means.mean(1, keepdims=True))


def _sharpness(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The logarithm of the mean absolute difference of neighbours, relative to the contrast."""
    grey = x.mean(1)
    steps = np.abs(np.diff(grey, axis=1)).mean((1, 2)) + np.abs(np.diff(grey, axis=2)).mean((1, 2))
    return np.asarray(np.log(steps + 1e-4) - np.log(grey.std((1, 2)) + 1e-4))


def _border(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of each channel in the outermost ring, and its standard deviation."""
    width = max(1, min(x.shape[2:]) // (2 * EDGE))
    ring = np.ones(x.shape[2:], bool)
    ring[width:-width, width:-width] = False
    values = x[:, :, ring]
    inside = x.mean((2, 3))
    return np.concatenate([values.mean(2) - inside, values.std(2)], axis=1)


def _background(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean and deviation of each channel in what remains of each quarter without the middle of the image."""
    height, width = x.shape[2:]
    outside, parts = without_middle((height, width)), []
    for rows in (slice(height // 2), slice(height // 2, None)):
        for columns in (slice(width // 2), slice(width // 2, None)):
            values = x[:, :, rows, columns][:, :, outside[rows, columns]]
            parts += [values.mean(2), values.std(2)]
    return np.concatenate(parts, axis=1)


def without_middle(size: tuple[int, ...]) -> NDArray[np.bool_]:
    """(H, W) whether a pixel is outside the middle half of both sides."""
    outside = np.ones(size, bool)
    outside[size[0] // 4 : size[0] - size[0] // 4, size[1] // 4 : size[1] - size[1] // 4] = False
    return outside


def _corner_mark(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of each corner relative to the mean of the ring of the image's outer quarter."""
    h, w = (max(1, side // EDGE) for side in x.shape[2:])
    corners = [x[:, :, a, b].mean((2, 3)) for a in (slice(h), slice(-h, None)) for b in (slice(w), slice(-w, None))]
    return np.concatenate([corner - np.median(corners, axis=0) for corner in corners], axis=1)


PIXEL_CUES: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "brightness": _brightness,
    "contrast": _contrast,
    "colour": _colour,
    "sharpness": _sharpness,
    "border": _border,
    "corner mark": _corner_mark,
    "background": _background,
}
OF_PLACES = ("border", "corner mark", "background", "sharpness")
"""The cues that need images in which the objects do not fill every part."""
