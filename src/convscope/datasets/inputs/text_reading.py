"""How the texts of a dataset become numbers of tokens."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.dataset import Dataset
from convscope.datasets.inputs.settings import InputSettings
from convscope.datasets.inputs.text_tokens import TOKENISERS, Tokeniser

TEXT: Literal["text"] = "text"
"""The kind of input."""
PADDING, UNKNOWN, FIRST = 0, 1, 2
"""Numbers of what is after the end of a text, of tokens that are not in the vocabulary, and of its first token."""


@dataclass(frozen=True)
class TextReading:
    """How texts are divided, and all tokens of the dataset in order: a token's number is its place from `FIRST`."""

    settings: InputSettings
    known: tuple[str, ...] = ()
    column: str = ""
    """Of a table that held the texts."""

    @property
    def tokeniser(self) -> Tokeniser:
        """What divides the texts."""
        return TOKENISERS[self.settings.tokens]


def with_tokens(data: Dataset, settings: InputSettings, column: str = "") -> Dataset:
    """A dataset of texts divided by the settings, with the number of tokens of each text as its size.

    Args:
        data: the texts.
        settings: of the user.
        column: of the table that held the texts, unless they were divided before, which says it.
    """
    if data.reading is not None and data.reading.settings.tokens == settings.tokens:
        return replace(data, reading=replace(data.reading, settings=settings))
    tokeniser = TOKENISERS[settings.tokens]
    known: set[str] = set()
    lengths = []
    for text in data.images:
        tokens = tokeniser.split(str(text))
        known.update(tokens)
        lengths.append(max(1, len(tokens)))
    reading = TextReading(settings, tuple(sorted(known)), data.reading.column if data.reading else column)
    return replace(data, sizes=np.array(lengths, np.int64)[:, None], reading=reading)


def numbered(texts: Iterable[Any], tokeniser: Tokeniser, vocabulary: Sequence[str], length: int) -> NDArray[np.int32]:
    """(N, 1, L) numbers of the tokens of texts: the beginning of longer ones, `PADDING` after shorter ones."""
    numbers = {token: number for number, token in enumerate(vocabulary, start=FIRST)}
    rows = [
        [numbers.get(token, UNKNOWN) for token in tokeniser.split(str(text))[:length]] for text in texts
    ]  # fmt: skip
    result = np.full((len(rows), 1, length), PADDING, np.int32)
    for into, row in zip(result, rows, strict=True):
        into[0, : len(row)] = row
    return result


def learned_vocabulary(
    stored: NDArray[np.int32], rows: NDArray[np.int64], reading: TextReading
) -> tuple[str, ...]:  # fmt: skip
    """The tokens of the training texts, the most frequent first; of equal frequency in the order of the alphabet.

    Those that occur less than `input.fewest` times are left out, and of the others all but `input.vocabulary`.

    Args:
        stored: (N, 1, L) numbers of `reading.known`.
        rows: the training texts.
        reading: how they were divided.
    """
    counts = np.bincount(stored[rows].ravel(), minlength=FIRST + len(reading.known))[FIRST:]
    order = np.argsort(-counts, kind="stable")[: reading.settings.vocabulary]
    return tuple(reading.known[place] for place in order if counts[place] >= reading.settings.fewest)
