"""Boxes and masks drawn on pictures, enlarged where those are small."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Pixels = NDArray[np.uint8]

LEAST = 192  # pixels of the longer side of a picture that is drawn on
PLAIN_LEAST = 96  # of one on which nothing is drawn
TRUTH, ANSWER = (255, 255, 255), (255, 64, 64)
COLORS = np.array(
    [
        *[(0, 0, 0), (230, 85, 75), (70, 130, 230), (60, 175, 95), (245, 190, 50), (160, 95, 215)],
        *[(30, 190, 200), (240, 125, 35), (235, 120, 180), (140, 160, 60), (120, 120, 125)],
    ],
    np.uint8,
)
"""Of classes in a mask, the first (nothing) undrawn; after the last they begin again at the second."""


def enlarged(pixels: Pixels, least: int = LEAST) -> tuple[Pixels, int]:
    """The picture with every pixel as a square, so that its longer side has `least` pixels or more, and that factor."""
    factor = max(1, -(-least // max(pixels.shape[:2])))
    return pixels.repeat(factor, 0).repeat(factor, 1), factor


def with_boxes(pixels: Pixels, boxes: Sequence[tuple[Sequence[float], tuple[int, int, int]]]) -> Pixels:
    """(H, W, 3) picture with xyxy boxes in their colours, each with a dark edge so that it shows on any ground."""
    large, factor = enlarged(pixels)
    image = Image.fromarray(large)
    pen = ImageDraw.Draw(image)
    for box, colour in boxes:
        x1, y1, x2, y2 = (factor * side for side in box)
        corners = (min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))
        pen.rectangle(corners, outline=(0, 0, 0), width=4)
        pen.rectangle(corners, outline=colour, width=2)
    return np.asarray(image)


def with_mask(pixels: Pixels, mask: Pixels, truth: Pixels | None = None) -> Pixels:
    """(H, W, 3) picture tinted by the classes (H, W) of a mask, class 0 untinted; white lines: the truth's borders."""
    large, factor = enlarged(pixels)
    kinds = mask.repeat(factor, 0).repeat(factor, 1)
    colour = colors_of(kinds)
    tinted = np.where((kinds > 0)[..., None], 0.45 * large + 0.55 * colour, large)
    if truth is not None:
        tinted[borders(truth.repeat(factor, 0).repeat(factor, 1))] = TRUTH
    return np.rint(tinted).astype(np.uint8)


def colors_of(kinds: NDArray[np.integer]) -> Pixels:
    """(..., 3) colours of classes."""
    rest = len(COLORS) - 1
    place = np.where(kinds == 0, 0, (kinds.astype(np.int64) - 1) % rest + 1)
    found: Pixels = COLORS[place]
    return found


def borders(mask: NDArray[np.integer]) -> NDArray[np.bool_]:
    """(H, W) pixels whose right or lower neighbour is of another class."""
    edge = np.zeros(mask.shape, bool)
    edge[:, :-1] |= mask[:, :-1] != mask[:, 1:]
    edge[:-1] |= mask[:-1] != mask[1:]
    return edge
