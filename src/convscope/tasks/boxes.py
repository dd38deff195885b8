"""Arithmetic of boxes: (..., 4) xyxy in pixels, x to the right and y down, x2 and y2 exclusive."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convscope.predictions import ViewTransform


def area(boxes: Tensor) -> Tensor:
    """(...,) pixels; 0 for a box with x2 < x1 or y2 < y1."""
    return (boxes[..., 2] - boxes[..., 0]).clamp(min=0) * (boxes[..., 3] - boxes[..., 1]).clamp(min=0)


def iou(a: Tensor, b: Tensor) -> Tensor:
    """(...,) intersection over union, in [0, 1]; 0 for two boxes without area.

    >>> iou(torch.tensor([0.0, 0, 2, 2]), torch.tensor([1.0, 1, 3, 3])).item()
    0.142857...
    """
    intersection = _intersection(a, b)
    return intersection / (area(a) + area(b) - intersection).clamp(min=1e-9)


def giou(a: Tensor, b: Tensor) -> Tensor:
    """(...,) generalised IoU in [-1, 1] (Rezatofighi 2019, arXiv:1902.09630): IoU minus the empty share of the hull.

    Unlike IoU its gradient is not zero for disjoint boxes.
    """
    intersection = _intersection(a, b)
    union = area(a) + area(b) - intersection
    low, high = torch.minimum(a[..., :2], b[..., :2]), torch.maximum(a[..., 2:], b[..., 2:])
    hull = (high - low).clamp(min=0).prod(-1).clamp(min=1e-9)
    return intersection / union.clamp(min=1e-9) - (hull - union) / hull


def to_xyxy(boxes: Tensor) -> Tensor:
    """Convert (centre x, centre y, width, height) to xyxy.

    >>> to_xyxy(torch.tensor([5.0, 5, 4, 2])).tolist()
    [3.0, 4.0, 7.0, 6.0]
    """
    center, half = boxes[..., :2], boxes[..., 2:] / 2
    return torch.cat([center - half, center + half], -1)


def to_xywh(boxes: Tensor) -> Tensor:
    """The inverse of `to_xyxy`."""
    low, high = boxes[..., :2], boxes[..., 2:]
    return torch.cat([(low + high) / 2, high - low], -1)


def _intersection(a: Tensor, b: Tensor) -> Tensor:
    low, high = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])
    return (high - low).clamp(min=0).prod(-1)


def to_file_pixels(
    box: NDArray[np.float64], frame: ViewTransform, size: tuple[int, int]
) -> tuple[float, float, float, float]:
    """Convert a box from pixels of the network's input to pixels of the file."""
    height, width = size
    across, down = frame.across / width, frame.down / height
    x1, x2 = (float(np.clip(frame.left + x * across, 0, frame.size[1])) for x in (box[0], box[2]))
    y1, y2 = (float(np.clip(frame.top + y * down, 0, frame.size[0])) for y in (box[1], box[3]))
    return x1, y1, x2, y2
