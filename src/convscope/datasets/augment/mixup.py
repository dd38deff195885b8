"""Mixup and CutMix: images and targets mixed within a batch."""

import math

import numpy as np
import torch
from torch import Tensor

Mixed = tuple[Tensor, Tensor]


def mixup(x: Tensor, y: Tensor, alpha: float, generator: torch.Generator) -> Mixed:
    """Mixup (Zhang et al. 2018, arXiv:1710.09412): interpolate each image with another of the batch.

    Args:
        x: (B, C, H, W).
        y: (B, K) proportions of classes, or labels.
        alpha: parameter of the Beta distribution of the weight; 1 is uniform, small values mix little.
        generator: draws the weight and the permutation.
    """
    weight, other = _sample_weight(alpha, generator), _permutation(len(x), generator)
    return (
        weight * x + (1 - weight) * x[other.to(x.device)],
        weight * y + (1 - weight) * y[other.to(y.device)],
    )


def cutmix(x: Tensor, y: Tensor, alpha: float, generator: torch.Generator) -> Mixed:
    """CutMix (Yun et al. 2019, arXiv:1905.04899): replace a rectangle by that of another image of the batch.

    The centre of the rectangle is uniform, it is clipped to the image, and targets are mixed by the replaced area.
    """
    height, width = x.shape[-2:]
    part = math.sqrt(1 - _sample_weight(alpha, generator))
    center = torch.rand(2, generator=generator, device=generator.device).tolist()
    top, bottom = _span(center[0], part, height)
    left, right = _span(center[1], part, width)
    other = _permutation(len(x), generator)
    weight = 1 - (bottom - top) * (right - left) / (height * width)
    x = x.clone()
    x[..., top:bottom, left:right] = x[other.to(x.device)][..., top:bottom, left:right]
    return x, weight * y + (1 - weight) * y[other.to(y.device)]


MIXES = {"mixup": mixup, "cutmix": cutmix}


def _sample_weight(alpha: float, generator: torch.Generator) -> float:
    seed = int(torch.randint(2**62, (), generator=generator, device=generator.device))
    return float(np.random.default_rng(seed).beta(alpha, alpha))


def _permutation(batch: int, generator: torch.Generator) -> Tensor:
    return torch.randperm(batch, generator=generator, device=generator.device)


def _span(center: float, part: float, side: int) -> tuple[int, int]:
    low, high = (round(center * side + sign * part * side / 2) for sign in (-1, 1))
    return max(low, 0), min(high, side)
