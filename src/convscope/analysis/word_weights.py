"""What each word of a text gave to the score of a class."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from convscope.analysis.images import ImageSet
from convscope.analysis.target import BATCH, AnalysisTarget
from convscope.analysis.timelines import map_layer, time_maps
from convscope.datasets.inputs.text import TextPreprocessing
from convscope.datasets.inputs.text_reading import UNKNOWN
from convscope.explainers.targets import logits_of
from convscope.modules import preserve_state


@dataclass(frozen=True)
class WeightedWord:
    """A word and what it gave to a class; below 0: it opposes the class."""

    word: str
    weight: float


def preprocessing_of(target: AnalysisTarget) -> TextPreprocessing:
    """The preprocessing of a network of texts."""
    assert isinstance(target.preprocessing, TextPreprocessing)  # `run_method` checks it
    return target.preprocessing


def word_weights(target: AnalysisTarget, text: ImageSet, answer: int, method: str, layer: str) -> list[WeightedWord]:
    """The words of one text with their weights for a class.

    Args:
        target: a network of texts.
        text: the only one.
        answer: the class.
        method: "occlusion" or "grad_cam", whose weight of a word is the largest over its tokens.
        layer: of grad_cam; "": the last stage with enough positions.

    Raises:
        ConfigError: the layer has no maps over the text.
    """
    x = target.input(text)
    words = preprocessing_of(target).words(x[0, 0].long().cpu().numpy())
    places = [place for _, place in words]
    if method == "occlusion":
        weights = without_words(target.model, x, places, answer)
    else:
        found = time_maps(target.model, x, layer or map_layer(target, text), np.array([answer]))[0]
        weights = np.array([found[one.start : one.stop].max() for one in places])
    return [WeightedWord(word, float(weight)) for (word, _), weight in zip(words, weights, strict=True)]


def without_words(model: nn.Module, x: Tensor, places: Sequence[range], answer: int) -> NDArray[Any]:
    """(W,) the decrease of the log-odds of a class when each word is replaced by an unknown one.

    Args:
        model: a network with (B, K) logits.
        x: (1, 1, L) numbers of the tokens of a text.
        places: of each word.
        answer: the class.
    """
    changed = x.repeat(len(places) + 1, 1, 1)
    for row, one in enumerate(places, start=1):
        changed[row, :, one.start : one.stop] = UNKNOWN
    parts = (changed[first : first + BATCH] for first in range(0, len(changed), BATCH))
    with preserve_state(model):
        odds = torch.cat([log_odds(logits_of(model(part)), answer) for part in parts])
    decrease: NDArray[Any] = (odds[0] - odds[1:]).float().cpu().numpy()
    return decrease


def log_odds(logits: Tensor, answer: int) -> Tensor:
    """(B,) the logarithm of the probability of a class over that of all others, from (B, K) logits."""
    others = [number for number in range(logits.shape[1]) if number != answer]
    return logits[:, answer] - torch.logsumexp(logits[:, others], 1)
