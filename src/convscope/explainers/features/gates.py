"""Gates of squeeze-and-excite blocks: the factor in (0, 1) by which a block multiplies each channel of an image."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from convscope.explainers.hooks import record

GATE_FUNCTIONS = (nn.Sigmoid, nn.Hardsigmoid)


@dataclass(frozen=True, eq=False)
class Gates:
    """The gates of one block for a number of images.

    Attributes:
        block: the path of the function that computes them, as in `model.named_modules()`.
        values: (N, C), one row per image.
    """

    block: str
    values: np.ndarray

    def of_classes(self, targets: np.ndarray, num_classes: int) -> np.ndarray:
        """Return the mean gates of each class, (K, C); nan for a class without images."""
        rows = [self.values[targets == one] for one in range(num_classes)]
        empty = np.full(self.values.shape[1], np.nan)
        return np.stack([found.mean(0) if len(found) else empty for found in rows])

    def between_classes(self, targets: np.ndarray) -> float:
        """Return the share of the gates' variance that lies between classes, in [0, 1]; 0 if they are constant.

        1: all images of a class have the same gates; near 0: the gates do not depend on the class.
        """
        total = float(((self.values - self.values.mean(0)) ** 2).sum())
        means = {one: self.values[targets == one].mean(0) for one in np.unique(targets)}
        within = float(sum(((row - means[one]) ** 2).sum() for row, one in zip(self.values, targets, strict=True)))
        return 1 - within / total if total > 0 else 0.0

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        low, high = float(self.values.min()), float(self.values.max())
        return {"block": self.block, "channels": self.values.shape[1], "low": low, "high": high}


def gate_layers(model: nn.Module, x: Tensor) -> list[str]:
    """Return the paths of the modules whose outputs are gates: sigmoids with one value per image and channel.

    Args:
        model: any network.
        x: (B, C, ...) inputs, of which the first is used.
    """
    names = [name for name, module in model.named_modules() if isinstance(module, GATE_FUNCTIONS)]
    with record(model, *names) as kept, torch.no_grad():
        model(x[:1])
    return [name for name in names if kept[name].ndim > 2 and kept[name][0, 0].numel() == 1]


def gates(model: nn.Module, batches: Iterable[Tensor], layers: list[str]) -> list[Gates]:
    """Return the gates of each layer for all images of the batches.

    Source: Hu et al. (2017), "Squeeze-and-Excitation Networks", section 7.2.

    Args:
        model: any network.
        batches: of (B, C, ...) inputs.
        layers: as `gate_layers` returns them.
    """
    found: dict[str, list[np.ndarray]] = {layer: [] for layer in layers}
    for x in batches:
        with record(model, *layers) as kept, torch.no_grad():
            model(x)
        for layer in layers:
            found[layer].append(kept[layer].flatten(1).float().cpu().numpy())
    return [Gates(layer, np.concatenate(rows)) for layer, rows in found.items()]
