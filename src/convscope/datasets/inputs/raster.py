"""Pixels of an opened file, strip by strip, so that a large image never exists twice in memory."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convscope.datasets.inputs.opening import has_high_bit_depth
from convscope.datasets.inputs.values import to_bytes

LARGE = 2**24
"""Pixels from which an image is reduced while it is read, as the JPEG decoder does for images of any size."""
WHITE = 255
_STRIP = 2**21  # values of a strip
_COMPOSITED = ("LA", "La", "PA", "RGBA", "RGBa")
_AS_STORED = {4: ("RGBA",), 2: ("LA",)}  # modes whose last channel may be other than transparency, by channels


class Raster(Protocol):
    """Rows of an image as stored, of any real type."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """(H, W, C)."""

    def rows(self, top: int, bottom: int) -> NDArray[Any]:
        """(bottom - top, W, C) values."""


class ArrayRaster:
    """An array (H, W, C), which may be mapped from a file; `channels` as in `converted`."""

    def __init__(self, values: NDArray[Any], channels: int) -> None:
        self.values, self.channels = values, channels
        self.shape = (values.shape[0], values.shape[1], channels)

    def rows(self, top: int, bottom: int) -> NDArray[Any]:
        """(bottom - top, W, channels) values."""
        return converted(np.asarray(self.values[top:bottom]), self.channels)


class PillowRaster:
    """An image that Pillow has loaded, as `channels` channels.

    Args:
        image: the image.
        channels: see `ImageSpec`.
        alpha: whether a fourth channel of RGBA, or the second of LA, is transparency.
        background: the grey behind transparent pixels, 0 to 255.
    """

    def __init__(self, image: Image.Image, channels: int, alpha: bool, background: int = WHITE) -> None:
        self.image, self.channels, self.alpha, self.background = image, channels, alpha, background
        self.shape = (image.height, image.width, channels)

    def rows(self, top: int, bottom: int) -> NDArray[Any]:
        """(bottom - top, W, channels) values."""
        whole = top == 0 and bottom == self.image.height
        strip = self.image if whole else self.image.crop((0, top, self.image.width, bottom))
        values = np.asarray(self._converted(strip))
        return values if values.ndim == 3 else values[..., None].repeat(self.channels, -1)

    def _converted(self, strip: Image.Image) -> Image.Image:
        if has_high_bit_depth(strip.mode) or strip.mode in _AS_STORED.get(self.channels, ()):
            return strip
        if not self.alpha and strip.mode in ("RGBA", "LA"):
            strip = strip.convert("RGB" if strip.mode == "RGBA" else "L")  # drops the last channel
        elif strip.mode in _COMPOSITED or "transparency" in strip.info:
            rgba = strip.convert("RGBA")
            strip = Image.alpha_composite(Image.new("RGBA", rgba.size, (*[self.background] * 3, WHITE)), rgba)
        mode = "L" if self.channels == 1 else "RGB"
        return strip if strip.mode == mode else strip.convert(mode)


def channels_of(mode: str, wanted: int) -> int:
    """Channels of a Pillow mode: 1 or 3, or `wanted` if the mode has as many with its transparency."""
    if mode in _AS_STORED.get(wanted, ()):
        return wanted
    return 1 if has_high_bit_depth(mode) or mode in ("1", "L", "LA", "La") else 3


def channels_error(stored: int, channels: int) -> str:
    """Why `stored` channels cannot become `channels`; empty if they can: grey and colour become each other."""
    if stored == channels or (stored in (1, 3) and channels in (1, 3)):
        return ""
    has = f"has {stored} channel{'' if stored == 1 else 's'}, not {channels}"
    return f"{has}; give a file of {channels}, or train with data.channels {stored}"


def converted(values: NDArray[Any], channels: int) -> NDArray[Any]:
    """(H, W, `channels`) of an array whose channels have no `channels_error`."""
    stored = values.shape[-1]
    if stored == channels:
        return values
    if stored == 1:
        return values.repeat(channels, -1)
    grey: NDArray[np.float64] = values.astype(np.float64) @ np.array([0.299, 0.587, 0.114])
    rounded: NDArray[Any] = (np.rint(grey) if values.dtype.kind in "ui" else grey).astype(values.dtype)
    return rounded[..., None]


def gather(raster: Raster, ends: tuple[tuple[float, ...], tuple[float, ...]], by: int = 1) -> NDArray[np.uint8]:
    """All pixels (H, W, C) of a raster as bytes, averaged over blocks of `by` x `by`; `ends` are black and white."""
    height, width, channels = raster.shape
    if by == 1 and height * width <= LARGE:
        return to_bytes(raster.rows(0, height), *ends)
    # channels first in memory: the network's order, which then needs no copy
    found = np.empty((channels, -(-height // by), -(-width // by)), np.uint8).transpose(1, 2, 0)
    step = max(8, _STRIP // (width * channels) // 8 * 8)  # a multiple of every reduction factor
    for top in range(0, height, step):
        strip = to_bytes(raster.rows(top, min(top + step, height)), *ends)
        found[top // by : -(-min(top + step, height) // by)] = strip if by == 1 else _reduced(strip, by)
    return found


def _reduced(strip: NDArray[np.uint8], by: int) -> NDArray[np.uint8]:
    """Means of blocks, rounded; blocks at the end have fewer pixels."""
    total = _sums(_sums(strip, by).swapaxes(0, 1), by).swapaxes(0, 1)
    sides = [np.minimum(by, side - np.arange(0, side, by)) for side in strip.shape[:2]]
    count = np.multiply.outer(*sides).astype(np.float32)
    found: NDArray[np.uint8] = np.rint(total / count[..., None]).astype(np.uint8)
    return found


def _sums(values: NDArray[Any], by: int) -> NDArray[np.uint16]:
    """Sums of `by` rows each, of which the last may be fewer; those of 8 x 8 bytes fit."""
    total = values[::by].astype(np.uint16)
    for first in range(1, by):
        part = values[first::by]
        total[: len(part)] += part
    return total
