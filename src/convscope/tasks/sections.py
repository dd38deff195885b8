"""What a task wants shown of its answers, as plain data: the report draws it, whatever the task."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Interval:
    """A share in [0, 1], or the difference of two, with the ends of its 95 % interval.

    All three are nan where there was nothing to count.
    """

    value: float
    low: float
    high: float


Cell = str | int | float | Interval


@dataclass(frozen=True, eq=False)
class Table:
    """Rows of cells; an `Interval` is drawn as a band."""

    title: str
    note: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True, eq=False)
class Matrix:
    """(K, K) counts: a row is the true class, a column the answer."""

    title: str
    note: str
    names: Sequence[str]
    counts: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Scatter:
    """Points, one per image; `x` is what is right and `y` the answer."""

    title: str
    note: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    axes: tuple[str, str]


@dataclass(frozen=True, eq=False)
class Shown:
    """One image of the set: `row` counts within the set, `answer` is what the network says and `truth` what is right.

    `draw`, where given, takes the picture as the network saw it, (H, W, 3) uint8, and gives the one to show.
    """

    row: int
    answer: str
    truth: str
    draw: Callable[[Pixels], Pixels] | None = None


@dataclass(frozen=True, eq=False)
class Pictures:
    """A row of pictures with captions; `none` is said where there are none."""

    title: str
    note: str
    shown: Sequence[Shown]
    none: str = "None."


Section = Table | Matrix | Scatter | Pictures
