"""Activation maximisation: images optimised to maximise a channel, neuron, layer, direction or class."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from convscope.errors import ConfigError, DataError
from convscope.explainers.hooks import record
from convscope.explainers.synthesis import objectives
from convscope.explainers.synthesis.image_params import PixelSpace
from convscope.explainers.synthesis.objectives import Objective
from convscope.explainers.synthesis.optimise import OptimisationSettings, OptimisedImages, concatenate, optimise
from convscope.progress import Progress

DIVERSITY = 3.0
"""Weight of the diversity term, as a fraction of the score, if several copies of a target are optimised.

On a small trained network it cost up to 20 % of the score, and copies of a channel with several optima became different
(similarity 0.43 instead of 0.99); a channel with one optimum keeps it."""

CONTEXT_LIMITATION = (
    "Look for context that always accompanies the class in the training images: if the network relies on context "
    "instead of the object, the context appears here."
)


@dataclass(frozen=True)
class MaximisedImages:
    """Images optimised to maximise their targets.

    Attributes:
        kind: "channel", "neuron", "layer", "direction" or "class".
        layer: the layer's name; "" for classes.
        targets: (B,) indices; copies of a target are consecutive.
        pictures: the optimised images.
        data_maximum: (B,) the largest score of any real image, if it was computed.
        probability: (B,) probability of the target class, for classes.
    """

    kind: str
    layer: str
    targets: np.ndarray
    pictures: OptimisedImages
    data_maximum: np.ndarray | None = None
    probability: np.ndarray | None = None

    def with_data_maximum(self, maxima: np.ndarray) -> "MaximisedImages":
        """Return a copy with the largest scores on real images; maxima (C,) of all channels from `channel_maxima`."""
        return replace(self, data_maximum=maxima[self.targets])

    def to_json(self) -> dict[str, Any]:
        """Return targets and scores, and for classes the limitation to state with the images."""
        return {
            "kind": self.kind,
            "layer": self.layer,
            "targets": self.targets.tolist(),
            **self.pictures.to_json(),
            "data_maximum": None if self.data_maximum is None else self.data_maximum.tolist(),
            "probability": None if self.probability is None else self.probability.tolist(),
            "limitation": CONTEXT_LIMITATION if self.kind == "class" else "",
        }


def maximise_channels(
    model: nn.Module,
    layer: str,
    channels: Sequence[int],
    space: PixelSpace,
    settings: OptimisationSettings | None = None,
    on_progress: Progress | None = None,
) -> MaximisedImages:
    """Optimise images to maximise the mean of a channel's map.

    Erhan et al. 2009; Olah et al. 2017. With several copies per channel, a diversity term makes them differ.

    Args:
        model: any network.
        layer: a layer that returns maps or vectors.
        channels: any number of indices; `settings.batch` images are optimised at once.
        space: maps pixels to the network's input.
        settings: optimisation settings.
        on_progress: called with the number of steps done and the total, over all batches.
    Raises:
        ModelError, ConfigError: no such layer or channel.
    """
    settings = settings or OptimisationSettings()

    def objective(part: list[int]) -> Objective:
        single = objectives.channel(layer, part)
        return single if settings.copies == 1 else objectives.with_diversity(single, layer, settings.copies, DIVERSITY)

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
    """Optimise images to maximise a channel's middle unit; arguments as for `maximise_channels`."""
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
    """Optimise `settings.copies` images to maximise a whole layer (DeepDream); arguments as for `maximise_channels`."""
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
    """Optimise images to maximise a layer along directions (D, C); targets are row indices; see `maximise_channels`."""
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
    """Optimise images to maximise a class's log-odds, and return the probability of the class.

    Simonyan et al. 2013, section 2, on the log-odds (see `class_log_odds`). State `CONTEXT_LIMITATION` with the images.

    Raises:
        ModelError, ConfigError: the output is not (B, K) logits, or no such class.
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
    """Return the largest mean activation (C,) of each channel of a layer on any of the images (B, C, H, W).

    With `middle`, the largest activation of the unit in the middle of the map, as in `maximise_neurons`.

    Raises:
        DataError: no images.
    """
    largest, done = None, 0
    with record(model, layer) as kept:
        for x in batches:
            kept.forward(x)
            top = _scores(kept[layer], middle).amax(0).float()
            largest = top if largest is None else torch.maximum(largest, top)
            done += len(x)
            if on_progress:
                on_progress(done, None)
    if largest is None:
        raise DataError("channel maxima: no images; pass at least one batch")
    return largest.cpu().numpy()


def _scores(output: Tensor, middle: bool) -> Tensor:
    """Return the score (B, C) of each channel that is maximised."""
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
    """Optimise any number of targets with `settings.copies` each, `settings.batch` images at once."""
    if not len(targets):
        raise ConfigError("targets: none; name at least one")
    at_once = max(1, settings.batch // settings.copies)
    parts = [list(targets[first : first + at_once]) for first in range(0, len(targets), at_once)]
    images = []
    for index, part in enumerate(parts):

        def report(done: int, total: int | None, before: int = index) -> None:
            if on_progress and total:
                on_progress(before * total + done, len(parts) * total)

        repeated = [target for target in part for _ in range(settings.copies)]
        with torch.inference_mode(False):  # tensors created in inference mode have no gradients
            batch_objective = objective(repeated)
        images.append(optimise(model, batch_objective, space, settings, report))
    return concatenate(images), np.repeat(np.array(targets), settings.copies)
