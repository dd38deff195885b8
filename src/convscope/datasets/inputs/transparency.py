"""Transparent pixels of RGBA files: whether the fourth channel is transparency, and what lies behind the picture."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image

from convscope.datasets.inputs.opening import open_image, quiet_pillow
from convscope.datasets.inputs.raster import WHITE
from convscope.datasets.store.resources import usable_cores
from convscope.errors import DataError

T = TypeVar("T")
SAMPLE = 64
"""Evenly spaced RGBA files that are read."""
_SIDE = 256  # they are read at most at this size
_NEAR = 16  # greys that cannot be told from white or black
_GREY = 128
_MOST = 0.5  # share of the files whose picture is white, from which on white is no background


def sampled(paths: Sequence[Path], look: Callable[[Path], T]) -> list[T]:
    """What `look` finds in evenly spaced files."""
    chosen = [paths[i] for i in np.unique(np.linspace(0, len(paths) - 1, min(SAMPLE, len(paths))).astype(int))]
    with quiet_pillow(), ThreadPoolExecutor(usable_cores(), "convscope-headers") as pool:
        return list(pool.map(look, chosen))


def extreme_share(path: Path) -> float | None:
    """The share of the fourth channel that is 0 or 255; None if the file cannot be read."""
    try:
        with open_image(path) as image:
            last = image.getchannel(3)
    except DataError:
        return None
    values = np.asarray(_small(last))
    return float(((values == 0) | (values == WHITE)).mean())


def find_background(paths: Sequence[Path]) -> int:
    """The grey behind transparent pixels, so that the picture is seen: white, unless most pictures are white.

    Then it is black, or grey if some pictures are black.
    """
    found = [grey for grey in sampled(paths, _picture) if grey is not None] if paths else []
    white = sum(low >= WHITE - _NEAR for low, _ in found)
    if not found or white <= _MOST * len(found):
        return WHITE
    return _GREY if any(high <= _NEAR for _, high in found) else 0


def _picture(path: Path) -> tuple[int, int] | None:
    """The lowest and highest value of the visible pixels of a file with invisible ones; None for other files."""
    try:
        with open_image(path) as image:
            values = np.asarray(_small(image.convert("RGBA")))
    except DataError:
        return None
    opaque = values[..., 3] >= _GREY
    if opaque.all() or not opaque.any():
        return None
    return int(values[opaque][:, :3].min()), int(values[opaque][:, :3].max())


def _small(image: Image.Image) -> Image.Image:
    if max(image.size) <= _SIDE:
        return image
    return image.resize((min(image.width, _SIDE), min(image.height, _SIDE)), Image.Resampling.NEAREST)
