"""Image input: decoded to grey or RGB, cropped and resized, normalised per channel."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, model_validator
from torch import Tensor

from convscope.datasets.augment.pipeline import Augment, augment, normalised
from convscope.datasets.augment.policies import POLICIES, Policy
from convscope.datasets.dataset import IMAGE_KIND, Dataset
from convscope.datasets.duplicates import Duplicates, find_duplicates
from convscope.datasets.inputs.fitting import CROP, Fit, fit, visible_window
from convscope.datasets.inputs.image import ImageSpec, decode
from convscope.datasets.inputs.kind import DecodedInput, InputData, InputPreprocessing
from convscope.datasets.inputs.raster import WHITE
from convscope.datasets.inputs.values import FULL_WHITE
from convscope.datasets.statistics import channel_statistics, cut_note

LONGEST_SIDE = 1 << 15  # pixels


class ImagePreprocessing(InputPreprocessing, frozen=True, extra="forbid"):
    """Preprocessing of images: decode to `channels`, fit to `size`, normalise as (pixel / 255 - mean) / std.

    `black` and `white` are the values of deep images (more than 8 bits) that become 0 and 255, for all channels or for
    each; `alpha` says whether the fourth channel of RGBA is transparency; `background` is the grey
    behind transparent pixels; `fit` is described in `fitting.Fit`; `shown_channels` are those that figures show, see
    `shown_channels`.
    """

    kind: Literal["image"] = "image"
    size: tuple[int, int]
    white: tuple[float, ...] = (FULL_WHITE,)
    black: tuple[float, ...] = (0.0,)
    alpha: bool = True
    fit: Fit = CROP
    background: int = Field(WHITE, ge=0, le=WHITE)
    shown_channels: tuple[int, ...] = ()

    converts_channels: ClassVar[bool] = True

    ranged: ClassVar[bool] = True
    sheets: ClassVar[bool] = True

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if any(low >= high for low, high in zip(self.black, self.white, strict=True)):
            raise ValueError(f"black is {self.black} and white {self.white}; white is the greater")
        return self

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if not all(0 < side <= LONGEST_SIDE for side in self.size):
            raise ValueError(f"size is {self.size}; its sides are from 1 to {LONGEST_SIDE:,}")
        return self

    @property
    def spec(self) -> ImageSpec:
        """The output of `decode`."""
        return ImageSpec(self.size, self.channels, self.white, self.black, self.alpha, self.fit, self.background)

    @classmethod
    def from_data(cls, data: InputData, size: tuple[int, ...], stored: NDArray[Any], rows: NDArray[np.int64]) -> Self:
        """Mean and deviation of each channel over the training images."""
        mean, std = channel_statistics(stored, rows)
        return cls(
            size=(size[0], size[1]),
            channels=data.channels,
            mean=tuple(mean.tolist()),
            std=tuple(std.tolist()),
            white=data.white,
            black=data.black,
            alpha=data.alpha,
            background=data.background,
            fit=data.fit,
            shown_channels=data.shown_channels if max(data.shown_channels, default=0) < data.channels else (),
        )

    @classmethod
    def decode_row(cls, data: InputData, row: int, size: tuple[int, ...]) -> NDArray[np.uint8]:
        """See `image.decode`, and `fitting.fit` of images in arrays."""
        shown = (size[0], size[1])
        image = data.images[row]
        if isinstance(image, np.ndarray) and image.shape[2] == data.channels:
            return fit(image, image.shape[:2], shown, data.fit).transpose(2, 0, 1)
        how = (data.white, data.black, data.alpha, data.fit, data.background)
        return decode(image, ImageSpec(shown, data.channels, *how)).pixels

    def read_as(self, data: Dataset) -> Dataset:
        """With these channels, range of values, transparency and fit."""
        return replace(
            data,
            channels=self.channels,
            white=self.white,
            black=self.black,
            alpha=self.alpha,
            background=self.background,
            fit=self.fit,
            shown_channels=self.shown_channels,
        )

    @classmethod
    def cut_note(cls, data: Dataset, size: tuple[int, ...]) -> str:
        """See `statistics.cut_note`."""
        return cut_note(data, size)

    @classmethod
    def find_duplicates(cls, stored: NDArray[Any], rows: NDArray[np.int64]) -> Duplicates:
        """See `duplicates.find_duplicates`."""
        return find_duplicates(stored, rows)

    @classmethod
    def policy(cls, name: str, changes: Mapping[str, float]) -> Policy:
        """One of `POLICIES` with changes."""
        return Policy.model_validate({**POLICIES[name].model_dump(), **changes})

    @classmethod
    def augmentation(cls, policy: Any, mirror: bool) -> Augment:
        """See `augment.pipeline`."""
        return augment(policy, mirror)

    def decode(self, file: Path | bytes | NDArray[Any], any_size: bool = False) -> DecodedInput:
        """See `image.decode`; `visible` is left, top, right, bottom in pixels of the upright file."""
        image = decode(file, self.spec, any_size)
        size = (image.pixels.shape[1], image.pixels.shape[2])
        return DecodedInput(image.pixels, image.whole, visible_window(image.whole, size, self.fit))

    @staticmethod
    def normalise(
        x: Tensor, mean: Tensor, std: Tensor, layout: torch.memory_format = torch.contiguous_format
    ) -> Tensor:  # fmt: skip
        """(B, C, H, W) uint8 pixels, or floats in [0, 1], to (pixel - mean) / std."""
        return normalised(x, mean, std, layout)

    @staticmethod
    def draw(values: NDArray[Any]) -> NDArray[np.uint8]:
        """(H, W, 3) of (C, H, W) pixels: the first three channels as colours, or the first as grey."""
        shown = shown_channels(values)
        return np.ascontiguousarray((shown if len(shown) == 3 else shown[[0, 0, 0]]).transpose(1, 2, 0))


IMAGE = IMAGE_KIND


def shown_channels(values: NDArray[Any], chosen: tuple[int, ...] = ()) -> NDArray[Any]:
    """The channels of (C, ...) pixels that figures show.

    Args:
        values: the pixels.
        chosen: three channels, as red, green and blue, or one, as grey, counted from 0; (): the first three, or the
            first of fewer.

    >>> len(shown_channels(np.zeros((5, 2, 2)))), len(shown_channels(np.zeros((2, 2, 2))))
    (3, 1)
    >>> shown_channels(np.arange(5), (4, 2, 1)).tolist()
    [4, 2, 1]
    """
    if chosen and max(chosen) < len(values):
        return values[list(chosen)]
    return values[:3] if len(values) >= 3 else values[:1]
