"""What a channel, a neuron, a layer, a direction or a class wants to see: pictures painted from noise."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from convscope.errors import ConfigError, DataError
from convscope.explain.hooks import record
from convscope.explain.synthesis import objectives
from convscope.explain.synthesis.image_params import PixelSpace
from convscope.explain.synthesis.objectives import Objective
from convscope.explain.synthesis.optimise import OptimisationSettings, OptimisedImages, concatenate, optimise
from convscope.progress import Progress

DIVERSITY = 3.0
"""The weight of the diversity term, as a share of the score, where several copies of a target are painted.

On a small trained network it cost 3 to 20 % of the score; at 1 early layers painted the same picture thrice."""

REMINDER = (
    "Beside what the class is, look for what always comes along with it in the training images: a network that learnt "
    "the company instead of the object shows the company here."
)


@dataclass(frozen=True)
class MaximisedImages:
    """Pictures that targets want to see.

    Attributes:
        kind: "channel", "neuron", "layer", "direction" or "class".
        layer: whose; "" for classes.
        targets: (B,) ids; copies of a target follow each other.
        pictures: as painted.
        data_maximum: (B,) the largest score that any real image got, where it was looked for.
        probability: (B,) of the target class, for classes.
    """

    kind: str
    layer: str
    targets: np.ndarray
    pictures: OptimisedImages
    data_maximum: np.ndarray | None = None
    probability: np.ndarray | None = None

    def with_data_maximum(self, maxima: np.ndarray) -> "MaximisedImages":
        """Return this beside what the data reach: maxima (C,) of all channels, from `channel_maxima`."""
        return replace(self, data_maximum=maxima[self.targets])

    def to_json(self) -> dict[str, Any]:
        """Return the numbers, and for classes the reminder that belongs beside their pictures."""
        return {
            "kind": self.kind,
            "layer": self.layer,
            "targets": self.targets.tolist(),
            **self.pictures.to_json(),
            "data_maximum": None if self.data_maximum is None else self.data_maximum.tolist(),
            "probability": None if self.probability is None else self.probability.tolist(),
            "reminder": REMINDER if self.kind == "class" else "",
        }


def maximise_channels(
    model: nn.Module,
    layer: str,
    channels: Sequence[int],
    space: PixelSpace,
    settings: OptimisationSettings | None = None,
    on_progress: Progress | None = None,
) -> MaximisedImages:
    """Pictures that drive the mean of a channel's map as high as they can.

    Erhan et al. 2009; Olah et al. 2017. With several copies of each, a diversity term drives them apart.

    Args:
        model: any network.
        layer: one that gives maps, or vectors.
        channels: ids, any number; `settings.batch` are painted at once.
        space: how pixels become the network's input.
        settings: how they are painted.
        on_progress: called with the steps done, over all batches.
    Raises:
        ModelError, ConfigError: no such layer or channel.
    """
    settings = settings or OptimisationSettings()

    def objective(part: list[int]) -> Objective:
        climb = objectives.channel(layer, part)
        return climb if settings.copies == 1 else objectives.with_diversity(climb, layer, settings.copies, DIVERSITY)

    pictures, targets = _optimise_images(model, channels, objective, space, settings, on_progress)
    return MaximisedImages("channel", layer, targets, pictures)


def maximise_neurons(
    model: nn.Module,
    layer: str,
    channels: Sequence[int],
    space: PixelSpace,
    settings: OptimisationSettings | None = None,
    on_progress: Progress | None = None,
) -> MaximisedImages:
    """Pictures that drive a channel's middle unit; as `maximise_channels`."""
    settings = settings or OptimisationSettings()

    def objective(part: list[int]) -> Objective:
        return objectives.neuron(layer, part)

    pictures, targets = _optimise_images(model, channels, objective, space, settings, on_progress)
    return MaximisedImages("neuron", layer, targets, pictures)


