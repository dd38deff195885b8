"""Baselines without a network: the majority class, the nearest neighbour, and those of one kind of input."""

import numpy as np
import torch

from convscope.api.baseline_sentences import LOCALITY
from convscope.datasets import DEFAULT_KIND, INPUT_KINDS, Dataset
from convscope.datasets.inputs.image_input import IMAGE
from convscope.datasets.inputs.sound_reading import SOUND
from convscope.datasets.inputs.text_reading import TEXT
from convscope.datasets.inputs.text_tokens import Words
from convscope.errors import ConfigError
from convscope.explainers import WORD_CLASSIFIERS, baseline_scores, mel_mean_score, word_pair_score
from convscope.runs.loaders import PreparedData, open_source, prepare
from convscope.runs.recipe import DataSettings

PIXELS = (32, 32)  # input size of the baselines on raw pixels; other inputs keep theirs
MEL_MEAN, NEAREST = "mel-mean", "pixels"
OF_ONE_KIND = {MEL_MEAN: SOUND, **dict.fromkeys(WORD_CLASSIFIERS, TEXT)}
"""Baselines of one kind of input: an SVM on the mean of each band, and classifiers on words and pairs of words."""


def check_applies(name: str, found: Dataset) -> None:
    """Check that a baseline applies to the kind of input.

    Raises:
        ConfigError: it is for others.
    """
    kind = INPUT_KINDS[found.input_kind]
    if name in OF_ONE_KIND and OF_ONE_KIND[name] != found.input_kind:
        needed = INPUT_KINDS[OF_ONE_KIND[name]].nouns[1]
        raise ConfigError(f"--recipes {name}: is for {needed}, and {found.source} holds {kind.nouns[1]}; leave it out")
    if name in (NEAREST, LOCALITY) and kind.codes:
        raise ConfigError(f"--recipes {name}: needs values, and {found.source} holds {kind.nouns[1]}; leave it out")


def small_inputs(source: str, seed: int) -> PreparedData:
    """Read images at `PIXELS`, other inputs at their usual size."""
    found = open_source(DataSettings(source=source), DEFAULT_KIND)
    usual = INPUT_KINDS[found.input_kind].usual_size(found)
    channels = 3 if usual is None and found.channels == 1 else found.channels
    size = PIXELS if usual is None else usual[0]
    return prepare(found, DataSettings(source=source, size=size, channels=channels), seed)


def plain_score(source: str, name: str, seed: int) -> float:
    """The validation accuracy of a baseline without a network.

    Args:
        source: as for `train`.
        name: majority, pixels, or one of `OF_ONE_KIND`.
        seed: of the split.
    """
    prepared = small_inputs(source, seed)
    if name in WORD_CLASSIFIERS:
        return _word_score(name, prepared)
    rows = {split: prepared.rows(split) for split in ("train", "validation")}
    stored = {split: prepared.store.pixels[prepared.store_index[some]] for split, some in rows.items()}
    targets = {split: prepared.dataset.targets[some] for split, some in rows.items()}
    if name == MEL_MEAN:
        return mel_mean_score(stored["train"], targets["train"], stored["validation"], targets["validation"])
    if prepared.dataset.input_kind != IMAGE:
        stored = {split: prepared.preprocessing(torch.from_numpy(one)).numpy() for split, one in stored.items()}
    pixels = {split: one.reshape(len(one), -1) for split, one in stored.items()}
    return baseline_scores(pixels["train"], targets["train"], pixels["validation"], targets["validation"])[name]


def _word_score(name: str, prepared: PreparedData) -> float:
    texts = np.asarray(prepared.dataset.images)
    train, validation = (
        (texts[rows].tolist(), prepared.dataset.targets[rows])
        for rows in (prepared.rows("train"), prepared.rows("validation"))
    )
    return word_pair_score(name, train, validation, Words().split)
