"""What a picture is painted for: a channel, a neuron, a whole layer, a class, a direction, another image's features.

An objective scores every picture of a batch by itself, so a batch of many targets gives each what it would get alone.
Objectives add, and numbers multiply them: `channel("stages.2", [3, 3]) + 0.1 * diversity("stages.2", 2)`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from convscope.errors import ConfigError
from convscope.explain.hooks import Record, check_channels
from convscope.explain.targets import check_classes, logits_of

Score = Callable[[Record, Tensor], Tensor]


@dataclass(frozen=True)
class Objective:
    """What to climb.

    Attributes:
        layers: what has to be recorded; "" is the network's output.
        count: pictures in the batch; 0 fits any.
        score: from the record and the pixels (B, C, H, W) to (B,).
    """

    layers: tuple[str, ...]
    count: int
    score: Score

    def __add__(self, other: "Objective") -> "Objective":
        if self.count and other.count and self.count != other.count:
            raise ConfigError(f"objectives: {self.count} pictures and {other.count}; add those for equally many")
        layers = tuple(dict.fromkeys(self.layers + other.layers))
        return Objective(layers, self.count or other.count, lambda kept, x: self.score(kept, x) + other.score(kept, x))

    def __rmul__(self, weight: float) -> "Objective":
        return Objective(self.layers, self.count, lambda kept, x: weight * self.score(kept, x))


def channel(layer: str, channels: Sequence[int]) -> Objective:
    """Climb the mean of one channel's map in each picture (Erhan et al. 2009)."""

    def score(kept: Record, _pixels: Tensor) -> Tensor:
        return _own_channel(kept[layer], channels, layer).flatten(1).mean(1)

    return Objective((layer,), len(channels), score)


def neuron(layer: str, channels: Sequence[int], position: tuple[int, int] | None = None) -> Objective:
    """Climb one unit of a channel's map; place is row, column, None the middle."""

    def score(kept: Record, _pixels: Tensor) -> Tensor:
        maps = _own_channel(kept.maps(layer), channels, layer)
        row, column = position or (maps.shape[1] // 2, maps.shape[2] // 2)
        if not (0 <= row < maps.shape[1] and 0 <= column < maps.shape[2]):
            size = f"{maps.shape[1]} x {maps.shape[2]}"
            raise ConfigError(f"layer {layer}: no unit at row {row}, column {column} of {size}; choose one inside")
        return maps[:, row, column]

    return Objective((layer,), len(channels), score)


def whole_layer(layer: str, count: int = 1) -> Objective:
    """Climb the mean square of everything that a layer answers (DeepDream, Mordvintsev et al. 2015)."""
    return Objective((layer,), count, lambda kept, _pixels: kept[layer].flatten(1).square().mean(1))


def class_log_odds(classes: Sequence[int]) -> Objective:
    """Climb one class's log-odds, log p / (1 - p), in each picture.

    Simonyan et al. 2013, section 2, climb the logit, which can rise while others rise more; the probability itself has
    no slope where it is near 0. The log-odds keep the slope and mean the probability: p = 0.9 at 2.2.
    """

    def score(kept: Record, _pixels: Tensor) -> Tensor:
        logits = logits_of(kept[""])
        check_classes(list(classes), logits.shape[1])
        chosen = torch.tensor(list(classes), device=logits.device)[:, None]
        others = logits.scatter(1, chosen, -torch.inf).logsumexp(1)
        return logits.gather(1, chosen).squeeze(1) - others

    return Objective(("",), len(classes), score)


def direction(layer: str, vectors: Tensor) -> Objective:
    """Climb the mean over places of the activation along a direction; vectors (B, C) are made unit length."""
    unit = F.normalize(vectors.float(), dim=1)

    def score(kept: Record, _pixels: Tensor) -> Tensor:
        maps = kept[layer].flatten(2) if kept[layer].ndim > 2 else kept[layer][..., None]
        if maps.shape[1] != unit.shape[1]:
            raise ConfigError(
                f"layer {layer}: {maps.shape[1]} channels, directions of {unit.shape[1]}; make them alike"
            )
        return torch.einsum("bcp,bc->bp", maps, unit.to(maps)).mean(1)

    return Objective((layer,), len(vectors), score)


def feature_match(layer: str, features: Tensor, channels: Sequence[int] = ()) -> Objective:
    """Climb towards given features (B, C, ...): minus the squared distance, relative to their own square.

    Mahendran and Vedaldi 2015, equation 2; with `channels`, of those alone.
    """
    check_channels(layer, channels, features.shape[1])
    goal = features[:, list(channels)] if channels else features
    square = goal.flatten(1).square().sum(1).clamp(min=1e-12)

    def score(kept: Record, _pixels: Tensor) -> Tensor:
        found = kept[layer][:, list(channels)] if channels else kept[layer]
        return -(found - goal).flatten(1).square().sum(1) / square

    return Objective((layer,), len(features), score)


def smoothness() -> Objective:
    """Climb towards even pictures: minus the mean absolute difference of neighbouring pixels (total variation)."""

    def score(_kept: Record, pixels: Tensor) -> Tensor:
        down, across = (pixels.diff(dim=axis).abs().flatten(1).mean(1) for axis in (2, 3))
        return -(down + across)

    return Objective((), 0, score)


def diversity(layer: str, copies: int) -> Objective:
    """Climb apart: minus the mean cosine similarity of a picture's channel correlations to those of its siblings.

    Olah et al. 2017, "Feature Visualization", diversity. Pictures of one target follow each other, `copies` of each.
    """
    if copies < 2:
        raise ConfigError(f"diversity: {copies} picture for each target; ask for at least 2")

    def score(kept: Record, _pixels: Tensor) -> Tensor:
        maps = kept.maps(layer).flatten(2)
        styles = F.normalize(torch.einsum("bcp,bdp->bcd", maps, maps).flatten(1), dim=1)
        styles = styles.reshape(-1, copies, styles.shape[1])
        alike = styles @ styles.transpose(1, 2)
        return (1 - alike.sum(2)).flatten() / (copies - 1)  # a picture's likeness to itself is 1

    return Objective((layer,), 0, score)


def with_diversity(objective: Objective, layer: str, copies: int, share: float) -> Objective:
    """Climb an objective and apart, where complete likeness costs this share of the score, whatever its units."""
    away = diversity(layer, copies)

    def score(kept: Record, pixels: Tensor) -> Tensor:
        own = objective.score(kept, pixels)
        return own + share * own.detach().abs() * away.score(kept, pixels)

    return Objective(tuple(dict.fromkeys((*objective.layers, layer))), objective.count, score)


def _own_channel(output: Tensor, channels: Sequence[int], layer: str) -> Tensor:
    """Return of each picture its own channel: (B, h, w), or (B,) where the layer gives vectors."""
    check_channels(layer, channels, output.shape[1])
    return output[torch.arange(len(channels), device=output.device), torch.tensor(channels, device=output.device)]
