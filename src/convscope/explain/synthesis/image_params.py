"""Image parameterisations for optimisation: by pixel or by frequency, with the colour statistics of the data.

From parameters to pixels in [0, 1]: inverse Fourier transform, colour axes, sigmoid around the mean colour.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from convscope.errors import ConfigError, DataError

ColorMatrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class PixelSpace:
    """Conversion of pixels in [0, 1] to the network's input, (pixels - mean) / std, and the data's colour statistics.

    Attributes:
        mean: C numbers in [0, 1].
        std: C numbers.
        color_matrix: C x C, from `color_axes` over the training images; None treats channels as independent.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    color_matrix: ColorMatrix | None = None

    def __post_init__(self) -> None:
        channels = len(self.mean)
        if len(self.std) != channels:
            raise ConfigError(f"pixel space: {channels} means but {len(self.std)} stds; pass one of each per channel")
        if self.color_matrix is not None and len(self.color_matrix) != channels:
            colors = len(self.color_matrix)
            raise ConfigError(
                f"pixel space: colour matrix of {colors} channels for {channels} means; measure both on the same images"
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


def color_axes(batches: Iterable[Tensor]) -> ColorMatrix:
    """Return the square root of the pixels' channel covariance, scaled so that its longest column has length 1.

    Olah et al. 2017, "Feature Visualization", preconditioning, which uses ImageNet's; here of any data with any
    number of channels.

    Args:
        batches: (B, C, H, W) pixels in [0, 1].
    Raises:
        DataError: no pixels.
    """
    count, total, products = 0, torch.empty(0), torch.empty(0)
    for pixels in batches:
        colours = pixels.detach().double().transpose(0, 1).flatten(1).cpu()
        if not count:
            total, products = torch.zeros(len(colours)).double(), torch.zeros(len(colours), len(colours)).double()
        count += colours.shape[1]
        total += colours.sum(1)
        products += colours @ colours.T
    if not count:
        raise DataError("colour axes: no images; pass at least one batch")
    mean = total / count
    values, axes = torch.linalg.eigh(products / count - mean[:, None] * mean)
    root = axes * values.clamp(min=0).sqrt()
    root = root / root.norm(dim=0).max().clamp(min=1e-12)
    return tuple(tuple(row) for row in root.tolist())


class ImageParameters:
    """The parameters of B images.

    Attributes:
        weights: the tensor to optimise.
    """

    def __init__(
        self, space: PixelSpace, size: tuple[int, int], generators: list[torch.Generator], fourier: bool
    ) -> None:
        self._space, self._size, self._fourier = space, size, fourier
        height, width = size
        shape = (space.channels, height, width // 2 + 1, 2) if fourier else (space.channels, height, width)
        noise = [0.01 * torch.randn(shape, generator=generator) for generator in generators]
        self.weights = torch.stack(noise)
        self._scale = _spectrum_scale(height, width)[..., None]

    def to(self, device: torch.device) -> "ImageParameters":
        """Move to a device and enable gradients."""
        self.weights = self.weights.to(device).requires_grad_()
        self._scale = self._scale.to(device)
        return self

    def pixels(self) -> Tensor:
        """Return the images (B, C, H, W) in [0, 1], differentiable."""
        values = self._synthesise()
        if self._space.color_matrix is not None:
            matrix = torch.tensor(self._space.color_matrix).to(values)
            values = torch.einsum("bchw,dc->bdhw", values, matrix)
        centre = _column(self._space.mean, values).clamp(0.01, 0.99).logit()
        return (values + centre).sigmoid()

    def _synthesise(self) -> Tensor:
        if not self._fourier:
            return self.weights
        spectrum = torch.view_as_complex(self.weights * self._scale)
        images: Tensor = torch.fft.irfft2(spectrum, s=self._size, norm="ortho") / 4  # 4: as in Lucid
        return images


def _spectrum_scale(height: int, width: int) -> Tensor:
    """Scale each amplitude by 1 / frequency, as in natural images, times the root of the area (Olah et al. 2017)."""
    down, across = torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None]
    frequency: Tensor = (down**2 + across**2).sqrt().clamp(min=1 / max(height, width))
    scale: Tensor = (height * width) ** 0.5 * frequency.reciprocal()
    return scale


def _column(numbers: tuple[float, ...], like: Tensor) -> Tensor:
    return torch.tensor(numbers, dtype=like.dtype, device=like.device)[:, None, None]
