"""Image parameterisations for optimisation: by pixel or by frequency, with the statistics of the data.

From parameters to pixels in [0, 1]: amplitudes of real images, inverse Fourier transform, colours of real images,
sigmoid around the mean colour.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from convscope.errors import ConfigError
from convscope.explainers.synthesis.image_statistics import ImageStatistics, natural_statistics


@dataclass(frozen=True)
class PixelSpace:
    """Conversion of pixels in [0, 1] to the network's input, (pixels - mean) / std, and statistics of real images.

    Attributes:
        mean: C numbers in [0, 1].
        std: C numbers.
        statistics: `image_statistics` of the training images; None assumes those of photographs.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    statistics: ImageStatistics | None = None

    def __post_init__(self) -> None:
        channels = len(self.mean)
        if len(self.std) != channels:
            raise ConfigError(f"pixel space: {channels} means but {len(self.std)} stds; pass one of each per channel")
        if self.statistics is not None and len(self.statistics.mean) != channels:
            raise ConfigError(
                f"pixel space: statistics of {len(self.statistics.mean)} channels for {channels} means; "
                f"measure both on the same images"
            )

    @property
    def channels(self) -> int:
        """Number of channels of the network's input."""
        return len(self.mean)

    def to_input(self, pixels: Tensor) -> Tensor:
        """Convert pixels (B, C, H, W) in [0, 1] to the network's input."""
        return (pixels - _column(self.mean, pixels)) / _column(self.std, pixels)

    def to_pixels(self, x: Tensor) -> Tensor:
        """Convert the network's input (B, C, H, W) to pixels in [0, 1]."""
        return x * _column(self.std, x) + _column(self.mean, x)


class ImageParameters:
    """The parameters of B images.

    Attributes:
        weights: the tensor to optimise.
    """

    def __init__(
        self, space: PixelSpace, size: tuple[int, int], generators: list[torch.Generator], fourier: bool
    ) -> None:
        self._size, self._fourier = size, fourier
        height, width = size
        shape = (space.channels, height, width // 2 + 1, 2) if fourier else (space.channels, height, width)
        noise = [0.01 * torch.randn(shape, generator=generator) for generator in generators]
        self.weights = torch.stack(noise)
        statistics = space.statistics or natural_statistics(space.mean, size)
        self._amplitudes = statistics.spectrum_at(size)[..., None]
        self._colors, self._centre = statistics.colors, statistics.mean[:, None, None]

    def to(self, device: torch.device) -> "ImageParameters":
        """Move to a device and enable gradients."""
        self.weights = self.weights.to(device).requires_grad_()
        self._amplitudes, self._colors, self._centre = (
            part.to(device) for part in (self._amplitudes, self._colors, self._centre)
        )
        return self

    def pixels(self) -> Tensor:
        """Return the images (B, C, H, W) in [0, 1], differentiable."""
        colors = torch.einsum("bchw,dc->bdhw", self._synthesise(), self._colors)
        return (colors + self._centre).sigmoid()

    def _synthesise(self) -> Tensor:
        if not self._fourier:
            return self.weights
        spectrum = torch.view_as_complex(self.weights * self._amplitudes)
        images: Tensor = torch.fft.irfft2(spectrum, s=self._size, norm="ortho")
        return images


def _column(numbers: tuple[float, ...], like: Tensor) -> Tensor:
    return torch.tensor(numbers, dtype=like.dtype, device=like.device)[:, None, None]
