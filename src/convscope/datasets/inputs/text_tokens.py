"""Ways to divide a text into tokens."""

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

_WORD = re.compile(r"\w+(?:['\u2019]\w+)*|[^\w\s]")


class Tokeniser(ABC):
    """Divides texts into tokens, which are text themselves, and joins them."""

    noun: ClassVar[str]
    """What several tokens are called."""
    longest: ClassVar[int]
    """Tokens of the network's input; of longer texts the beginning is used unless data.size is set."""

    @abstractmethod
    def split(self, text: str) -> list[str]:
        """The tokens of a text, in order."""

    @abstractmethod
    def join(self, tokens: Sequence[str]) -> str:
        """Tokens as text, for display."""

    @abstractmethod
    def word_places(self, tokens: Sequence[str]) -> list[range]:
        """The places of the tokens of each word."""


class Words(Tokeniser):
    """Words in lower case, with apostrophes inside, and single punctuation marks.

    >>> Words().split("It's GOOD, isn't it?")
    ["it's", 'good', ',', "isn't", 'it', '?']
    """

    noun = "words"
    longest = 512

    def split(self, text: str) -> list[str]:
        """Letters, digits and underscores in a row are a word; blanks divide."""
        return _WORD.findall(text.lower())

    def join(self, tokens: Sequence[str]) -> str:
        """With a blank between two."""
        return " ".join(tokens)

    def word_places(self, tokens: Sequence[str]) -> list[range]:
        """Each token is a word."""
        return [range(place, place + 1) for place in range(len(tokens))]


class Bytes(Tokeniser):
    """The bytes of the text in UTF-8, each written as the character of its number.

    >>> Bytes().split("é!"), Bytes().join(["Ã", "©", "!"])
    (['Ã', '©', '!'], 'é!')
    >>> Bytes().word_places(" an ox")
    [range(1, 3), range(4, 6)]
    """

    noun = "bytes"
    longest = 2048

    def split(self, text: str) -> list[str]:
        """One token per byte."""
        return list(text.encode("utf-8", "replace").decode("latin-1"))

    def join(self, tokens: Sequence[str]) -> str:
        """As UTF-8; other bytes become a question mark in a diamond."""
        return "".join(tokens).encode("latin-1").decode("utf-8", "replace")

    def word_places(self, tokens: Sequence[str]) -> list[range]:
        """Blanks divide words."""
        starts = [place for place in range(len(tokens)) if not _blank(tokens, place) and _blank(tokens, place - 1)]
        ends = [place for place in range(1, len(tokens) + 1) if _blank(tokens, place) and not _blank(tokens, place - 1)]
        return [range(start, end) for start, end in zip(starts, ends, strict=True)]


def _blank(tokens: Sequence[str], place: int) -> bool:
    return not 0 <= place < len(tokens) or tokens[place].isspace()


TOKENISERS: dict[str, Tokeniser] = {"words": Words(), "bytes": Bytes()}
"""By the value of the setting input.tokens."""
