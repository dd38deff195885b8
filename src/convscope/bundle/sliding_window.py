"""A dense network on images of any size: at once where it fits, else window by window."""

import torch
from torch import Tensor, nn

WINDOWS_PER_BATCH = 2**21  # pixels of one image that go through a network together
OVERLAP = 4  # a window overlaps the next by a quarter of its side


def sliding_window(model: nn.Module, x: Tensor, size: tuple[int, int], at_once: int = WINDOWS_PER_BATCH) -> Tensor:
    """(B, K, H, W) outputs of a network on (B, C, H, W) images.

    Larger images are cut into overlapping windows of four times the side that the network was trained on; where windows
    overlap their outputs are averaged, the middle of a window counting most, so that no seam shows.

    Args:
        model: gives (B, K, H, W) for (B, C, H, W) of any H and W.
        x: images.
        size: height and width of the training images.
        at_once: pixels above which windows are cut.
    """
    height, width = x.shape[-2:]
    if height * width <= at_once:
        found: Tensor = model(x)
        return found
    sides = (min(4 * size[0], height), min(4 * size[1], width))
    total, weights = None, torch.zeros((height, width), device=x.device)
    weight = _window_weight(sides[0])[:, None] * _window_weight(sides[1])[None]
    weight = weight.to(x.device)
    for top in _starts(height, sides[0]):
        for left in _starts(width, sides[1]):
            place = (..., slice(top, top + sides[0]), slice(left, left + sides[1]))
            output = model(x[place]).float()
            if total is None:
                total = output.new_zeros((*output.shape[:2], height, width))
            total[place] += weight * output
            weights[place] += weight
    assert total is not None  # there is one window at least
    averaged: Tensor = total / weights
    return averaged


def _starts(side: int, window: int) -> list[int]:
    """Where windows begin, evenly, so that the last one ends at the border."""
    step = max(1, window - window // OVERLAP)
    count = max(1, -(-(side - window) // step) + 1)
    return [round(number * (side - window) / max(count - 1, 1)) for number in range(count)]


def _window_weight(window: int) -> Tensor:
    """Rising from the ends of a window to its middle."""
    place = torch.arange(window) + 0.5
    return torch.minimum(place, window - place)
