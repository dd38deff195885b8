"""Images of the run as PNG: network inputs, thumbnails, sprites, and original files."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image
from torch import Tensor

from convscope.analysis.layout import sized, squared
from convscope.analysis.target import ImageSet
from convscope.datasets import shown_channels
from convscope.explainers import tile
from convscope.explorer.backend.live_run import LiveRun
from convscope.runs.loaders import open_source
from convscope.runs.thumbnails import picture
from convscope.web.errors import NotFoundError

COLUMNS = 32  # thumbnails per row of a sprite
MAX_THUMBNAILS = 2048  # in a sprite
MAX_SIDE = 1024  # pixels of an original's longer side


def as_png(pixels: np.ndarray) -> bytes:
    """Encode (H, W), (H, W, 3) or (H, W, 4) uint8 pixels as PNG."""
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG", compress_level=1)
    return content.getvalue()


def shown_pixels(pixels: Tensor, shown: tuple[int, ...] = ()) -> np.ndarray:
    """Return pixels (C, H, W) in [0, 1] as (H, W, 3) uint8: the channels `shown`, see `datasets.shown_channels`."""
    return tile(shown_channels(pixels.numpy(), shown))


def thumbnail(pixels: Tensor, side: int, shown: tuple[int, ...] = ()) -> np.ndarray:
    """Return a thumbnail whose longer side is `side` pixels."""
    return sized(shown_pixels(pixels, shown), side)


def sprite(images: ImageSet, indices: Sequence[int], side: int, shown: tuple[int, ...] = ()) -> np.ndarray:
    """Return square thumbnails in one image, 32 per row, in the order of the indices.

    Raises:
        NotFoundError: an index out of range, or too many indices.
    """
    if not indices or max(indices) >= len(images) or min(indices) < 0 or len(indices) > MAX_THUMBNAILS:
        raise NotFoundError(f"ids: give 1 to {MAX_THUMBNAILS} numbers from 0 to {len(images) - 1}, separated by commas")
    rows = -(-len(indices) // COLUMNS)
    sheet = np.full((rows * side, min(COLUMNS, len(indices)) * side, 3), 255, np.uint8)
    pixels = images.select(list(indices)).pixels()
    for number, one in enumerate(pixels):
        top, left = number // COLUMNS * side, number % COLUMNS * side
        sheet[top : top + side, left : left + side] = squared(shown_pixels(one, shown), side)
    return sheet


def original_image(run: LiveRun, name: str) -> Image.Image:
    """Return the original image with its EXIF orientation applied, at most 1024 pixels on the longer side."""
    recipe = run.folder.recipe()
    dataset = open_source(recipe.data, run.folder.data().get("target_kind"), recipe.input)
    if name not in dataset.names:
        raise NotFoundError(f"image {name}: no longer in {dataset.source}; restore it")
    return picture(dataset, dataset.names.index(name), most=MAX_SIDE)