def maximise_layer(
    model: nn.Module,
    layer: str,
    space: PixelSpace,
    settings: OptimisationSettings | None = None,
    on_progress: Progress | None = None,
) -> MaximisedImages:
    """`settings.copies` pictures that drive everything in a layer at once (DeepDream); as `maximise_channels`."""
    settings = settings or OptimisationSettings()

    def objective(part: list[int]) -> Objective:
        return objectives.whole_layer(layer, len(part))

    pictures, targets = _optimise_images(model, [0], objective, space, settings, on_progress)
    return MaximisedImages("layer", layer, targets, pictures)


def maximise_directions(
    model: nn.Module,
    layer: str,
    vectors: Tensor,
    space: PixelSpace,
    settings: OptimisationSettings | None = None,
    on_progress: Progress | None = None,
) -> MaximisedImages:
    """Pictures that drive a layer along directions (D, C); targets are their row numbers; as `maximise_channels`."""
    settings = settings or OptimisationSettings()

    def objective(part: list[int]) -> Objective:
        return objectives.direction(layer, vectors[part])

    pictures, targets = _optimise_images(model, range(len(vectors)), objective, space, settings, on_progress)
    return MaximisedImages("direction", layer, targets, pictures)


def maximise_classes(
    model: nn.Module,
    classes: Sequence[int],
    space: PixelSpace,
    settings: OptimisationSettings | None = None,
    on_progress: Progress | None = None,
) -> MaximisedImages:
    """Pictures that the network takes for a class, with the probability that it gives them.

    Simonyan et al. 2013, section 2, on the log-odds (see `class_log_odds`). `REMINDER` belongs beside them.

    Raises:
        ModelError, ConfigError: no (B, K) logits, or no such class.
    """
    pictures, targets = _optimise_images(
        model, classes, objectives.class_log_odds, space, settings or OptimisationSettings(), on_progress
    )
    probability = 1 / (1 + np.exp(-pictures.final))
    return MaximisedImages("class", "", targets, pictures, probability=probability)


def channel_maxima(
    model: nn.Module,
    layer: str,
    batches: Iterable[Tensor],
    on_progress: Progress | None = None,
    middle: bool = False,
) -> np.ndarray:
    """The largest mean activation (C,) that each channel of a layer shows on any of the images (B, C, H, W).

    With `middle`, that of the unit in the middle of its map, which `maximise_neurons` drives.

    Raises:
        DataError: no images.
    """
    largest, seen = None, 0
    with record(model, layer) as kept:
        for x in batches:
            kept.forward(x)
            top = _scores(kept[layer], middle).amax(0).float()
            largest = top if largest is None else torch.maximum(largest, top)
            seen += len(x)
            if on_progress:
                on_progress(seen, None)
    if largest is None:
        raise DataError("channel maxima: no images; give at least one batch")
    return largest.cpu().numpy()


def _scores(output: Tensor, middle: bool) -> Tensor:
    """(B, C) what each channel is driven to."""
    if output.ndim == 4 and middle:
        return output[:, :, output.shape[2] // 2, output.shape[3] // 2]
    return output.flatten(2).mean(2) if output.ndim > 2 else output


def _optimise_images(
    model: nn.Module,
    targets: Sequence[int],
    objective: Callable[[list[int]], Objective],
    space: PixelSpace,
    settings: OptimisationSettings,
    on_progress: Progress | None,
) -> tuple[OptimisedImages, np.ndarray]:
    """Paint any number of targets, each in copies, so many at once as the settings say."""
    if not len(targets):
        raise ConfigError("targets: none; name at least one")
    at_once = max(1, settings.batch // settings.copies)
    parts = [list(targets[first : first + at_once]) for first in range(0, len(targets), at_once)]
    painted = []
    for place, part in enumerate(parts):

        def report(done: int, of: int | None, before: int = place) -> None:
            if on_progress and of:
                on_progress(before * of + done, len(parts) * of)

        repeated = [target for target in part for _ in range(settings.copies)]
        with torch.inference_mode(False):  # gradients cannot pass through what is made in that mode
            goal = objective(repeated)
        painted.append(optimise(model, goal, space, settings, report))
    return concatenate(painted), np.repeat(np.array(targets), settings.copies)
