"""Pictures as lines of text: images in five shades, bars and line charts. They need 80 columns and UTF-8."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

SHADES = " ░▒▓█"
MARKS = "ox+*"


def image_text(values: NDArray[np.float64], low: float | None = None, high: float | None = None) -> str:
    """Return an image (H, W) as H lines of 2 W characters: `low` is blank, `high` is full.

    >>> print(image_text(np.array([[0, 0.5], [1, 0]])))
      ▒▒
    ██
    """
    bottom = float(values.min()) if low is None else low
    span = (float(values.max()) if high is None else high) - bottom or 1.0
    levels = np.clip((values - bottom) / span * (len(SHADES) - 1) + 0.5, 0, len(SHADES) - 1).astype(int)
    return "\n".join("".join(SHADES[level] * 2 for level in row) for row in levels)


def beside(parts: Sequence[tuple[str, str]], gap: int = 3) -> str:
    r"""Return (title, lines) next to each other, each title above its lines.

    >>> print(beside([("a", "1\\n2"), ("long", "3")], 2))
    a  long
    1  3
    2
    """
    blocks = [[title, *lines.split("\n")] for title, lines in parts]
    widths = [max(map(len, block)) for block in blocks]
    height = max(map(len, blocks))
    rows = [[block[row] if row < len(block) else "" for block in blocks] for row in range(height)]
    return "\n".join((" " * gap).join(map(str.ljust, row, widths)).rstrip() for row in rows)


def numbers_text(values: NDArray[np.float64] | Sequence[Sequence[float]]) -> str:
    """Return a grid of numbers as aligned lines with at most two decimals."""
    cells = [[f"{value:.2f}".rstrip("0").rstrip(".") for value in row] for row in values]
    cells = [["0" if cell == "-0" else cell for cell in row] for row in cells]
    width = max(len(cell) for row in cells for cell in row)
    return "\n".join(" ".join(cell.rjust(width) for cell in row) for row in cells)


def bars(values: Mapping[str, float], width: int = 40, form: str = ",.0f") -> str:
    """Return a bar per name, the longest of `width` characters.

    >>> print(bars({"a": 4, "bb": 2}, 4))
    a   ████ 4
    bb  ██ 2
    """
    most = max((abs(value) for value in values.values()), default=0) or 1
    longest = max(map(len, values), default=0)
    return "\n".join(
        f"{name.ljust(longest)}  {'█' * max(round(abs(value) / most * width), 1 if value else 0)} {value:{form}}"
        for name, value in values.items()
    )


def chart(series: Mapping[str, Sequence[float]], height: int = 10, width: int = 60) -> str:
    """Return lines of a value by its index, a mark for each series, with the range on the left and a legend."""
    finite = [value for values in series.values() for value in values if np.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    longest = max(map(len, series.values()))
    cells = [[" "] * width for _ in range(height)]
    for mark, values in zip(MARKS, series.values(), strict=False):
        for index, value in enumerate(values):
            if np.isfinite(value):
                column = round(index / max(longest - 1, 1) * (width - 1))
                cells[round((high - value) / (high - low or 1) * (height - 1))][column] = mark
    margins = [f"{high:.3g}", *[""] * (height - 2), f"{low:.3g}"]
    edge = max(map(len, margins))
    lines = [f"{margin.rjust(edge)} │{''.join(row).rstrip()}" for margin, row in zip(margins, cells, strict=True)]
    legend = "   ".join(f"{mark} {name}" for mark, name in zip(MARKS, series, strict=False))
    return "\n".join([*lines, f"{' ' * edge} └{'─' * width}", f"{' ' * edge}  {legend}"])
