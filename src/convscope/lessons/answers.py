"""The right answer to an exercise, how it is written, and how a learner's text is compared with it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import floor, log10
from typing import Any, Protocol

from convscope.lessons.number_text import UnreadableAnswerError, read_numbers
from convscope.printable import printable

NEAR = Fraction(2, 100)  # relative distance up to which a wrong number is likely to be rounded too early
DECIMALS = 3  # asked for where an answer is not whole

Number = int | float | Fraction


class Answer(Protocol):
    """What an exercise needs of the right answer."""

    def read(self, text: str) -> Any:
        """Return a learner's text as a value; raises `UnreadableAnswerError`."""

    def accepts(self, value: Any) -> bool:
        """Whether a value that was read is right."""

    def remark(self, value: Any) -> str:
        """Return what is known about a wrong value, "" if nothing is."""

    def form(self) -> str:
        """Return one sentence on how to write the answer."""

    def text(self) -> str:
        """Return the answer as text that `read` reads."""


@dataclass(frozen=True)
class Numbers:
    """One number, a list or a grid.

    Attributes:
        values: in row order.
        shape: (), (n,) or (rows, columns).
        decimals: how many decimals are asked for; None if all values are whole, and then they must be exact.
    """

    values: tuple[Fraction, ...]
    shape: tuple[int, ...]
    decimals: int | None

    def read(self, text: str) -> tuple[Fraction, ...]:
        """Return the numbers of a text; see `read_numbers`."""
        return read_numbers(text, self.shape, self.decimals is None)

    def accepts(self, value: tuple[Fraction, ...]) -> bool:
        """Whether every number is right, or one unit off in the last decimal."""
        return len(value) == len(self.values) and all(map(self._same, value, self.values))

    def remark(self, value: tuple[Fraction, ...]) -> str:
        """Say how many of several numbers are right and where the first wrong one is, or that one was rounded."""
        right = [self._same(*pair) for pair in zip(value, self.values, strict=True)]
        if len(right) > 1:
            return f"{sum(right)} of {len(right)} numbers are right; the first wrong one is {self._place(right)}."
        if self.decimals is not None and abs(value[0] - self.values[0]) <= NEAR * abs(self.values[0]):
            return f"Close: compute with all decimals and round at the end, to {self.decimals} decimals."
        return ""

    def form(self) -> str:
        """Say how many numbers to give, and with how many decimals."""
        decimals = f" Give {self.decimals} decimals or a fraction." if self.decimals is not None else ""
        if not self.shape:
            return f"One number.{decimals}"
        if len(self.shape) == 1:
            return f"{self.shape[0]} numbers with spaces between them.{decimals}"
        return f"{self.shape[0]} rows of {self.shape[1]} numbers, with ; between rows.{decimals}"

    def text(self) -> str:
        """Return the numbers with spaces between them and ; between rows."""
        cells = [number_text(value, self.decimals) for value in self.values]
        width = self.shape[-1] if self.shape else 1
        return "; ".join(" ".join(cells[first : first + width]) for first in range(0, len(cells), width))

    def _same(self, value: Fraction, right: Fraction) -> bool:
        if self.decimals is None:
            return value == right
        return bool(abs(float(value) - float(right)) <= 1.000001 / 10**self.decimals)

    def _place(self, right: list[bool]) -> str:
        index = right.index(False)
        if len(self.shape) == 2:
            return f"in row {index // self.shape[1] + 1}, column {index % self.shape[1] + 1}"
        return f"number {index + 1}"


@dataclass(frozen=True)
class Choice:
    """One of several options, which have the letters a, b, c, ... in this order."""

    options: tuple[str, ...]
    right: str

    def read(self, text: str) -> str:
        """Return the option with this letter or this beginning.

        Raises:
            UnreadableAnswerError: no option has it, or several.
        """
        typed = text.strip().strip("().").lower()
        letters = "abcdefghij"[: len(self.options)]
        if match := re.fullmatch(rf"([{letters}])(?:[).:].*)?", typed):
            return self.options[letters.index(match[1])]
        found = [option for option in self.options if typed and option.lower().startswith(typed)]
        if len(found) == 1 or typed in {option.lower() for option in found}:
            return next(option for option in found if len(found) == 1 or option.lower() == typed)
        raise UnreadableAnswerError(f"{printable(text.strip()[:40])}: not an option; answer {self._letters()}")

    def accepts(self, value: str) -> bool:
        """Whether it is the right option."""
        return value == self.right

    def remark(self, value: str) -> str:  # noqa: ARG002  (every wrong option has its own sentence)
        """Return nothing: every wrong option has its sentence."""
        return ""

    def form(self) -> str:
        """Name the letters."""
        return f"Answer {self._letters()}."

    def text(self) -> str:
        """Return the letter and the option."""
        return f"{'abcdefghij'[self.options.index(self.right)]}) {self.right}"

    def _letters(self) -> str:
        letters = "abcdefghij"[: len(self.options)]
        return f"{', '.join(letters[:-1])} or {letters[-1]}"


def numbers(values: Any, decimals: int | None = None) -> Numbers:
    """Return numbers as an answer: a number, a list, or a list of lists, of int, float or `Fraction`.

    Args:
        values: the numbers.
        decimals: by default none if all are whole, else as many as give the largest three digits, at least 3.

    >>> numbers([[1, 2], [3, 4]]).text(), numbers(Fraction(1, 3)).text(), numbers(0.5).text()
    ('1 2; 3 4', '1/3', '0.5')
    """
    shape: tuple[int, ...] = ()
    flat: list[Number] = [values] if not isinstance(values, list | tuple) else []
    if not flat:
        rows = [row if isinstance(row, list | tuple) else [row] for row in values]
        flat = [value for row in rows for value in row]
        shape = (len(rows), len(rows[0])) if isinstance(values[0], list | tuple) else (len(flat),)
    exact = tuple(Fraction(value) for value in flat)
    whole = all(value.denominator == 1 for value in exact) and not any(isinstance(value, float) for value in flat)
    if decimals is None and not whole:
        most = max(abs(float(value)) for value in flat)
        decimals = max(DECIMALS, DECIMALS - 1 - floor(log10(most))) if most else DECIMALS
    return Numbers(exact, shape, decimals)


def number_text(value: Number, decimals: int | None = DECIMALS) -> str:
    """Return a number as text: whole ones and short decimals exactly, simple fractions as such, others rounded.

    >>> [number_text(value) for value in (3, Fraction(2, 3), 0.25, 0.123456, Fraction(-1, 8))]
    ['3', '2/3', '0.25', '0.123', '-0.125']
    """
    exact = Fraction(value)
    if exact.denominator == 1:
        return str(exact.numerator)
    if 1000 % exact.denominator == 0:
        return f"{float(exact):.3f}".rstrip("0")
    if exact.denominator <= 100 and not isinstance(value, float):
        return str(exact)
    return f"{float(exact):.{decimals or DECIMALS}f}"


def list_text(values: Iterable[Number]) -> str:
    """Return numbers with commas between them."""
    return ", ".join(map(number_text, values))
