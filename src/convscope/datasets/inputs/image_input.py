"""Image input: decoded to grey or RGB, cropped and resized, normalised per channel."""

from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator
from torch import Tensor, float32

from convscope.datasets.inputs.fitting import CROP, Fit, visible_window
from convscope.datasets.inputs.image import ImageSpec, decode
from convscope.datasets.inputs.kind import DecodedInput, InputPreprocessing
from convscope.datasets.inputs.values import FULL_WHITE


class ImagePreprocessing(InputPreprocessing, frozen=True, extra="forbid"):
    """Preprocessing of images: decode to `channels`, fit to `size`, normalise as (pixel / 255 - mean) / std.

    `black` and `white` are the values of deep images (more than 8 bits) that become 0 and 255, for all channels or for
    each; `alpha` says whether the fourth channel of RGBA is transparency; `fit` is described in `fitting.Fit`.
    """

    kind: Literal["image"] = "image"
    size: tuple[int, int]
    channels: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    white: tuple[float, ...] = (FULL_WHITE,)
    black: tuple[float, ...] = (0.0,)
    alpha: bool = True
    fit: Fit = CROP

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if any(low >= high for low, high in zip(self.black, self.white, strict=True)):
            raise ValueError(f"black is {self.black} and white {self.white}; white is the greater")
        return self

    @property
    def spec(self) -> ImageSpec:
        """The output of `decode`."""
        return ImageSpec(self.size, self.channels, self.white, self.black, self.alpha, self.fit)

    @property
    def storage(self) -> np.dtype[Any]:
        """uint8."""
        return np.dtype(np.uint8)

    @property
    def shape(self) -> tuple[int, ...]:
        """(C, H, W)."""
        return self.channels, *self.size

    def decode(self, file: Path | bytes | NDArray[Any], any_size: bool = False) -> DecodedInput:
        """See `image.decode`; `visible` is left, top, right, bottom in pixels of the upright file."""
        image = decode(file, self.spec, any_size)
        size = (image.pixels.shape[1], image.pixels.shape[2])
        return DecodedInput(image.pixels, image.whole, visible_window(image.whole, size, self.fit))

    def __call__(self, values: Tensor) -> Tensor:
        """(B, C, H, W) uint8 pixels to the float32 input of the network."""
        shape = (1, self.channels, 1, 1)
        mean, std = values.new_tensor(self.mean, dtype=float32), values.new_tensor(self.std, dtype=float32)
        return (values.float() / 255 - mean.view(shape)) / std.view(shape)

    def draw(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """(H, W, 3) of (C, H, W) pixels: the first three channels as colours, or the first as grey."""
        shown = shown_channels(values)
        return np.ascontiguousarray((shown if len(shown) == 3 else shown[[0, 0, 0]]).transpose(1, 2, 0))


def shown_channels(values: NDArray[Any]) -> NDArray[Any]:
    """The channels of (C, ...) pixels that figures show: the first three as red, green and blue, or the first as grey.

    >>> len(shown_channels(np.zeros((5, 2, 2)))), len(shown_channels(np.zeros((2, 2, 2))))
    (3, 1)
    """
    return values[:3] if len(values) >= 3 else values[:1]
