"""Pictures as something that gradients can paint well: by pixels or by frequencies, in the data's own colours.

From what is optimised to pixels in [0, 1]: inverse transform, colour axes, sigmoid around the mean colour.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from convscope.errors import ConfigError, DataError

ColorMatrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class PixelSpace:
    """How pixels in [0, 1] become the network's input, (pixels - mean) / std, and what colours the data have.

    Attributes:
        mean: C numbers in [0, 1].
        std: C numbers.
        color_matrix: C x C, from `color_axes` over the training images; None paints channels independently.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    color_matrix: ColorMatrix | None = None

    def __post_init__(self) -> None:
        channels = len(self.mean)
        if len(self.std) != channels:
            raise ConfigError(
                f"pixel space: {channels} means for {len(self.std)} stds; give one of each for each channel"
            )
        if self.color_matrix is not None and len(self.color_matrix) != channels:
            painted = len(self.color_matrix)
            raise ConfigError(
                f"pixel space: colours of {painted} channels for {channels} means; measure them on the same images"
            )

    @property
    def channels(self) -> int:
        """How many channels the network's input has."""
        return len(self.mean)

    def to_input(self, pixels: Tensor) -> Tensor:
        """Pixels (B, C, H, W) in [0, 1] to what the network takes."""
        return (pixels - _column(self.mean, pixels)) / _column(self.std, pixels)

    def to_pixels(self, x: Tensor) -> Tensor:
        """What the network takes (B, C, H, W) to pixels in [0, 1]."""
        return x * _column(self.std, x) + _column(self.mean, x)


def color_axes(batches: Iterable[Tensor]) -> ColorMatrix:
    """The square root of the pixels' channel covariance, scaled so that its largest column has length 1.

    Olah et al. 2017, "Feature Visualization", preconditioning, where it is ImageNet's; here any data's, any channels.

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
        raise DataError("colour axes: no images; give at least one batch")
    mean = total / count
    values, axes = torch.linalg.eigh(products / count - mean[:, None] * mean)
    root = axes * values.clamp(min=0).sqrt()
    root = root / root.norm(dim=0).max().clamp(min=1e-12)
    return tuple(tuple(row) for row in root.tolist())


class ImageParameters:
    """B pictures under optimisation.

    Attributes:
        weights: the one tensor to optimise.
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
        """Move to where the network is, ready for gradients."""
        self.weights = self.weights.to(device).requires_grad_()
        self._scale = self._scale.to(device)
        return self

    def pixels(self) -> Tensor:
        """(B, C, H, W) in [0, 1], differentiable."""
        values = self._synthesise()
        if self._space.color_matrix is not None:
            mix = torch.tensor(self._space.color_matrix).to(values)
            values = torch.einsum("bchw,dc->bdhw", values, mix)
        centre = _column(self._space.mean, values).clamp(0.01, 0.99).logit()
        return (values + centre).sigmoid()

    def _synthesise(self) -> Tensor:
        if not self._fourier:
            return self.weights
        spectrum = torch.view_as_complex(self.weights * self._scale)
        painted: Tensor = torch.fft.irfft2(spectrum, s=self._size, norm="ortho") / 4  # 4: as in the source's code
        return painted


def _spectrum_scale(height: int, width: int) -> Tensor:
    """Weigh each frequency by its inverse, as natural images do, times the area's root (Olah et al. 2017)."""
    down, across = torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None]
    frequency: Tensor = (down**2 + across**2).sqrt().clamp(min=1 / max(height, width))
    scale: Tensor = (height * width) ** 0.5 * frequency.reciprocal()
    return scale


def _column(numbers: tuple[float, ...], like: Tensor) -> Tensor:
    return torch.tensor(numbers, dtype=like.dtype, device=like.device)[:, None, None]
