"""Feature maps of a layer, and the channels that are inactive."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor, nn

from convscope.errors import ModelError
from convscope.explain.hooks import record


@dataclass(frozen=True)
class Activations:
    """A layer's feature maps.

    Attributes:
        layer: the layer's name.
        maps: (B, C, h, w) float32; h = w = 1 if the layer returns vectors.
        empty: (B, C) bool, whether the map is inactive (see `activations`).
    """

    layer: str
    maps: np.ndarray
    empty: np.ndarray

    def to_json(self) -> dict[str, Any]:
        """Return per image the fraction and indices of empty channels, and each channel's mean and largest value."""
        return {
            "layer": self.layer,
            "shape": list(self.maps.shape[1:]),
            "empty_share": self.empty.mean(1).tolist(),
            "empty_channels": [np.flatnonzero(row).tolist() for row in self.empty],
            "mean": self.maps.mean((2, 3)).tolist(),
            "largest": self.maps.max((2, 3)).tolist(),
        }


def activations(model: nn.Module, x: Tensor, layers: Sequence[str], share: float = 0.001) -> dict[str, Activations]:
    """Return the maps of all channels of the named layers, from one forward pass.

    Zeiler and Fergus 2014, figure 2, without the back-projection.

    Args:
        model: any network.
        x: (B, C, H, W) preprocessed images.
        layers: dotted module paths.
        share: a channel is empty if no magnitude in it exceeds this fraction of the largest in the layer for that
            image; after a ReLU empty channels are usually all zero, other layers need a threshold.
    Raises:
        ModelError: no such layer, or its output is neither maps nor vectors.
    """
    with record(model, *layers) as kept:
        model(x)
    return {layer: _to_activations(layer, kept[layer], share) for layer in layers}


def _to_activations(layer: str, output: Tensor, share: float) -> Activations:
    if output.ndim not in (2, 4):
        shape = tuple(output.shape)
        raise ModelError(
            f"layer {layer}: output of shape {shape}; choose a layer that returns maps (B, C, h, w) or vectors (B, C)"
        )
    maps = output.float().cpu().numpy()
    maps = maps if maps.ndim == 4 else maps[:, :, None, None]
    largest = np.abs(maps).max((2, 3))
    return Activations(layer, maps, largest <= share * largest.max(1, keepdims=True))
