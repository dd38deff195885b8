"""Grad-CAM over volumes, and its figure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from convscope.analysis.deepest_stage import deepest_stage
from convscope.analysis.images import ImageSet
from convscope.analysis.layout import image_tile, squared, table, titled
from convscope.analysis.target import AnalysisTarget
from convscope.datasets.inputs.volume_drawing import AXES, slice_of
from convscope.errors import ConfigError, ModelError
from convscope.explainers import grad_cam, overlay

FEWEST_POSITIONS = 3
SIDE = 132
"""Pixels of a drawn slice."""
NOTE = (
    "Above each slice: its axis and number, from 0. Each map is on its own scale, from violet to yellow; it shows "
    "which positions matter, not why."
)


@dataclass(frozen=True, eq=False)
class VolumeMap:
    """The map of one volume."""

    values: NDArray[np.float32]
    """(D, H, W) not negative, in units of the class logit."""
    slices: list[int]
    """The numbers of the slices through the largest value, across depth, height and width."""


def map_layer(target: AnalysisTarget, volumes: ImageSet) -> str:
    """The last stage with at least 3 positions on each side; the first stage if there is none."""
    return deepest_stage(target, volumes, FEWEST_POSITIONS, "over a volume")


def volume_maps(model: nn.Module, x: torch.Tensor, layer: str, targets: NDArray[Any]) -> list[VolumeMap]:
    """Grad-CAM over volumes, linearly interpolated from the layer's positions.

    Args:
        model: a network with (B, K) logits.
        x: (B, C, D, H, W) inputs.
        layer: a layer that returns (B, C, d, h, w).
        targets: (B,) class indices.

    Raises:
        ConfigError: the layer has no maps over volumes.
    """
    try:
        found = torch.from_numpy(grad_cam(model, x, layer, torch.as_tensor(targets)).maps)
    except ModelError as error:
        if "not maps" not in str(error):
            raise
        raise ConfigError(f"layers: {layer} has no maps over a volume; name a convolution or a stage") from None
    sized = functional.interpolate(found[:, None], tuple(x.shape[2:]), mode="trilinear", align_corners=False)
    return [
        VolumeMap(one, [int(place) for place in np.unravel_index(one.argmax(), one.shape)])
        for one in sized[:, 0].numpy()
    ]


def slice_sheet(
    volumes: ImageSet, maps: Sequence[VolumeMap], numbers: Sequence[Mapping[str, Any]]
) -> NDArray[np.uint8]:  # fmt: skip
    """(H, W, 3) a row for each volume: its three slices, each beside the same slice with the map over it."""
    rows = []
    for values, found, one in zip(volumes.pixels().numpy(), maps, numbers, strict=True):
        tiles: list[NDArray[np.uint8]] = []
        headings: list[str] = []
        for axis, (name, number) in enumerate(zip(AXES, found.slices, strict=True)):
            plain = slice_of(values, axis, number)
            drawn = overlay(plain[:1], slice_of(found.values, axis, number))
            tiles += [image_tile(plain[:1], SIDE), squared(drawn, SIDE)]
            headings += [f"{name} {number}", "Grad-CAM"]
        rows.append((_caption(one), tiles, headings))
    return titled(table(rows), "Slices through the largest value of Grad-CAM", NOTE)


def _caption(one: Mapping[str, Any]) -> str:
    wrong = f" (label {one['truth']})" if one["truth"] not in ("", one["prediction"]) else ""
    return f"{one['name']}: predicted {one['prediction']}, {100 * one['confidence']:.0f} %{wrong}"
