"""Small grids of numbers for exercises: draw, show and filter them."""

from collections.abc import Sequence
from random import Random
from typing import Any

Grid = list[list[int]]


def draw(pick: Random, rows: int, columns: int, low: int = 0, high: int = 9) -> Grid:
    """Return a grid of random whole numbers from `low` to `high`."""
    return [[pick.randint(low, high) for _ in range(columns)] for _ in range(rows)]


def signed(pick: Random, rows: int, columns: int, most: int = 2) -> Grid:
    """Return random whole numbers from `-most` to `most`, no grid that looks the same turned by 180 degrees."""
    while (found := draw(pick, rows, columns, -most, most)) == turned(found):
        pass
    return found


def shown(grid: Sequence[Sequence[Any]], indent: str = "    ") -> str:
    """Return a grid as aligned lines.

    >>> print(shown([[1, -2], [10, 3]], ""))
     1  -2
    10   3
    """
    width = max(len(str(value)) for row in grid for value in row)
    return "\n".join(indent + "  ".join(f"{value!s:>{width}}" for value in row) for row in grid)


def turned(grid: Grid) -> Grid:
    """Return a grid turned by 180 degrees, as mathematics does with the kernel of a convolution."""
    return [row[::-1] for row in grid[::-1]]


def transposed(grid: Grid) -> Grid:
    """Return a grid with rows and columns exchanged."""
    return [list(column) for column in zip(*grid, strict=True)]


def padded(grid: Grid, amount: int = 1, value: int = 0) -> Grid:
    """Return a grid with a border."""
    width = len(grid[0]) + 2 * amount
    side = [value] * amount
    middle = [[*side, *row, *side] for row in grid]
    return [[value] * width for _ in range(amount)] + middle + [[value] * width for _ in range(amount)]


def windows(grid: Grid, size: int, stride: int = 1) -> list[list[Grid]]:
    """Return the windows of a grid, by row and column of their position."""
    rows, columns = len(grid), len(grid[0])
    return [
        [[line[left : left + size] for line in grid[top : top + size]] for left in range(0, columns - size + 1, stride)]
        for top in range(0, rows - size + 1, stride)
    ]


def products(window: Grid, kernel: Grid) -> int:
    """Return the sum of the products of two grids of one size."""
    return sum(a * b for row, other in zip(window, kernel, strict=True) for a, b in zip(row, other, strict=True))


def correlate(image: Grid, kernel: Grid, stride: int = 1) -> Grid:
    """Return the map that a kernel makes of an image: at each position the sum of the products."""
    return [[products(window, kernel) for window in row] for row in windows(image, len(kernel), stride)]


def products_text(window: Grid, kernel: Grid) -> str:
    """Return the products written out, without those of zero weights.

    >>> products_text([[1, 2], [3, 4]], [[1, 0], [-1, 2]])
    '1x1 + 3x(-1) + 4x2'
    """
    pairs = [(a, b) for row, other in zip(window, kernel, strict=True) for a, b in zip(row, other, strict=True) if b]
    return " + ".join(f"{a}x{b}" if b >= 0 else f"{a}x({b})" for a, b in pairs) or "0"
