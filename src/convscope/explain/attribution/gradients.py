"""Gradient attribution to pixels: input gradients, integrated gradients and SmoothGrad."""

from collections.abc import Iterator

import numpy as np
import torch
from pydantic import BaseModel, Field
from torch import Tensor, nn

from convscope.errors import ModelError
from convscope.explain.attribution.attribution import Attribution
from convscope.explain.targets import class_scores
from convscope.modules import preserve_state
from convscope.progress import Progress


class IntegrationSettings(BaseModel, frozen=True, extra="forbid"):
    """Settings of `integrated_gradients`: number of points on the path, and batch size."""

    steps: int = Field(50, ge=1)
    batch: int = Field(64, ge=1)


class NoiseSettings(BaseModel, frozen=True, extra="forbid"):
    """Settings of `smooth_grad`: noise as a fraction of each image's range (Smilkov et al. advise 0.1 to 0.2)."""

    noise: float = Field(0.15, ge=0)
    samples: int = Field(32, ge=1)
    seed: int = 0


def input_gradients(model: nn.Module, x: Tensor, targets: Tensor | None = None) -> Attribution:
    """Gradient of the class logit with respect to each pixel.

    Simonyan et al. 2013, section 3; the map is the largest absolute gradient over the channels.

    Args:
        model: any network with (B, K) logits.
        x: (B, C, H, W) preprocessed images.
        targets: (B,) class indices; None selects the predicted class.
    Returns:
        Values (B, C, H, W) in logit per unit of input; maps (B, H, W), not negative.
    Raises:
        ModelError: the output is not logits, or no gradient reaches the pixels.
        ConfigError: invalid targets.
    """
    with preserve_state(model, gradients=True):
        gradient, scores, chosen = _input_gradient(model, x, targets)
    return _attribution("input_gradients", chosen, scores, gradient, gradient.abs().amax(1))


def integrated_gradients(
    model: nn.Module,
    x: Tensor,
    targets: Tensor | None = None,
    baseline: Tensor | None = None,
    settings: IntegrationSettings | None = None,
    on_progress: Progress | None = None,
) -> Attribution:
    """Contribution of each pixel to the class logit, integrated from the baseline to the image.

    Sundararajan et al. 2017, equation 1. The integral uses Gauss-Legendre quadrature instead of equal steps: far
    fewer points make the values sum to the difference of the logits.

    Args:
        model: any network with (B, K) logits.
        x: (B, C, H, W) preprocessed images.
        targets: (B,) class indices; None selects the predicted class.
        baseline: (B or 1, C, H, W); None is all zeros, the mean image if inputs are normalised.
        settings: points on the path, and batch size.
        on_progress: called with the number of points done and the total.
    Returns:
        Values (B, C, H, W) in logit units that sum to logit(x) - logit(baseline); maps are their channel sums.
    """
    settings = settings or IntegrationSettings()
    start = torch.zeros_like(x) if baseline is None else baseline.to(x).expand_as(x)
    points, weights = np.polynomial.legendre.leggauss(settings.steps)
    with preserve_state(model, gradients=True):
        total = torch.zeros_like(x)
        with torch.no_grad():
            scores, chosen = class_scores(model(x), targets)
        done = 0
        for part in _slices(settings.steps, max(1, settings.batch // len(x))):
            fraction = torch.tensor((points[part] + 1) / 2).to(x)[:, None, None, None, None]
            on_path = (start + fraction * (x - start)).flatten(0, 1)
            gradient, _, _ = _input_gradient(model, on_path, chosen.repeat(len(fraction)))
            weight = torch.tensor(weights[part] / 2).to(x)[:, None, None, None, None]
            total += (gradient.reshape(len(fraction), *x.shape) * weight).sum(0)
            done += len(fraction)
            if on_progress:
                on_progress(done, settings.steps)
    values = total * (x - start)
    return _attribution("integrated_gradients", chosen, scores, values, values.sum(1))


def smooth_grad(
    model: nn.Module,
    x: Tensor,
    targets: Tensor | None = None,
    settings: NoiseSettings | None = None,
    on_progress: Progress | None = None,
) -> Attribution:
    """Mean of `input_gradients` over noisy copies of the image.

    Smilkov et al. 2017, section 2.2. The targets are those of the clean image.

    Returns:
        As `input_gradients`; deterministic for a given seed.
    """
    settings = settings or NoiseSettings()
    generator = torch.Generator().manual_seed(settings.seed)
    spread = settings.noise * (x.amax((1, 2, 3), keepdim=True) - x.amin((1, 2, 3), keepdim=True))
    with preserve_state(model, gradients=True):
        total = torch.zeros_like(x)
        with torch.no_grad():
            scores, chosen = class_scores(model(x), targets)
        for done in range(1, settings.samples + 1):
            noise = torch.randn(x.shape, generator=generator).to(x)
            total += _input_gradient(model, x + spread * noise, chosen)[0]
            if on_progress:
                on_progress(done, settings.samples)
    values = total / settings.samples
    return _attribution("smooth_grad", chosen, scores, values, values.abs().amax(1))


def _input_gradient(model: nn.Module, x: Tensor, targets: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradient (B, C, H, W), the scores and the targets; in eval mode, images do not affect each other."""
    pixels = x.detach().clone().requires_grad_()
    scores, chosen = class_scores(model(pixels), targets)
    if not scores.requires_grad:
        raise ModelError(
            "model: the logits have no gradient with respect to the pixels; remove no_grad from its forward"
        )
    (gradient,) = torch.autograd.grad(scores.sum(), pixels)
    return gradient, scores.detach(), chosen


def _slices(length: int, size: int) -> Iterator[slice]:
    for first in range(0, length, size):
        yield slice(first, min(first + size, length))


def _attribution(method: str, chosen: Tensor, scores: Tensor, values: Tensor, maps: Tensor) -> Attribution:
    arrays = [chosen, *(tensor.detach().float() for tensor in (scores, values, maps))]
    return Attribution(method, "", *(array.cpu().numpy() for array in arrays))
