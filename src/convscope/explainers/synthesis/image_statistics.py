"""Statistics of real images that optimised images share: colours and the amplitude of each frequency.

Both are those of the pixels' logits, in which a picture has no bounds that an optimiser could run into.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from convscope.errors import DataError

_MARGIN = 0.01  # pixels are limited to [0.01, 0.99], whose logits are finite
_LEAST = 1e-4  # smallest variance of a colour axis, as a share of the largest: grey images stored as colour have none
_NATURAL_DEVIATION = 1.2  # of the logits of photographs, where there are no images to measure it on


@dataclass(frozen=True)
class ImageStatistics:
    """Statistics of the logits of images.

    Attributes:
        mean: (C,) mean.
        colors: (C, C), a square root of the covariance of the channels: it turns independent values of variance 1 into
            colours of the data.
        spectrum: (C, H, W // 2 + 1) mean amplitude of each frequency, of independent values of variance 1, as
            `torch.fft.rfft2` orders them, with norm "ortho".
        size: (H, W) of the images.
    """

    mean: Tensor
    colors: Tensor
    spectrum: Tensor
    size: tuple[int, int]

    def spectrum_at(self, size: tuple[int, int]) -> Tensor:
        """Return the spectrum (C, h, w // 2 + 1) of pictures of another size that show the same.

        A frequency is so many periods per picture, whatever its size. Those that the images are too small for fall with
        1 / frequency from the highest that they have.
        """
        (height, width), (rows, columns) = self.size, size
        down, decay_down = _nearest(_whole_frequencies(rows), height)
        across, decay_across = _nearest(torch.arange(columns // 2 + 1), width)
        spectrum = self.spectrum[:, down % height][:, :, across]
        area = (rows * columns / (height * width)) ** 0.5
        decay: Tensor = torch.minimum(decay_down[:, None], decay_across[None])
        resized: Tensor = spectrum * area * decay
        return resized


def image_statistics(batches: Sequence[Tensor]) -> ImageStatistics:
    """Measure the statistics of images of any number of channels.

    Args:
        batches: (B, C, H, W) pixels in [0, 1], all of one size.

    Raises:
        DataError: no images.
    """
    if not sum(map(len, batches)):
        raise DataError("image statistics: no images; pass at least one batch")
    logits = torch.cat([pixels.detach().float().cpu() for pixels in batches]).clamp(_MARGIN, 1 - _MARGIN).logit()
    values = logits.transpose(0, 1).flatten(1).double()
    mean = values.mean(1)
    centred = values - mean[:, None]
    variances, axes = torch.linalg.eigh(centred @ centred.T / centred.shape[1])
    variances = variances.clamp(min=max(_LEAST * float(variances.max()), 1e-12))
    colors, whiten = axes * variances.sqrt(), (axes / variances.sqrt()).T
    independent = torch.einsum("dc,bchw->bdhw", whiten.float(), logits - mean.float()[:, None, None])
    spectrum = torch.fft.rfft2(independent, norm="ortho").abs().mean(0)
    height, width = logits.shape[2:]
    return ImageStatistics(mean.float(), colors.float(), spectrum, (height, width))


def natural_statistics(mean: Sequence[float], size: tuple[int, int]) -> ImageStatistics:
    """Return statistics without images: independent channels around the mean, amplitudes of 1 / frequency.

    Olah et al. 2017, "Feature Visualization", preconditioning.

    Args:
        mean: C numbers in [0, 1].
        size: (H, W) of the pictures.
    """
    height, width = size
    down, across = torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None]
    amplitude = 1 / (down**2 + across**2).sqrt().clamp(min=1 / max(height, width))
    amplitude = amplitude / amplitude.square().mean().sqrt()
    channels = len(mean)
    centre = torch.tensor(list(mean)).clamp(_MARGIN, 1 - _MARGIN).logit()
    return ImageStatistics(centre, _NATURAL_DEVIATION * torch.eye(channels), amplitude.expand(channels, -1, -1), size)


def _whole_frequencies(count: int) -> Tensor:
    frequencies: Tensor = torch.fft.fftfreq(count) * count
    return frequencies.round().long()


def _nearest(frequencies: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the nearest frequency that `count` samples have, and the share that is left of its amplitude."""
    highest = max(1, count // 2)
    nearest = frequencies.clamp(-((count - 1) // 2), count // 2)
    return nearest, highest / frequencies.abs().clamp(min=highest)
