"""Losses and scores of masks: cross entropy, Dice, and IoU from counts of pixels."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

IGNORE = 255
"""The value of unlabelled pixels in a mask; losses and scores ignore them."""


def mask_cross_entropy(output: Tensor, target: Tensor) -> Tensor:
    """Return the mean cross entropy of (B, K, H, W) logits over all labelled pixels of (B, H, W) masks."""
    target = target.long()
    labelled = (target != IGNORE).sum().clamp(min=1)
    return F.cross_entropy(output, target, ignore_index=IGNORE, reduction="sum") / labelled


def by_class(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """(4, K) IoU, Dice, precision and recall from (K, K) counts, row = true class; nan where a score is undefined."""
    hits, support, predicted = counts.diagonal(), counts.sum(1), counts.sum(0)
    pairs = (hits, support + predicted - hits), (2 * hits, support + predicted), (hits, predicted), (hits, support)
    return np.array([_ratios(part, whole) for part, whole in pairs])


def _ratios(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)


def mean_iou(hits: NDArray[np.int64], support: NDArray[np.int64], predicted: NDArray[np.int64]) -> float:
    """Mean IoU over the classes that occur or are predicted, from (K,) counts of pixels; 1 if there are none."""
    iou = _ratios(hits, support + predicted - hits)
    return float(np.nanmean(iou)) if not np.isnan(iou).all() else 1.0


def miou(counts: NDArray[np.int64]) -> float:
    """Mean IoU from (K, K) counts, row = true class."""
    return mean_iou(counts.diagonal(), counts.sum(1), counts.sum(0))


def log_odds(logits: Tensor) -> Tensor:
    """log(p / (1 - p)) of the softmax probabilities p of (B, K, H, W) logits; the logits themselves for one class."""
    if logits.shape[1] < 2:
        return logits
    same = torch.eye(logits.shape[1], dtype=torch.bool, device=logits.device)[..., None, None]
    others = logits[:, None].masked_fill(same, -torch.inf)  # (B, K, K, H, W)
    return logits - others.logsumexp(2)


def dice_loss(output: Tensor, target: Tensor) -> Tensor:
    """1 - Dice, from probabilities, averaged over the classes (Milletari 2016, arXiv:1606.04797, without squares).

    Sums run over all labelled pixels of the batch; a class that neither occurs nor is predicted has Dice 1.
    """
    labelled = (target != IGNORE)[:, None]
    probabilities = output.softmax(1) * labelled
    one_hot = F.one_hot(torch.where(labelled[:, 0], target, 0), output.shape[1]).movedim(-1, 1)
    targets = one_hot.to(probabilities.dtype) * labelled
    overlap, total = (probabilities * targets).sum((0, 2, 3)), (probabilities + targets).sum((0, 2, 3))
    return 1 - ((2 * overlap + 1) / (total + 1)).mean()
