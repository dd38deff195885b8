"""Pooling."""

from fractions import Fraction
from random import Random

import numpy as np

from convscope.lessons.drawing import beside, image_text
from convscope.lessons.exercise import Exercise, exercise
from convscope.lessons.grids import Grid, draw, shown, windows
from convscope.lessons.source import PictureSource
from convscope.lessons.topic import Correction, Topic


def pool(grid: Grid, size: int = 2, stride: int = 2) -> Grid:
    """Return the largest value of each window."""
    return [[max(map(max, window)) for window in row] for row in windows(grid, size, stride)]


def means(grid: Grid) -> list[list[Fraction]]:
    """Return the mean of each 2x2 window."""
    return [[Fraction(sum(map(sum, window)), 4) for window in row] for row in windows(grid, 2, 2)]


def largest(pick: Random) -> Exercise:
    """Max pooling."""
    image = draw(pick, 4, 4)
    right = pool(image)
    return exercise(
        f"A 2x2 max pool with stride 2:\n{shown(image)}\nWhich map comes out?",
        right,
        [
            (means(image), "That is average pooling; a max pool keeps the largest value."),
            ([row[:2] for row in pool(image, 2, 1)[:2]], "The windows do not overlap with stride 2."),
            (
                [[min(map(min, window)) for window in row] for row in windows(image, 2, 2)],
                "You took the smallest values.",
            ),
            ([[sum(map(sum, window)) for window in row] for row in windows(image, 2, 2)], "You added the values."),
        ],
        ["Divide the map into four squares.", f"The largest value of the first square is {right[0][0]}."],
        "the largest value of each square",
        {"image": image},
    )


def average(pick: Random) -> Exercise:
    """Average pooling."""
    image = draw(pick, 4, 4)
    right = means(image)
    return exercise(
        f"A 2x2 average pool with stride 2:\n{shown(image)}\nWhich map comes out?",
        right,
        [
            (pool(image), "That is max pooling; an average pool takes the mean."),
            ([[value * 4 for value in row] for row in right], "You added the values; divide by their number."),
            ([[value * 2 for value in row] for row in right], "A window of 2x2 has four values, so divide by 4."),
        ],
        ["Divide the map into four squares.", f"The sum of the first square is {right[0][0] * 4}."],
        "the sum of each square, divided by 4",
        {"image": image},
    )


def overlapping(pick: Random) -> Exercise:
    """Overlapping windows."""
    image = draw(pick, 5, 5)
    right = pool(image, 3, 2)
    return exercise(
        f"A 3x3 max pool with stride 2, as in AlexNet:\n{shown(image)}\nWhich map comes out?",
        right,
        [
            (pool([row[:4] for row in image[:4]]), "The windows are 3x3: neighbours share a row or a column."),
            (
                [row[:2] for row in pool(image, 3, 1)[:2]],
                "The stride is 2: the second window starts at the third column.",
            ),
            (
                [[min(map(min, window)) for window in row] for row in windows(image, 3, 2)],
                "You took the smallest values.",
            ),
        ],
        [
            "The windows start at rows 1 and 3 and at columns 1 and 3.",
            f"The first window's largest value is {right[0][0]}.",
        ],
        "the largest value of each 3x3 window",
        {"image": image},
    )


