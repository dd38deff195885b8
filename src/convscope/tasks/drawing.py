"""Boxes and masks drawn on images; small images are enlarged."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from convscope.predictions.masks import colors_of

Pixels = NDArray[np.uint8]

LEAST = 192  # pixels of the longer side of an image that is drawn on
PLAIN_LEAST = 96  # the same for images on which nothing is drawn
TARGET_COLOR, PREDICTION_COLOR = (255, 255, 255), (255, 64, 64)


def enlarged(pixels: Pixels, least: int = LEAST) -> tuple[Pixels, int]:
    """The image enlarged by an integer factor, so that its longer side has at least `least` pixels, and that factor."""
    factor = max(1, -(-least // max(pixels.shape[:2])))
    return pixels.repeat(factor, 0).repeat(factor, 1), factor


def with_boxes(pixels: Pixels, boxes: Sequence[tuple[Sequence[float], tuple[int, int, int]]]) -> Pixels:
    """(H, W, 3) image with xyxy boxes in their colours, each with a thin dark edge for contrast.

    The lines grow with the image, so that they keep their colour when it is shown smaller.
    """
    large, factor = enlarged(pixels)
    line = max(4, round(max(large.shape[:2]) / 48))
    image = Image.fromarray(large)
    canvas = ImageDraw.Draw(image)
    for box, colour in boxes:
        x1, y1, x2, y2 = (factor * side for side in box)
        corners = (min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))
        edge = (corners[0] - 1, corners[1] - 1, corners[2] + 1, corners[3] + 1)
        canvas.rectangle(edge, outline=(0, 0, 0), width=1)
        canvas.rectangle(corners, outline=colour, width=line)
    return np.asarray(image)


def with_mask(pixels: Pixels, mask: Pixels, target: Pixels | None = None) -> Pixels:
    """(H, W, 3) image tinted by the classes (H, W) of a mask, except class 0; white lines: borders of the true mask."""
    large, factor = enlarged(pixels)
    classes = mask.repeat(factor, 0).repeat(factor, 1)
    colour = colors_of(classes)
    tinted = np.where((classes > 0)[..., None], 0.45 * large + 0.55 * colour, large)
    if target is not None:
        tinted[borders(target.repeat(factor, 0).repeat(factor, 1))] = TARGET_COLOR
    return np.rint(tinted).astype(np.uint8)


def borders(mask: NDArray[np.integer]) -> NDArray[np.bool_]:
    """(H, W) whether the right or lower neighbour of a pixel has another class."""
    edge = np.zeros(mask.shape, bool)
    edge[:, :-1] |= mask[:, :-1] != mask[:, 1:]
    edge[:-1] |= mask[:-1] != mask[1:]
    return edge
