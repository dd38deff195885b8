"""Thumbnails of a run's images."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from PIL import Image

from convscope.datasets import INPUT_KINDS, Dataset, decode, fit, shown_channels
from convscope.datasets.inputs.image_input import IMAGE
from convscope.runs.folder import RunFolder
from convscope.runs.loaders import open_source

SIDE = 160  # pixels of the longer side, enough for the grids of the report


class ThumbnailSource:
    """A run's images by name; the data set, unless given, is opened once, at the first use."""

    def __init__(self, folder: RunFolder, dataset: Dataset | None = None) -> None:
        self._recipe, self._kind, self._dataset = folder.recipe(), folder.data().get("target_kind"), dataset

    def __call__(self, names: Sequence[str], cropped: bool = False) -> list[Image.Image]:
        """Return the whole images, at most 160 pixels on the longer side; with `cropped`, the network's input."""
        size = self._recipe.data.size if cropped else None
        return [picture(self._found, self._rows[name], size) for name in names]

    @cached_property
    def _found(self) -> Dataset:
        return self._dataset or open_source(self._recipe.data, self._kind, self._recipe.input)

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self._found.names)}


def picture(found: Dataset, row: int, size: tuple[int, ...] | None = None, most: int = SIDE) -> Image.Image:
    """Return an image, upright, grey or RGB, cropped and resized to `size`, or else reduced to `most` pixels.

    Other inputs are drawn, see `InputPreprocessing.draw_row`.
    """
    images = found.images
    if found.input_kind != IMAGE:
        kind = INPUT_KINDS[found.input_kind]
        return Image.fromarray(kind.draw_row(found, row, size or tuple(found.sizes[row].tolist())))
    pixels = (
        images[row] if isinstance(images, np.ndarray) else decode(images[row], found.spec()).pixels.transpose(1, 2, 0)
    )
    if size is not None:
        pixels = fit(pixels, pixels.shape[:2], (size[0], size[1]), found.fit)
    pixels = shown_channels(pixels.transpose(2, 0, 1), found.shown_channels).transpose(1, 2, 0)
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else np.ascontiguousarray(pixels))
    if size is None:
        image.thumbnail((most, most))
    return image
