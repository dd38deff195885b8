"""The pointing game: images with marked objects, attribution maps of them, and what the scores say."""

from typing import Any

import numpy as np
import torch

from convscope.analysis.attribution_maps import attribution, words
from convscope.analysis.images import ImageSet
from convscope.analysis.target import AnalysisTarget
from convscope.errors import ConfigError
from convscope.explainers import Attribution, Pointing

BATCH = 16  # images whose maps are made at once


def marked_images(subject: AnalysisTarget, images: ImageSet) -> ImageSet:
    """The images with a marked object of their class.

    Raises:
        ConfigError: there are none.
    """
    if images.object_masks is None:
        raise ConfigError(
            f"images: those of {subject.name} come without boxes or masks, so nothing says where a map should point; "
            "train on data that have some, or give marks to own_module"
        )
    images = images.select(np.flatnonzero(images.masks_of(images.targets).any((1, 2))))
    if not len(images):
        raise ConfigError("images: none has a marked object of its class; choose others")
    return images


def batched_maps(
    subject: AnalysisTarget, images: ImageSet, job: tuple[str, str], channels: tuple[int, ...], seed: int
) -> Attribution:
    """One kind of map of all images, some at a time."""
    parts = []
    for first in range(0, len(images), BATCH):
        places = slice(first, first + BATCH)
        targets = torch.from_numpy(images.targets[places])
        parts.append(attribution(subject.model, subject.input(images, places), job, targets, channels, seed))
    arrays: list[Any] = [
        np.concatenate([getattr(one, name) for one in parts]) for name in ("targets", "scores", "values", "maps")
    ]
    return Attribution(parts[0].method, parts[0].layer, *arrays)


def verdict(method: str, layer: str, game: Pointing) -> str:
    """The scores of one kind of map in a sentence."""
    result = game.to_json()
    return (
        f"{words(method)} {layer}".strip()
        + f": its peak lies on the object in {100 * result['hits']:.0f} % of the images, "
        f"and {100 * result['energy']:.0f} % of what it holds; the object is {100 * result['area']:.0f} % of the image"
    )
