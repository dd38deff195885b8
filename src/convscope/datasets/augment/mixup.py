"""Images mixed with others of their batch, and their targets by the same shares."""

import math

import numpy as np
import torch
from torch import Tensor

Mixed = tuple[Tensor, Tensor]


def mixup(x: Tensor, y: Tensor, alpha: float, generator: torch.Generator) -> Mixed:
    """Every image is `share` of itself and the rest of another (Zhang et al. 2018, arXiv:1710.09412).

    Args:
        x: (B, C, H, W).
        y: (B, K) shares of classes or labels.
        alpha: of the Beta distribution that the share comes from; 1 is uniform, small ones mix little.
        generator: draws the share and the partners.
    """
    share, partner = _share(alpha, generator), _partners(len(x), generator)
    return (
        share * x + (1 - share) * x[partner.to(x.device)],
        share * y + (1 - share) * y[partner.to(y.device)],
    )


def cutmix(x: Tensor, y: Tensor, alpha: float, generator: torch.Generator) -> Mixed:
    """Every image has a rectangle of another, and its target by the area (Yun et al. 2019, arXiv:1905.04899).

    The rectangle's middle may lie anywhere; the part of it that falls outside is lost, and the share is that of the
    area that was in fact replaced.
    """
    height, width = x.shape[-2:]
    part = math.sqrt(1 - _share(alpha, generator))
    middle = torch.rand(2, generator=generator, device=generator.device).tolist()
    top, bottom = _span(middle[0], part, height)
    left, right = _span(middle[1], part, width)
    partner = _partners(len(x), generator)
    share = 1 - (bottom - top) * (right - left) / (height * width)
    x = x.clone()
    x[..., top:bottom, left:right] = x[partner.to(x.device)][..., top:bottom, left:right]
    return x, share * y + (1 - share) * y[partner.to(y.device)]


MIXES = {"mixup": mixup, "cutmix": cutmix}


def _share(alpha: float, generator: torch.Generator) -> float:
    seed = int(torch.randint(2**62, (), generator=generator, device=generator.device))
    return float(np.random.default_rng(seed).beta(alpha, alpha))


def _partners(batch: int, generator: torch.Generator) -> Tensor:
    return torch.randperm(batch, generator=generator, device=generator.device)


def _span(middle: float, part: float, side: int) -> tuple[int, int]:
    low, high = (round(middle * side + way * part * side / 2) for way in (-1, 1))
    return max(low, 0), min(high, side)
