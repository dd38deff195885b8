"""Draw a series as lines."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

WIDTH, HEIGHT = 160, 80
SHOWN = 6
"""Channels that are drawn, the first ones."""
COLORS = ((31, 119, 180), (255, 127, 14), (44, 160, 44), (214, 39, 40), (148, 103, 189), (140, 86, 75))
_MARGIN = 4


def draw_lines(values: NDArray[Any], size: tuple[int, int] = (HEIGHT, WIDTH)) -> NDArray[np.uint8]:
    """(H, W, 3) lines over time on white, one colour per channel; the first `SHOWN` channels, in one common range.

    Args:
        values: (C, L) numbers; missing ones (NaN) leave a gap.
        size: (H, W) of the result.
    """
    height, width = size
    image = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(image)
    shown = np.asarray(values, np.float64)[:SHOWN]
    known = shown[np.isfinite(shown)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    span = high - low or 1.0
    across = np.linspace(_MARGIN, width - 1 - _MARGIN, shown.shape[1]) if shown.shape[1] > 1 else [width / 2]
    for channel, color in zip(shown, COLORS, strict=False):
        down = height - 1 - _MARGIN - (channel - low) / span * (height - 1 - 2 * _MARGIN)
        for part in _unbroken(channel):
            points = [(float(across[i]), float(down[i])) for i in part]
            (draw.line if len(points) > 1 else draw.point)(points, fill=color)
    return np.asarray(image)


def _unbroken(channel: NDArray[Any]) -> list[NDArray[np.int64]]:
    """The runs of positions with finite values."""
    known = np.flatnonzero(np.isfinite(channel))
    return [part for part in np.split(known, np.flatnonzero(np.diff(known) > 1) + 1) if len(part)]
