"""Feature maps of a few fixed validation images, saved at each epoch in ``probes/``."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from convscope.analysis.images import image_set_of
from convscope.analysis.selection import round_robin, stages
from convscope.explainers import SnapshotSettings, record, save_snapshot
from convscope.files import atomic_write
from convscope.runs.loaders import PreparedData

NAMES = "probes.json"
LIMITS = SnapshotSettings(channels=16, side=32, most_bytes=20_000_000)


@dataclass(frozen=True, eq=False)
class Probes:
    """The folder, the preprocessed images (N, C, H, W), and the layers whose feature maps are saved."""

    folder: Path
    x: Tensor
    layers: tuple[str, ...]

    @classmethod
    def choose(cls, folder: Path, prepared: PreparedData, model: nn.Module, count: int) -> "Probes | None":
        """Choose the first validation images, round-robin by class; None if `count` is 0, no layer has feature
        maps, or the inputs are no images.

        The network, its mode and the random states are unchanged.
        """
        if not count or len(prepared.preprocessing.size) != 2:
            return None
        images = image_set_of(prepared, "validation")
        some = images.select(round_robin(images.targets, count))
        weight = next(model.parameters())
        pixels = (255 * some.pixels()).round().to(torch.uint8)
        x = prepared.preprocessing(pixels).to(weight.device)
        layers = _spatial_layers(model, x)
        if not layers:
            return None
        content = {"names": some.names, "layers": layers}
        atomic_write(folder / NAMES, (json.dumps(content, indent=1) + "\n").encode())
        return cls(folder, x, layers)

    def keep(self, model: nn.Module, epoch: int) -> str:
        """Save the feature maps of an epoch; return the error as text, or "", since training continues without them."""
        try:
            save_snapshot(model, self.x, self.layers, self.folder, epoch, LIMITS)
        except OSError as error:
            return f"the probes' feature maps were not saved ({error.strerror}); training continues"
        return ""


def _spatial_layers(model: nn.Module, x: Tensor) -> tuple[str, ...]:
    """Return the stages whose feature maps have more than one position."""
    layers = stages(model, x)
    with record(model, *layers) as recorded:
        model(x)
        return tuple(layer for layer in layers if recorded[layer].ndim == 4 and np.prod(recorded[layer].shape[2:]) > 1)
