"""Sliding-window inference: dense outputs for images of any size."""

import torch
from torch import Tensor, nn

WINDOWS_PER_BATCH = 2**21  # pixels of one image up to which it is processed whole
OVERLAP = 4  # a window overlaps the next by 1 / OVERLAP of its side


def sliding_window(model: nn.Module, x: Tensor, size: tuple[int, int], at_once: int = WINDOWS_PER_BATCH) -> Tensor:
    """(B, K, H, W) outputs of a network on (B, C, H, W) images.

    Larger images are split into overlapping windows of four times the training size; overlapping outputs are averaged
    with weights that are largest in the middle of a window, so that no seams show.

    Args:
        model: maps (B, C, H, W) to (B, K, H, W) for any H and W.
        x: images.
        size: height and width of the training images.
        at_once: pixels per image above which windows are used.
    """
    height, width = x.shape[-2:]
    if height * width <= at_once:
        output: Tensor = model(x)
        return output
    sides = (min(4 * size[0], height), min(4 * size[1], width))
    total, weights = None, torch.zeros((height, width), device=x.device)
    weight = _window_weight(sides[0])[:, None] * _window_weight(sides[1])[None]
    weight = weight.to(x.device)
    for top in _starts(height, sides[0]):
        for left in _starts(width, sides[1]):
            window = (..., slice(top, top + sides[0]), slice(left, left + sides[1]))
            output = model(x[window]).float()
            if total is None:
                total = output.new_zeros((*output.shape[:2], height, width))
            total[window] += weight * output
            weights[window] += weight
    assert total is not None  # there is at least one window
    averaged: Tensor = total / weights
    return averaged


def _starts(side: int, window: int) -> list[int]:
    """Evenly spaced first pixels of windows; the last window ends at the border."""
    step = max(1, window - window // OVERLAP)
    count = max(1, -(-(side - window) // step) + 1)
    return [round(number * (side - window) / max(count - 1, 1)) for number in range(count)]


def _window_weight(window: int) -> Tensor:
    """(window,) weights that rise linearly from the ends to the middle."""
    position = torch.arange(window) + 0.5
    return torch.minimum(position, window - position)
