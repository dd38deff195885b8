"""Image input: decoded to grey or RGB, cropped and resized, normalised per channel."""

from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, float32

from convscope.datasets.inputs.image import FULL_WHITE, ImageSpec, decode, visible_window
from convscope.datasets.inputs.kind import DecodedInput, InputPreprocessing


class ImagePreprocessing(InputPreprocessing, frozen=True, extra="forbid"):
    """Preprocessing of images: decode to `channels`, fit to `size`, normalise as (pixel / 255 - mean) / std.

    `white` is the value of greys of more than 8 bits that becomes 255.
    """

    kind: Literal["image"] = "image"
    size: tuple[int, int]
    channels: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    white: float = Field(FULL_WHITE, gt=0)

    @property
    def spec(self) -> ImageSpec:
        """The output of `decode`."""
        return ImageSpec(self.size, self.channels, self.white)

    @property
    def storage(self) -> np.dtype[Any]:
        """uint8."""
        return np.dtype(np.uint8)

    @property
    def shape(self) -> tuple[int, ...]:
        """(C, H, W)."""
        return self.channels, *self.size

    def decode(self, file: Path, any_size: bool = False) -> DecodedInput:
        """See `image.decode`; `visible` is left, top, right, bottom in pixels of the upright file."""
        image = decode(file, self.spec, any_size)
        size = (image.pixels.shape[1], image.pixels.shape[2])
        return DecodedInput(image.pixels, image.whole, visible_window(image.whole, size))

    def __call__(self, values: Tensor) -> Tensor:
        """(B, C, H, W) uint8 pixels to the float32 input of the network."""
        shape = (1, self.channels, 1, 1)
        mean, std = values.new_tensor(self.mean, dtype=float32), values.new_tensor(self.std, dtype=float32)
        return (values.float() / 255 - mean.view(shape)) / std.view(shape)

    def draw(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """(H, W, 3) of (C, H, W) pixels; the first channel as grey unless C is 3."""
        return np.ascontiguousarray((values if len(values) == 3 else values[[0, 0, 0]]).transpose(1, 2, 0))
