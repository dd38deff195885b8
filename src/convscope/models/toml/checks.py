"""Checks of the values in a TOML network; each returns what to write instead, or None if the value is valid."""

from collections.abc import Callable
from typing import Any

Check = Callable[[Any, int], str | None]
"""(value, number of spatial dimensions) -> what to write instead, or None."""


def is_whole(value: Any, least: int = 1) -> bool:
    """Return whether a value is a whole number from `least`; true and false are not numbers.

    >>> is_whole(3), is_whole(0), is_whole(True), is_whole(2.0)
    (True, False, False, False)
    """
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def count(value: Any, rank: int) -> str | None:  # noqa: ARG001
    """Channels, strides, groups, repetitions."""
    return None if is_whole(value) else "give a whole number from 1"


def pixels(value: Any, rank: int) -> str | None:  # noqa: ARG001
    """Pixels added on each side."""
    return None if is_whole(value, 0) else "give a whole number from 0"


def window(value: Any, rank: int) -> str | None:
    """The sides of a kernel: one number, or one per spatial dimension."""
    sides = value if isinstance(value, list) else [value]
    if all(map(is_whole, sides)) and len(sides) in ({rank} if isinstance(value, list) else {1}):
        return None
    return f"give a whole number from 1, or a list of {rank}"


def padding(value: Any, rank: int) -> str | None:  # noqa: ARG001
    """The padding of a convolution."""
    return None if value in ("same", "none") or is_whole(value, 0) else 'give "same", "none" or pixels from 0'


def flag(value: Any, rank: int) -> str | None:  # noqa: ARG001
    """A switch."""
    return None if isinstance(value, bool) else "give true or false"


def always(value: Any, rank: int) -> str | None:  # noqa: ARG001
    """A block without a setting, written ``{flatten = true}``."""
    return None if value is True else "give true, or remove the block"


def word(value: Any, rank: int) -> str | None:  # noqa: ARG001
    """A name."""
    return None if isinstance(value, str) else "give a name in quotes"


def fraction(value: Any, rank: int) -> str | None:  # noqa: ARG001
    """A probability below 1."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return None if number and 0 <= value < 1 else "give the fraction to drop, at least 0 and below 1"


def units(value: Any, rank: int) -> str | None:  # noqa: ARG001
    """The outputs of a fully connected layer."""
    return None if value == "classes" or is_whole(value) else 'give a whole number from 1, or "classes"'


def widths(value: Any, rank: int) -> str | None:  # noqa: ARG001
    """The channels of an inception block."""
    whole = isinstance(value, list) and all(map(is_whole, value))
    return None if whole else "give six whole numbers from 1: 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool"


def blocks(value: Any, rank: int) -> str | None:  # noqa: ARG001
    """Nested blocks."""
    return None if isinstance(value, list) and value else "give a list of blocks, such as [{conv = 16}]"
