"""Sections of a report as plain data: tables, matrices, scatter plots and rows of images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Interval:
    """A proportion in [0, 1], or the difference of two, with its 95 % interval.

    All three are nan if there are no samples.
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
    """(K, K) counts: a row is the true class, a column the predicted class."""

    title: str
    note: str
    names: Sequence[str]
    counts: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Scatter:
    """One point per image; `x` is the target and `y` the prediction."""

    title: str
    note: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    axes: tuple[str, str]


@dataclass(frozen=True, eq=False)
class Shown:
    """One image of a split: `row` is its index, `prediction` and `target` are texts.

    `draw`, if given, maps the network's input image, (H, W, 3) uint8, to the image to show.
    """

    row: int
    prediction: str
    target: str
    draw: Callable[[Pixels], Pixels] | None = None


@dataclass(frozen=True, eq=False)
class Pictures:
    """A row of images with captions; `none` is shown if there are none."""

    title: str
    note: str
    shown: Sequence[Shown]
    none: str = "None."


Section = Table | Matrix | Scatter | Pictures
