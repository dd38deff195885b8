"""Feature inversion: optimise an image from noise until a layer's output equals its output for a given image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from convscope.explainers.hooks import record
from convscope.explainers.synthesis.image_params import PixelSpace
from convscope.explainers.synthesis.objectives import feature_match
from convscope.explainers.synthesis.optimise import OptimisationSettings, OptimisedImages, optimise
from convscope.explainers.synthesis.transforms import Transforms
from convscope.progress import Progress


class InversionSettings(OptimisationSettings, frozen=True):
    """Settings of inversion, with defaults that differ from those of maximisation.

    Nothing is transformed, since the activation at each position counts.
    """

    steps: int = Field(512, ge=1)
    learning_rate: float = Field(0.05, gt=0)
    transforms: Transforms = Transforms(crop=1, noise=0, rotate=0)


CONVERGED = 0.9
"""The fall in feature loss from which on an inversion counts as one."""


@dataclass(frozen=True)
class Inversion:
    """Pictures that a layer takes for the given images.

    Attributes:
        layer: its name.
        pictures: the optimised images.
        loss_start: (B,) squared feature distance of the noise, relative to the image's own square.
        loss_final: (B,) that of the pictures.
        similarity: (B,) correlation of the pictures' pixels with the images', from -1 to 1.
    """

    layer: str
    pictures: OptimisedImages
    loss_start: np.ndarray
    loss_final: np.ndarray
    similarity: np.ndarray

    @property
    def loss_reduction(self) -> np.ndarray:
        """(B,) how far the feature loss fell, as a share."""
        return np.asarray(1 - self.loss_final / self.loss_start)

    @property
    def converged(self) -> np.ndarray:
        """(B,) whether it fell by 90 % or more."""
        return self.loss_reduction >= CONVERGED

    def to_json(self) -> dict[str, Any]:
        """Return the numbers, and a warning where the loss did not fall enough."""
        missed = np.flatnonzero(~self.converged).tolist()
        return {
            "layer": self.layer,
            "loss_start": self.loss_start.tolist(),
            "loss_final": self.loss_final.tolist(),
            "fall": self.loss_reduction.tolist(),
            "likeness": self.similarity.tolist(),
            "warning": f"the feature loss fell by less than 90 % for images {missed}; take more steps"
            if missed
            else "",
        }


def invert(
    model: nn.Module,
    x: Tensor,
    layers: Sequence[str] | Mapping[str, Sequence[int]],
    space: PixelSpace,
    settings: InversionSettings | None = None,
    on_progress: Progress | None = None,
) -> tuple[Inversion, ...]:
    """For each layer, images whose output at that layer is close to that for x.

    Mahendran and Vedaldi 2015, equations 1 and 2. What makes pictures natural is the Fourier parameterisation, not a
    penalty as there, so that the loss is the feature distance alone.

    Args:
        model: any network.
        x: (B, C, H, W) images as the network takes them; all are optimised at once.
        layers: from early to late shows what each forgets; a mapping says which channels of each are to agree.
        space: how pixels become the network's input.
        settings: the size is x's, whatever they say, and copies are not made.
        on_progress: called with the steps done, over all layers.
    Raises:
        ModelError: no such layer, or no gradient reaches the pixels.
    """
    settings = (settings or InversionSettings()).model_copy(update={"size": tuple(x.shape[2:]), "copies": 1})
    results = []
    for place, layer in enumerate(layers):

        def report(done: int, of: int | None, before: int = place) -> None:
            if on_progress and of:
                on_progress(before * of + done, len(layers) * of)

        channels = layers[layer] if isinstance(layers, Mapping) else ()
        results.append(_invert(model, x, (layer, channels), space, settings, report))
    return tuple(results)


def _invert(
    model: nn.Module,
    x: Tensor,
    goal: tuple[str, Sequence[int]],
    space: PixelSpace,
    settings: OptimisationSettings,
    report: Progress,
) -> Inversion:
    layer, channels = goal
    with record(model, layer) as kept:
        model(x)
        features = kept[layer].detach()
    with torch.inference_mode(False):  # gradients cannot pass through what is made in that mode
        objective = feature_match(layer, features, channels)
    pictures = optimise(model, objective, space, settings, report)
    return Inversion(
        layer, pictures, -pictures.start, -pictures.final, _similarity(pictures.pixels, space.to_pixels(x))
    )


def _similarity(painted: np.ndarray, image: Tensor) -> np.ndarray:
    first, second = (array.reshape(len(array), -1) for array in (painted, image.detach().float().cpu().numpy()))
    first, second = first - first.mean(1, keepdims=True), second - second.mean(1, keepdims=True)
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return np.asarray((first * second).sum(1) / np.where(lengths > 0, lengths, 1))
