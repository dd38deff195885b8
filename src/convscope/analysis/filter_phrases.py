"""The phrases on which the filters of a network of texts respond most, and their figure."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from convscope.analysis.images import ImageSet
from convscope.analysis.layout import INK, headed, stacked, titled
from convscope.analysis.selection import chosen_channels
from convscope.analysis.target import AnalysisTarget
from convscope.analysis.word_weights import preprocessing_of
from convscope.datasets.inputs.text_drawing import draw_text
from convscope.errors import ConfigError, ModelError
from convscope.explainers import record
from convscope.models.families.text_cnn import TokenEmbedding
from convscope.printable import printable

FILTERS = 12
TRIED = 4
"""Times as many places are looked at as phrases are wanted, as some phrases are equal."""
WIDTH, LINES = 640, 6


@dataclass(frozen=True)
class Phrase:
    """A phrase, the name of its text, and the response of the filter."""

    text: str
    name: str
    response: float


@dataclass(frozen=True)
class FilterPhrases:
    """A filter with its strongest phrases, and the class that it supports, "" if that is not known."""

    channel: int
    class_name: str
    phrases: tuple[Phrase, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)

    def title(self) -> str:
        """The number of the filter and its class."""
        return f"filter {self.channel}{f', for {self.class_name}' if self.class_name else ''}"

    def described(self) -> str:
        """A line with the phrases."""
        listed = ", ".join(f"{printable(one.text)!r} {one.response:.2f}" for one in self.phrases)
        return f"{self.title()}: {listed or 'never responds'}"


def filter_phrases(
    target: AnalysisTarget, texts: ImageSet, layer: str, named: Sequence[int], most: int
) -> list[FilterPhrases]:
    """The phrases on which filters of a layer respond most, the strongest first.

    Args:
        target: a network of texts.
        texts: that are looked at.
        layer: one with (B, F, l) maps.
        named: filters; (): those with the largest effect on each class, or evenly spaced ones.
        most: phrases of each filter.

    Raises:
        ConfigError: no such filter, or the layer has no maps over the text.
        ModelError: no such layer.
    """
    responses, places = _strongest(target, texts, layer)
    effects = _effects(target.model, responses)
    channels = _channels(layer, responses.shape[1], named, effects)
    classes = {} if effects is None else {one: target.class_name(int(effects[:, one].argmax())) for one in channels}
    found = []
    for channel in channels:
        rows = np.argsort(-responses[:, channel], kind="stable")[: TRIED * most]
        rows = rows[responses[rows, channel] > 0]
        spans = _windows(target, texts.select(rows), layer, channel, places[rows, channel])
        phrases: dict[str, Phrase] = {}
        for row, text in zip(rows.tolist(), spans, strict=True):
            if text:
                phrases.setdefault(text, Phrase(text, texts.names[row], float(responses[row, channel])))
        found.append(FilterPhrases(channel, classes.get(channel, ""), tuple(phrases.values())[:most]))
    return found


def _strongest(target: AnalysisTarget, texts: ImageSet, layer: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """(N, F) the largest response of each filter to each text, and where it is."""
    values, places = [], []
    with record(target.model, layer) as kept, torch.no_grad():
        for x in target.batches(texts):
            target.model(x)
            if kept[layer].ndim != x.ndim:
                raise ConfigError(f"layers: {layer} has no maps over the text; name a convolution or a stage")
            value, place = kept[layer].max(2)
            values.append(value.float().cpu().numpy())
            places.append(place.cpu().numpy())
    return np.concatenate(values), np.concatenate(places)


def _effects(model: nn.Module, responses: NDArray[Any]) -> NDArray[Any] | None:
    """(K, F) what each filter adds to each class more than to the mean of all; None if no layer says it."""
    last = [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
    if not last or last[-1].in_features != responses.shape[1]:
        return None
    weights = last[-1].weight.detach().float().cpu().numpy()
    effects: NDArray[Any] = (weights - weights.mean(0)) * responses.mean(0)
    return effects


def _channels(layer: str, count: int, named: Sequence[int], effects: NDArray[Any] | None) -> list[int]:
    if named or effects is None:
        return chosen_channels(layer, count, named, FILTERS)
    each = max(1, FILTERS // len(effects))
    return list(dict.fromkeys(int(one) for row in effects for one in np.argsort(-row, kind="stable")[:each]))


def _windows(
    target: AnalysisTarget, texts: ImageSet, layer: str, channel: int, places: NDArray[np.int64]
) -> list[str]:  # fmt: skip
    """The words that reach a filter at a place of each text: those on whose vectors its response depends."""
    if not len(texts):
        return []
    embedding = next((name for name, one in target.model.named_modules() if isinstance(one, TokenEmbedding)), None)
    if embedding is None:
        raise ModelError(f"{target.name}: has no embedding of tokens, so its filters have no phrases")
    x = target.input(texts)
    with record(target.model, embedding, layer, gradients=True) as kept:
        target.model(x)
        responses: Tensor = kept[layer][torch.arange(len(x)), channel, torch.as_tensor(places)]
        (gradient,) = torch.autograd.grad(responses.sum(), kept[embedding])
    reached = (gradient != 0).any(1).cpu().numpy()
    preprocessing, codes = preprocessing_of(target), x[:, 0].long().cpu().numpy()
    return [
        " ".join(word for word, where in preprocessing.words(row) if inside[where.start : where.stop].any())
        for row, inside in zip(codes, reached, strict=True)
    ]


def phrase_sheet(found: Sequence[FilterPhrases], layer: str) -> NDArray[np.uint8]:
    """(H, W, 3) a row for each filter: its phrases, darker where the filter responds more."""
    rows = []
    for one in found:
        largest = max((phrase.response for phrase in one.phrases), default=1.0)
        parts = [(f"[{phrase.text}]", phrase.response / largest) for phrase in one.phrases]
        rows.append(headed(draw_text(parts, WIDTH, LINES), [(one.title(), "label", INK)]))
    note = "Each filter is on its own scale. The class is the one whose score the filter raises most."
    return titled(stacked(rows), f"{layer}: phrases on which filters respond most", note)