def gradient(pick: Random) -> Exercise:
    """The gradient of max pooling."""
    values = list(range(16))
    pick.shuffle(values)
    image, arriving = [values[row * 4 : row * 4 + 4] for row in range(4)], signed_gradient(pick)
    right = spread(image, arriving)
    return exercise(
        f"A 2x2 max pool with stride 2 got this map:\n{shown(image)}\nThe gradient at its output is\n"
        f"{shown(arriving)}\n"
        "Which gradient has its input?",
        right,
        [
            ([[arriving[row // 2][column // 2] for column in range(4)] for row in range(4)],
             "Only the largest value of a window gets the gradient; the others did not matter."),
            ([[Fraction(arriving[row // 2][column // 2], 4) for column in range(4)] for row in range(4)],
             "That is the gradient of average pooling, which divides it evenly."),
            ([[image[row][column] * bool(right[row][column]) for column in range(4)] for row in range(4)],
             "The gradient passes through; it is not the value itself."),
        ],
        ["Which value of each window was passed on?", "It gets the gradient of its window; the other three get 0."],
        "each gradient at the place of the largest value of its window, 0 elsewhere",
        {"image": image, "arriving": arriving},
    )  # fmt: skip


def shift(pick: Random) -> Exercise:
    """What a shift by one pixel changes."""
    row, column, value = pick.randint(0, 5), pick.randint(0, 4), pick.randint(1, 9)
    image = [[value * (r == row and c == column) for c in range(6)] for r in range(6)]
    moved = [[0, *line[:-1]] for line in image]
    right = sum(a != b for x, y in zip(pool(image), pool(moved), strict=True) for a, b in zip(x, y, strict=True))
    return exercise(
        f"A map has one value that is not 0, and a 2x2 max pool with stride 2 follows:\n{shown(image)}\n"
        "The value moves one pixel to the right. How many values of the pooled map change?",
        right,
        [
            (0, "It leaves its window: pooling tolerates shifts within a window only."),
            (2, "It stays in its window, so the pooled map is equal."),
            (1, "If the value leaves its window, one output loses it and another gets it."),
        ],
        [
            "In which window is the value before and after?",
            f"The windows start at columns 1, 3 and 5; it is in column {column + 1}.",
        ],
        (
            "it stays in its window: nothing changes"
            if not right
            else "it leaves its window: one output falls to 0, its neighbour rises"
        ),
        {"image": image, "moved": moved},
    )


def global_average(pick: Random) -> Exercise:
    """Global average pooling."""
    maps = [draw(pick, 2, 3) for _ in range(2)]
    right = [Fraction(sum(map(sum, one)), 6) for one in maps]
    return exercise(
        f"Global average pooling of two maps:\n{shown(maps[0])}\n\n{shown(maps[1])}\nWhich two numbers come out?",
        right,
        [
            ([max(map(max, one)) for one in maps], "That is the largest value; take the mean."),
            ([sum(map(sum, one)) for one in maps], "Divide the sums by the number of positions."),
            ([sum(right) / 2] * 2, "Each map has its own mean; channels are not mixed."),
        ],
        ["One number for each map.", f"The sum of the first map is {right[0] * 6}; it has six positions."],
        f"{right[0] * 6}/6 and {right[1] * 6}/6",
        {"maps": maps},
    )


def signed_gradient(pick: Random) -> Grid:
    """Return a 2x2 gradient without zeros."""
    return [[pick.choice([-3, -2, -1, 1, 2, 3]) for _ in range(2)] for _ in range(2)]


def spread(image: Grid, arriving: Grid) -> Grid:
    """Return the gradient of a 2x2 max pool with stride 2."""
    most = pool(image)
    return [
        [arriving[row // 2][column // 2] * (image[row][column] == most[row // 2][column // 2]) for column in range(4)]
        for row in range(4)
    ]


def picture(source: PictureSource) -> str:
    """Draw an image and its pooled map, and both moved by one pixel."""
    image = source.image[: source.image.shape[0] // 2 * 2, : source.image.shape[1] // 2 * 2]
    moved = np.roll(image, 1, axis=1)
    halves = [one.reshape(one.shape[0] // 2, 2, one.shape[1] // 2, 2).max((1, 3)) for one in (image, moved)]
    same = float((halves[0] == halves[1]).mean())
    parts = [
        ("image", image_text(image)),
        ("pooled", image_text(halves[0], 0, 1)),
        ("moved, pooled", image_text(halves[1], 0, 1)),
    ]
    return f"{beside(parts)}\n{same:.0%} of the pooled values are equal after a shift by one pixel."


TOPIC = Topic(
    name="pooling",
    chapter="layers",
    title="Pooling",
    outcome="compute max pooling and its gradient, and explain why it tolerates small shifts",
    text=(
        "A pool keeps the largest value or the mean of each window and has no parameters. If a value moves within its"
        " window, the output of a max pool is equal: the network tolerates small shifts. In the backward pass only the"
        " largest value of a window gets the gradient."
    ),
    formula=(
        "y[r, c] = max of x in the window of (r, c); gradient of x = that of y where x was the largest, 0 elsewhere"
    ),
    attempt=("Measure how the score drops under shifts, rotations and scales", "convscope robustness RUN"),
    picture=picture,
    generators=(largest, average, overlapping, gradient, shift, global_average),
    corrections=(
        Correction(
            "The windows of a pool do not overlap.",
            "Often, but not always: AlexNet pools 3x3 windows with stride 2, which overlap, and reports fewer errors"
            " with them.",
            "Krizhevsky, Sutskever and Hinton (2012), section 3.4",
        ),
        Correction(
            "Pooling makes a network invariant to shifts.",
            "Only shifts within a window leave a pooled value equal; strides let the output change with shifts by one"
            " pixel.",
            "Zhang, Making convolutional networks shift-invariant again (2019), arXiv:1904.11486",
        ),
    ),
)
