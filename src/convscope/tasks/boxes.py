"""Boxes as numbers: (..., 4) xyxy in pixels, x to the right and y down, x2 and y2 the far edge."""

import torch
from torch import Tensor


def area(boxes: Tensor) -> Tensor:
    """(...,) pixels; a box turned inside out has none."""
    return (boxes[..., 2] - boxes[..., 0]).clamp(min=0) * (boxes[..., 3] - boxes[..., 1]).clamp(min=0)


def iou(a: Tensor, b: Tensor) -> Tensor:
    """(...,) intersection over union, in [0, 1]; 0 for two boxes without area.

    >>> iou(torch.tensor([0.0, 0, 2, 2]), torch.tensor([1.0, 1, 3, 3])).item()
    0.142857...
    """
    both = _common(a, b)
    return both / (area(a) + area(b) - both).clamp(min=1e-9)


def giou(a: Tensor, b: Tensor) -> Tensor:
    """(...,) generalised IoU in [-1, 1] (Rezatofighi 2019, arXiv:1902.09630): IoU less the hull's empty share.

    Unlike IoU it has a slope where boxes do not touch.
    """
    both = _common(a, b)
    either = area(a) + area(b) - both
    low, high = torch.minimum(a[..., :2], b[..., :2]), torch.maximum(a[..., 2:], b[..., 2:])
    hull = (high - low).clamp(min=0).prod(-1).clamp(min=1e-9)
    return both / either.clamp(min=1e-9) - (hull - either) / hull


def to_xyxy(boxes: Tensor) -> Tensor:
    """Boxes given by middle and sides (x, y, w, h) as corners.

    >>> to_xyxy(torch.tensor([5.0, 5, 4, 2])).tolist()
    [3.0, 4.0, 7.0, 6.0]
    """
    middle, half = boxes[..., :2], boxes[..., 2:] / 2
    return torch.cat([middle - half, middle + half], -1)


def to_xywh(boxes: Tensor) -> Tensor:
    """The opposite of `to_xyxy`."""
    low, high = boxes[..., :2], boxes[..., 2:]
    return torch.cat([(low + high) / 2, high - low], -1)


def _common(a: Tensor, b: Tensor) -> Tensor:
    low, high = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])
    return (high - low).clamp(min=0).prod(-1)
