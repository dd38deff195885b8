"""The pointing game: images with annotated objects, their attribution maps, and a summary of the scores."""

from typing import Any

import numpy as np
import torch

from convscope.analysis.attribution_maps import attribution, display_name
from convscope.analysis.images import ImageSet
from convscope.analysis.target import AnalysisTarget
from convscope.errors import ConfigError
from convscope.explainers import Attribution, Pointing

BATCH = 16  # images per batch of maps


def annotated_images(subject: AnalysisTarget, images: ImageSet) -> ImageSet:
    """Return the images with an annotated object of their class.

    Raises:
        ConfigError: none has one.
    """
    if images.object_masks is None:
        raise ConfigError(
            f"images: {subject.name} has no boxes or masks, so no object is known; "
            "train on data with boxes or masks, or pass object_masks to wrap_module"
        )
    images = images.select(np.flatnonzero(images.masks_of(images.targets).any((1, 2))))
    if not len(images):
        raise ConfigError("images: none has an annotated object of its class; choose others")
    return images


def batched_maps(
    subject: AnalysisTarget, images: ImageSet, job: tuple[str, str], channels: tuple[int, ...], seed: int
) -> Attribution:
    """Compute the maps of one method for all images, in batches."""
    parts = []
    for first in range(0, len(images), BATCH):
        batch = slice(first, first + BATCH)
        targets = torch.from_numpy(images.targets[batch])
        parts.append(attribution(subject.model, subject.input(images, batch), job, targets, channels, seed))
    arrays: list[Any] = [
        np.concatenate([getattr(one, name) for one in parts]) for name in ("targets", "scores", "values", "maps")
    ]
    return Attribution(parts[0].method, parts[0].layer, *arrays)


def pointing_sentence(method: str, layer: str, game: Pointing) -> str:
    """Summarise the scores of one method in a sentence."""
    result = game.to_json()
    return (
        f"{display_name(method)} {layer}".strip()
        + f": its peak lies on the object in {100 * result['hits']:.0f} % of the images, "
        f"and {100 * result['energy']:.0f} % of its energy; the object is {100 * result['area']:.0f} % of the image"
    )
