"""Text: words or bytes as numbers of a vocabulary that is learned from the training texts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convscope.datasets.augment.text import TEXT_POLICIES, TextAugment, TextPolicy, text_augment
from convscope.datasets.dataset import Dataset
from convscope.datasets.duplicates import Duplicates
from convscope.datasets.inputs.kind import DecodedInput, InputData, InputPreprocessing
from convscope.datasets.inputs.settings import InputSettings
from convscope.datasets.inputs.text_drawing import draw_text
from convscope.datasets.inputs.text_files import read_bytes, read_texts
from convscope.datasets.inputs.text_reading import (
    FIRST,
    PADDING,
    TEXT,
    UNKNOWN,
    learned_vocabulary,
    numbered,
    with_tokens,
)
from convscope.datasets.inputs.text_tokens import TOKENISERS, Tokeniser
from convscope.datasets.text_duplicates import duplicate_texts
from convscope.errors import DataError

NEARLY_ALL = 0.99
"""Share of the texts that the network's input shows whole; all, unless some are `MUCH_LONGER`."""
MUCH_LONGER = 1.5
UNKNOWN_SHOWN = "[unknown]"


class TextPreprocessing(InputPreprocessing, frozen=True, extra="forbid"):
    """Preprocessing of texts: divided into tokens, each the number of a word, cut or padded to one length.

    0 is after the end of a text, 1 an unknown token, 2 the first of the vocabulary. The network embeds the numbers.
    """

    kind: Literal["text"] = TEXT
    size: tuple[int]
    """Tokens."""
    channels: Literal[1] = 1
    mean: tuple[float] = (0.0,)
    std: tuple[float] = (1.0,)
    tokens: Literal["words", "bytes"] = "words"
    vocabulary: tuple[str, ...]
    column: str = ""
    """Of the texts in the table that they were from; tables to predict have it, or it is detected."""

    nouns: ClassVar[tuple[str, str]] = ("text", "texts")
    sides: ClassVar[tuple[str, ...]] = ("tokens",)
    mirrors: ClassVar[bool] = False
    codes: ClassVar[bool] = True
    network: ClassVar[str] = "text_cnn"
    storage: ClassVar[np.dtype[Any]] = np.dtype(np.int32)

    @classmethod
    def from_data(cls, data: InputData, size: tuple[int, ...], stored: NDArray[Any], rows: NDArray[np.int64]) -> Self:
        """The vocabulary of the training texts."""
        vocabulary = learned_vocabulary(stored, rows, data.reading)
        reading = data.reading
        return cls(size=(size[0],), tokens=reading.settings.tokens, vocabulary=vocabulary, column=reading.column)

    @property
    def tokeniser(self) -> Tokeniser:
        """What divides the texts."""
        return TOKENISERS[self.tokens]

    @property
    def network_options(self) -> dict[str, Any]:
        """The number of tokens that the network embeds."""
        return {"vocabulary": FIRST + len(self.vocabulary)}

    @property
    def settings(self) -> InputSettings:
        """The kind of tokens."""
        return InputSettings(tokens=self.tokens)

    @classmethod
    def store_arrays(cls, data: InputData, size: tuple[int, ...]) -> NDArray[np.int32]:
        """(N, 1, L) numbers of the tokens among all of the dataset; see `in_own_numbers`."""
        return numbered(data.images, data.reading.tokeniser, data.reading.known, size[0])

    def in_own_numbers(self, data: InputData, stored: NDArray[Any]) -> NDArray[np.int32]:
        """Stored texts with the numbers of this vocabulary; tokens that are not in it become unknown."""
        place = {token: number for number, token in enumerate(self.vocabulary, start=FIRST)}
        own = [PADDING, UNKNOWN, *(place.get(token, UNKNOWN) for token in data.reading.known)]
        renumbered: NDArray[np.int32] = np.array(own, np.int32)[stored]
        return renumbered

    @classmethod
    def decode_row(cls, data: InputData, row: int, size: tuple[int, ...]) -> NDArray[np.int32]:
        """(1, L) numbers of one text; see `store_arrays`."""
        one: NDArray[np.int32] = numbered([data.images[row]], data.reading.tokeniser, data.reading.known, size[0])[0]
        return one

    @classmethod
    def with_settings(cls, data: Dataset, settings: InputSettings) -> Dataset:
        """Divided into the tokens of the settings."""
        settings.only(data.source, cls.nouns[1], "tokens", "vocabulary", "fewest")
        return with_tokens(data, settings)

    @classmethod
    def usual_size(cls, data: Dataset) -> tuple[tuple[int, ...], str]:
        """The tokens of nearly all texts."""
        tokeniser = data.reading.tokeniser
        shortest, longest = int(data.sizes.min()), int(data.sizes.max())
        nearly_all = int(np.quantile(data.sizes, NEARLY_ALL, method="higher"))
        chosen = min(longest if longest <= MUCH_LONGER * nearly_all else nearly_all, tokeniser.longest)
        return (chosen,), f"texts of {shortest:,} to {longest:,} {tokeniser.noun}"

    @classmethod
    def cut_note(cls, data: Dataset, size: tuple[int, ...]) -> str:
        """A note on longer texts."""
        longer = int((data.sizes[:, 0] > size[0]).sum())
        one = "1 text is" if longer == 1 else f"{longer:,} texts are"
        first = f"first {size[0]:,} {data.reading.tokeniser.noun}"
        return f"{one} cut to the {first}; set data.size to [{int(data.sizes.max())}] to keep all" if longer else ""

    @classmethod
    def find_duplicates(cls, stored: NDArray[Any], rows: NDArray[np.int64]) -> Duplicates:
        """Equal texts, and those that share 70 % of their sequences of three tokens."""
        return duplicate_texts(stored, rows)

    @classmethod
    def policy(cls, name: str, changes: Mapping[str, float]) -> TextPolicy:
        """One of `TEXT_POLICIES` with changes."""
        return TextPolicy.model_validate({**TEXT_POLICIES[name].model_dump(), **changes})

    @classmethod
    def augmentation(cls, policy: Any, mirror: bool) -> TextAugment:  # noqa: ARG003
        """See `augment.text`."""
        return text_augment(policy)

    def decode(self, file: Path | bytes | NDArray[Any], any_size: bool = False) -> DecodedInput:
        """The numbers of the only text of a file, or of its bytes; `any_size` keeps its length."""
        if isinstance(file, np.ndarray):
            raise DataError("text: read from files only; write the text to a .txt file")
        if isinstance(file, bytes):
            return self._decoded(read_bytes(file, self.nouns[0]), any_size)
        found = self.decode_all(file, any_size)
        if len(found) > 1:
            raise DataError(f"{file}: holds {len(found):,} texts, not one; give a file of one text")
        return found[0][1]

    def decode_all(self, file: Path, any_size: bool = False) -> list[tuple[str, DecodedInput]]:
        """All texts of a file: of a table the column of texts, of a .txt file the whole, of others each line."""
        return [(name, self._decoded(text, any_size)) for name, text in read_texts(file, self.column)]

    def words(self, codes: NDArray[Any]) -> list[tuple[str, range]]:
        """The words of (L,) numbers of tokens, for display, and the places of their tokens."""
        tokens = [
            UNKNOWN_SHOWN if code == UNKNOWN else self.vocabulary[int(code) - FIRST]
            for code in codes
            if code != PADDING
        ]
        places = self.tokeniser.word_places(tokens)
        return [(self.tokeniser.join(tokens[one.start : one.stop]), one) for one in places]

    def _decoded(self, text: str, any_size: bool) -> DecodedInput:
        count = max(1, len(self.tokeniser.split(text)))
        length = count if any_size else self.size[0]
        values = numbered([text], self.tokeniser, self.vocabulary, length)[0]
        return DecodedInput(values, (count,), (0.0, float(length)))

    @staticmethod
    def normalise(
        x: Tensor, mean: Tensor, std: Tensor, layout: torch.memory_format = torch.contiguous_format  # noqa: ARG004
    ) -> Tensor:  # fmt: skip
        """(B, 1, L) the numbers as float32, which holds those of 16 million tokens exactly."""
        return x.float().contiguous(memory_format=layout)

    @staticmethod
    def draw(values: NDArray[Any]) -> NDArray[np.uint8]:
        """(H, W, 3) the numbers of the tokens; `draw_row` knows the words."""
        return draw_text([(str(code), 0.0) for code in values[0] if code != PADDING])

    @classmethod
    def draw_row(cls, data: InputData, row: int, size: tuple[int, ...]) -> NDArray[np.uint8]:
        """(H, W, 3) the tokens of the text that the network sees."""
        tokens = data.reading.tokeniser.split(str(data.images[row]))[: size[0]]
        return draw_text([(word, 0.0) for word in data.reading.tokeniser.join(tokens).split()])
