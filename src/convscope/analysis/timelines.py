"""Grad-CAM over time, and its figure."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor, nn
from torch.nn import functional

from convscope.analysis.deepest_stage import deepest_stage
from convscope.analysis.images import ImageSet
from convscope.analysis.layout import INK, font
from convscope.analysis.target import AnalysisTarget
from convscope.datasets.inputs.series_drawing import draw_lines
from convscope.errors import ConfigError
from convscope.explainers import record
from convscope.explainers.targets import class_scores

FEWEST_POSITIONS = 8
LINE, STRIP, TITLE = 90, 14, 18
"""Heights of the parts of a row, in pixels."""
WIDTH = 480


def map_layer(target: AnalysisTarget, series: ImageSet) -> str:
    """The last stage with at least 8 positions over time; the first stage if there is none."""
    return deepest_stage(target, series, FEWEST_POSITIONS, "over time")


def time_maps(model: nn.Module, x: Tensor, layer: str, targets: NDArray[Any]) -> NDArray[np.float32]:
    """Grad-CAM (Selvaraju et al. 2017, equations 1 and 2) over time.

    Args:
        model: a network with (B, K) logits.
        x: (B, C, L) inputs.
        layer: a layer that returns (B, C, l).
        targets: (B,) class indices.

    Returns:
        (B, L) not negative, in units of the class logit, linearly interpolated from the layer's positions.

    Raises:
        ConfigError: the layer has no maps over time.
    """
    with record(model, layer, gradients=True) as kept:
        scores, _ = class_scores(model(x), torch.as_tensor(targets))
        activation = kept[layer]
        if activation.ndim != 3:
            raise ConfigError(f"layers: {layer} has no maps over time; name a convolution or a stage")
        (gradient,) = torch.autograd.grad(scores.sum(), activation)
    weighted = (gradient.mean(2, keepdim=True) * activation).sum(1, keepdim=True).relu().detach().float()
    found = functional.interpolate(weighted, x.shape[-1], mode="linear", align_corners=False)
    return found[:, 0].cpu().numpy()


def timeline_sheet(series: ImageSet, numbers: Sequence[Mapping[str, Any]]) -> NDArray[np.uint8]:
    """(H, W, 3) each series as lines, with its names above and its map below, dark where it supports the class."""
    row = TITLE + LINE + STRIP + 8
    image = Image.new("RGB", (WIDTH, row * len(numbers)), "white")
    draw, values = ImageDraw.Draw(image), series.pixels().numpy()
    for index, one in enumerate(numbers):
        top = index * row
        wrong = f" (label {one['truth']})" if one["truth"] not in ("", one["prediction"]) else ""
        text = f"{one['name']}: predicted {one['prediction']}, {100 * one['confidence']:.0f} %{wrong}"
        draw.text((4, top + 2), text, fill=INK, font=font("label"))
        image.paste(Image.fromarray(draw_lines(values[index], (LINE, WIDTH))), (0, top + TITLE))
        image.paste(_strip(np.asarray(one["map"])), (4, top + TITLE + LINE))
    return np.asarray(image)


def _strip(values: NDArray[Any]) -> Image.Image:
    share = values / max(float(values.max()), 1e-12)
    colors = np.array([255, 255, 255]) + share[:, None] * (np.array([178, 24, 43]) - 255)
    strip = Image.fromarray(np.rint(colors)[None].astype(np.uint8))
    return strip.resize((WIDTH - 8, STRIP), Image.Resampling.BILINEAR)
