"""Objectives of image optimisation: a channel, neuron, layer, class, direction, or the features of another image.

An objective scores each image of a batch separately, so images do not affect each other. Objectives can be added and
multiplied by numbers: `channel("stages.2", [3, 3]) + 0.1 * diversity("stages.2", 2)`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from convscope.errors import ConfigError
from convscope.explainers.hooks import Record, check_channels
from convscope.explainers.targets import check_classes, logits_of

Score = Callable[[Record, Tensor], Tensor]


@dataclass(frozen=True)
class Objective:
    """A score to maximise.

    Attributes:
        layers: layers to record; "" is the network's output.
        count: images in the batch; 0 fits any number.
        score: function of the record and the pixels (B, C, H, W), returns (B,).
        keeps_best: whether the image of the highest score is the one to keep, not the last.
    """

    layers: tuple[str, ...]
    count: int
    score: Score
    keeps_best: bool = True

    def __add__(self, other: "Objective") -> "Objective":
        if self.count and other.count and self.count != other.count:
            raise ConfigError(
                f"objectives: {self.count} and {other.count} images; add objectives with equal numbers of images"
            )
        layers = tuple(dict.fromkeys(self.layers + other.layers))
        return Objective(layers, self.count or other.count, lambda kept, x: self.score(kept, x) + other.score(kept, x))

    def __rmul__(self, weight: float) -> "Objective":
        return Objective(self.layers, self.count, lambda kept, x: weight * self.score(kept, x))


def channel(layer: str, channels: Sequence[int]) -> Objective:
    """Maximise the mean of one channel's map in each image (Erhan et al. 2009)."""

    def score(kept: Record, _pixels: Tensor) -> Tensor:
        return _target_channel(kept[layer], channels, layer).flatten(1).mean(1)

    return Objective((layer,), len(channels), score)


def neuron(layer: str, channels: Sequence[int], position: tuple[int, int] | None = None) -> Objective:
    """Maximise one unit of a channel's map; position is (row, column), None the middle."""

    def score(kept: Record, _pixels: Tensor) -> Tensor:
        maps = _target_channel(kept.maps(layer), channels, layer)
        row, column = position or (maps.shape[1] // 2, maps.shape[2] // 2)
        if not (0 <= row < maps.shape[1] and 0 <= column < maps.shape[2]):
            size = f"{maps.shape[1]} x {maps.shape[2]}"
            raise ConfigError(
                f"layer {layer}: no unit at row {row}, column {column} in a map of {size}; choose a position inside it"
            )
        return maps[:, row, column]

    return Objective((layer,), len(channels), score)


def whole_layer(layer: str, count: int = 1) -> Objective:
    """Maximise the mean square of a layer's output (DeepDream, Mordvintsev et al. 2015)."""
    return Objective((layer,), count, lambda kept, _pixels: kept[layer].flatten(1).square().mean(1))


def class_log_odds(classes: Sequence[int]) -> Objective:
    """Maximise one class's log-odds, log p / (1 - p), in each image.

    Simonyan et al. 2013, section 2, maximise the logit, which can rise while other logits rise more; the gradient of
    the probability vanishes near 0. The log-odds keep a gradient and determine the probability: p = 0.9 at 2.2.
    """

    def score(kept: Record, _pixels: Tensor) -> Tensor:
        logits = logits_of(kept[""])
        check_classes(list(classes), logits.shape[1])
        chosen = torch.tensor(list(classes), device=logits.device)[:, None]
        others = logits.scatter(1, chosen, -torch.inf).logsumexp(1)
        return logits.gather(1, chosen).squeeze(1) - others

    return Objective(("",), len(classes), score)


def direction(layer: str, vectors: Tensor) -> Objective:
    """Maximise the spatial mean of the activation along a direction; vectors (B, C) are normalised."""
    unit = F.normalize(vectors.float(), dim=1)

    def score(kept: Record, _pixels: Tensor) -> Tensor:
        maps = kept[layer].flatten(2) if kept[layer].ndim > 2 else kept[layer][..., None]
        if maps.shape[1] != unit.shape[1]:
            raise ConfigError(
                f"layer {layer}: {maps.shape[1]} channels, directions of {unit.shape[1]}; use the same number"
            )
        return torch.einsum("bcp,bc->bp", maps, unit.to(maps)).mean(1)

    return Objective((layer,), len(vectors), score)


def feature_match(layer: str, features: Tensor, channels: Sequence[int] = ()) -> Objective:
    """Match given features (B, C, ...): minus the squared distance, relative to their squared norm.

    Mahendran and Vedaldi 2015, equation 2; `channels` restricts the match to those channels.
    """
    check_channels(layer, channels, features.shape[1])
    target = features[:, list(channels)] if channels else features
    square = target.flatten(1).square().sum(1).clamp(min=1e-12)

    def score(kept: Record, _pixels: Tensor) -> Tensor:
        found = kept[layer][:, list(channels)] if channels else kept[layer]
        return -(found - target).flatten(1).square().sum(1) / square

    return Objective((layer,), len(features), score)


def smoothness() -> Objective:
    """Maximise smoothness: minus the mean absolute difference of neighbouring pixels (total variation)."""

    def score(_kept: Record, pixels: Tensor) -> Tensor:
        down, across = (pixels.diff(dim=axis).abs().flatten(1).mean(1) for axis in (2, 3))
        return -(down + across)

    return Objective((), 0, score)


def diversity(layer: str, copies: int) -> Objective:
    """Maximise diversity: minus the mean cosine similarity of the Gram matrices of images with the same target.

    Olah et al. 2017, "Feature Visualization", diversity. The `copies` images of a target are consecutive.
    """
    if copies < 2:
        raise ConfigError(f"diversity: {copies} image per target; choose at least 2 copies")

    def score(kept: Record, _pixels: Tensor) -> Tensor:
        maps = kept.maps(layer).flatten(2)
        grams = F.normalize(torch.einsum("bcp,bdp->bcd", maps, maps).flatten(1), dim=1)
        grams = grams.reshape(-1, copies, grams.shape[1])
        similarity = grams @ grams.transpose(1, 2)
        return (1 - similarity.sum(2)).flatten() / (copies - 1)  # 1: an image's similarity to itself

    return Objective((layer,), 0, score)


def with_diversity(objective: Objective, layer: str, copies: int, share: float) -> Objective:
    """Add a diversity term to an objective; identical images cost the fraction `share` of the score.

    The last images are kept: with a share above 1, the score is highest where the images are still weak.
    """
    diverse = diversity(layer, copies)

    def score(kept: Record, pixels: Tensor) -> Tensor:
        base = objective.score(kept, pixels)
        return base + share * base.detach().abs() * diverse.score(kept, pixels)

    return Objective(tuple(dict.fromkeys((*objective.layers, layer))), objective.count, score, keeps_best=False)


def _target_channel(output: Tensor, channels: Sequence[int], layer: str) -> Tensor:
    """Return the target channel of each image: (B, h, w), or (B,) if the layer returns vectors."""
    check_channels(layer, channels, output.shape[1])
    return output[torch.arange(len(channels), device=output.device), torch.tensor(channels, device=output.device)]
