"""Whether heat maps point at the objects that boxes or masks mark."""

from typing import Any

import numpy as np
import torch

from convscope.analysis.attribution import attribution, attribution_sheet, chosen_maps, method_name
from convscope.analysis.images import ImageSet
from convscope.analysis.result import Findings
from convscope.analysis.selection import chosen_images, probabilities
from convscope.analysis.settings import PointingSettings
from convscope.analysis.target import AnalysisTarget
from convscope.errors import ConfigError
from convscope.explain import Attribution, Pointing, pointing_game
from convscope.progress import Progress

BATCH = 16  # images whose maps are made at once
SHOWN = 8


def pointing_game_scores(subject: AnalysisTarget, settings: PointingSettings, on_progress: Progress) -> Findings:
    """The pointing game: for each kind of map, how often its peak, and how much of it, lies on the marked object.

    Maps follow the true class, whether it is answered or not: the question is where its evidence is.
    """
    images = _marked(subject, settings)
    jobs = chosen_maps(subject, settings, subject.input(images, slice(0, 1)))
    maps, games = [], []
    for done, job in enumerate(jobs, 1):
        maps.append(_maps(subject, images, job, settings))
        games.append(pointing_game(maps[-1].maps, images.masks_of(images.targets)))
        on_progress(done, len(jobs))
    few = images.select(np.arange(min(SHOWN, len(images))))
    sheet = attribution_sheet(subject, few, probabilities(subject, few), maps, few.masks_of(few.targets))
    numbers = {
        "images": images.names,
        "maps": [
            {"method": how, "layer": layer, **game.to_json()} for (how, layer), game in zip(jobs, games, strict=True)
        ],
    }
    says = tuple(_verdict(how, layer, game) for (how, layer), game in zip(jobs, games, strict=True))
    return Findings({"pointing": sheet}, numbers, says)


def _marked(subject: AnalysisTarget, settings: PointingSettings) -> ImageSet:
    """The images with a marked object of their class.

    Raises:
        ConfigError: there are none.
    """
    images = chosen_images(subject, settings.images, settings.split, settings.each, settings.most, settings.seed)
    if images.object_masks is None:
        raise ConfigError(
            f"images: those of {subject.name} come without boxes or masks, so nothing says where a map should point; "
            "train on data that have some, or give marks to own_module"
        )
    images = images.select(np.flatnonzero(images.masks_of(images.targets).any((1, 2))))
    if not len(images):
        raise ConfigError("images: none has a marked object of its class; choose others")
    return images


def _maps(subject: AnalysisTarget, images: ImageSet, job: tuple[str, str], settings: PointingSettings) -> Attribution:
    """One kind of map of all images, some at a time."""
    parts = []
    for first in range(0, len(images), BATCH):
        places = slice(first, first + BATCH)
        targets = torch.from_numpy(images.targets[places])
        parts.append(attribution(subject.model, subject.input(images, places), job, targets, settings))
    arrays: list[Any] = [
        np.concatenate([getattr(one, name) for one in parts]) for name in ("targets", "scores", "values", "maps")
    ]
    return Attribution(parts[0].method, parts[0].layer, *arrays)


def _verdict(how: str, layer: str, game: Pointing) -> str:
    text = game.to_json()
    return (
        f"{method_name(how)} {layer}".strip()
        + f": its peak lies on the object in {100 * text['hits']:.0f} % of the images, "
        f"and {100 * text['energy']:.0f} % of what it holds; the object is {100 * text['area']:.0f} % of the image"
    )
