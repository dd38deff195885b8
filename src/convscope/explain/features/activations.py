"""What every channel of a layer answers to an image, and which answer nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor, nn

from convscope.errors import ModelError
from convscope.explain.hooks import record


@dataclass(frozen=True)
class Activations:
    """A layer's answer.

    Attributes:
        layer: its name.
        maps: (B, C, h, w) float32; h = w = 1 where the layer gives vectors.
        empty: (B, C) bool, a map that would be a black tile.
    """

    layer: str
    maps: np.ndarray
    empty: np.ndarray

    def to_json(self) -> dict[str, Any]:
        """Return per image the share and the ids of empty channels, and each channel's mean and largest value."""
        return {
            "layer": self.layer,
            "shape": list(self.maps.shape[1:]),
            "empty_share": self.empty.mean(1).tolist(),
            "empty_channels": [np.flatnonzero(row).tolist() for row in self.empty],
            "mean": self.maps.mean((2, 3)).tolist(),
            "largest": self.maps.max((2, 3)).tolist(),
        }


def activations(model: nn.Module, x: Tensor, layers: Sequence[str], share: float = 0.001) -> dict[str, Activations]:
    """Every channel's map in the named layers, from one pass.

    Zeiler and Fergus 2014, figure 2, the plain part: no back-projection.

    Args:
        model: any network.
        x: (B, C, H, W) images as the network takes them.
        layers: dotted module paths.
        share: a channel is empty where none of its values exceeds this share of the layer's largest in that image;
            after a ReLU that means all zero, but for layers without one there has to be a line.
    Raises:
        ModelError: no such layer, or one that gives neither maps nor vectors.
    """
    with record(model, *layers) as kept:
        model(x)
    return {layer: _answer(layer, kept[layer], share) for layer in layers}


def _answer(layer: str, output: Tensor, share: float) -> Activations:
    if output.ndim not in (2, 4):
        shape = tuple(output.shape)
        raise ModelError(
            f"layer {layer}: gives a tensor of shape {shape}; choose one with maps (B, C, h, w) or vectors"
        )
    maps = output.float().cpu().numpy()
    maps = maps if maps.ndim == 4 else maps[:, :, None, None]
    strongest = np.abs(maps).max((2, 3))
    return Activations(layer, maps, strongest <= share * strongest.max(1, keepdims=True))
