"""A run's images as people see them."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from convscope.data import Dataset, fit, read_image
from convscope.run.folder import RunFolder
from convscope.run.prepare import open_source

SIDE = 160  # pixels of the longer side, enough for a report's grid


def pictures(folder: RunFolder, names: Sequence[str], framed: bool = False) -> list[Image.Image]:
    """The images of these names: whole, at most 160 pixels on the longer side; or `framed`: as the network saw them."""
    if not names:
        return []
    recipe = folder.recipe()
    found = open_source(recipe.data, folder.data().get("kind"))
    row = {name: i for i, name in enumerate(found.names)}
    return [picture(found, row[name], recipe.data.size if framed else None) for name in names]


def picture(found: Dataset, row: int, size: tuple[int, int] | None = None, most: int = SIDE) -> Image.Image:
    """One image of a data set, upright, in grey or RGB; cut and brought to `size` where one is given, else small."""
    images = found.images
    pixels = (
        images[row].transpose(2, 0, 1)
        if isinstance(images, np.ndarray)
        else read_image(images[row], found.channels, white=found.white)
    )
    image = Image.fromarray(pixels[0] if len(pixels) == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0)))
    if size is not None:
        return fit(image, size)
    image.thumbnail((most, most))
    return image
