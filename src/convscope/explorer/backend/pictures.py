"""Images of the run as PNG: as the network takes them, small, many in one, and as their files are."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image
from torch import Tensor

from convscope.analysis.layout import sized, squared
from convscope.analysis.target import ImageSet
from convscope.explainers import tile
from convscope.explorer.backend.errors import NotFoundError
from convscope.explorer.backend.live_run import LiveRun
from convscope.runs.loaders import open_source
from convscope.runs.thumbnails import picture

ACROSS = 32  # thumbnails in a row of a sprite
MOST = 2048  # thumbnails in a sprite
LARGEST = 1024  # pixels of an original's longer side


def as_png(pixels: np.ndarray) -> bytes:
    """(H, W), (H, W, 3) or (H, W, 4) uint8 as a file."""
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG", compress_level=1)
    return content.getvalue()


def shown_pixels(pixels: Tensor) -> np.ndarray:
    """(C, H, W) in [0, 1] as (H, W, 3); of other than 1 or 3 channels, the mean."""
    values = pixels.numpy()
    return tile(values if len(values) in (1, 3) else values.mean(0, keepdims=True))


def thumbnail(pixels: Tensor, side: int) -> np.ndarray:
    """The longer side at `side` pixels."""
    return sized(shown_pixels(pixels), side)


def sprite(images: ImageSet, places: Sequence[int], side: int) -> np.ndarray:
    """Square thumbnails, 32 in a row, in the order of the places.

    Raises:
        UnknownError: a place that the set has not.
    """
    if not places or max(places) >= len(images) or min(places) < 0 or len(places) > MOST:
        raise NotFoundError(f"ids: give 1 to {MOST} numbers from 0 to {len(images) - 1}, separated by commas")
    rows = -(-len(places) // ACROSS)
    sheet = np.full((rows * side, min(ACROSS, len(places)) * side, 3), 255, np.uint8)
    pixels = images.select(list(places)).pixels()
    for number, one in enumerate(pixels):
        top, left = number // ACROSS * side, number % ACROSS * side
        sheet[top : top + side, left : left + side] = squared(shown_pixels(one), side)
    return sheet


def original_image(run: LiveRun, name: str) -> Image.Image:
    """An image of the run as its file is, upright, at most 1024 pixels on the longer side."""
    found = open_source(run.folder.recipe().data, run.folder.data().get("target_kind"))
    if name not in found.names:
        raise NotFoundError(f"image {name}: is no longer in {found.source}; put it back")
    return picture(found, found.names.index(name), most=LARGEST)
