"""Images as a network's input: decoded to grey or RGB, cut and resized, normalised channel by channel."""

from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, float32

from convscope.data.inputs.image import FULL_WHITE, ImageSpec, decode, visible_window
from convscope.data.inputs.kind import DecodedInput, InputPreprocessing


class ImagePreprocessing(InputPreprocessing, frozen=True, extra="forbid"):
    """How an image file becomes the network's input: decoded to `channels`, fitted to `size`, normalised as
    (pixel / 255 - mean) / std.

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
        """What `decode` is to give."""
        return ImageSpec(self.size, self.channels, self.white)

    @property
    def storage(self) -> np.dtype[Any]:
        """Bytes."""
        return np.dtype(np.uint8)

    @property
    def shape(self) -> tuple[int, ...]:
        """(C, H, W)."""
        return self.channels, *self.size

    def decode(self, file: Path, any_size: bool = False) -> DecodedInput:
        """See `image.decode`; `visible` is left, top, right, bottom in pixels of the upright file."""
        found = decode(file, self.spec, any_size)
        size = (found.pixels.shape[1], found.pixels.shape[2])
        return DecodedInput(found.pixels, found.whole, visible_window(found.whole, size))

    def __call__(self, values: Tensor) -> Tensor:
        """(B, C, H, W) uint8 pixels to the float32 input of the network."""
        shape = (1, self.channels, 1, 1)
        mean, std = values.new_tensor(self.mean, dtype=float32), values.new_tensor(self.std, dtype=float32)
        return (values.float() / 255 - mean.view(shape)) / std.view(shape)

    def draw(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """(H, W, 3) of (C, H, W) pixels, the first channel where there are not three."""
        return np.ascontiguousarray((values if len(values) == 3 else values[[0, 0, 0]]).transpose(1, 2, 0))
