"""Output sizes."""

from random import Random

from convscope.lessons.exercise import Exercise, exercise
from convscope.lessons.source import PictureSource
from convscope.lessons.topic import Correction, Topic

NO_ONE = "You forgot the + 1: the first position counts too."
NO_PADDING = "You forgot the padding: it adds pixels on both sides."
ONE_SIDE = "You added the padding on one side only; it is added on both."
NO_STRIDE = "You forgot the stride: divide by it before adding 1."
ROUNDED_UP = "You rounded up; a window that does not fit is dropped, so round down."


def side(length: int, size: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """Return the side of the output."""
    return (length + 2 * padding - dilation * (size - 1) - 1) // stride + 1


def plain(pick: Random) -> Exercise:
    """No padding, stride one."""
    length, size = pick.randint(12, 64), pick.randint(2, 9)
    return exercise(
        f"A convolution of size {size}x{size} runs over {length}x{length} pixels, stride 1, no padding. "
        "Which side has the map?",
        side(length, size),
        [
            (length - size, NO_ONE),
            (length, "The map only keeps the side of the image with same padding; here there is none."),
            (length // size, "That would be windows without overlap; with stride 1 they overlap."),
        ],
        [
            "At how many places does the window fit in one row?",
            f"The first starts at pixel 1, the last ends at {length}.",
        ],
        f"{length} - {size} + 1 = {side(length, size)}",
        {"length": length, "size": size},
    )


def with_padding(pick: Random) -> Exercise:
    """Padding."""
    length, size, padding = pick.randint(12, 64), pick.choice([3, 5, 7]), pick.randint(1, 4)
    right = side(length, size, 1, padding)
    return exercise(
        f"A {size}x{size} convolution over {length}x{length} pixels, stride 1, padding {padding}. "
        "Which side has the map?",
        right,
        [(side(length, size), NO_PADDING), (right - padding, ONE_SIDE), (right - 1, NO_ONE)],
        ["Add the padding to the side of the image first.", f"The padded side is {length} + 2x{padding}."],
        f"{length} + 2x{padding} - {size} + 1 = {right}",
        {"length": length, "size": size, "padding": padding},
    )


def with_stride(pick: Random) -> Exercise:
    """Stride and padding."""
    length, size, stride = pick.randint(30, 230), pick.choice([3, 5, 7, 11]), pick.choice([2, 3, 4])
    padding = pick.randint(0, size // 2)
    right, free = side(length, size, stride, padding), length + 2 * padding - size
    return exercise(
        f"A {size}x{size} convolution over {length}x{length} pixels, stride {stride}, padding {padding}. "
        "Which side has the map?",
        right,
        [
            (free + 1, NO_STRIDE), (side(length, size, stride), NO_PADDING), (free // stride, NO_ONE),
            (-(-free // stride) + 1, ROUNDED_UP), ((free + 1) // stride, "You added 1 before dividing; divide first."),
        ],
        ["How far can the window move? Divide that by the stride.", f"It can move {free} pixels."],
        f"({length} + 2x{padding} - {size})/{stride} + 1, rounded down = {right}",
        {"length": length, "size": size, "stride": stride, "padding": padding},
    )  # fmt: skip


def with_dilation(pick: Random) -> Exercise:
    """Dilation."""
    length, size, dilation = pick.randint(20, 64), pick.choice([3, 5]), pick.randint(2, 4)
    extent = dilation * (size - 1) + 1
    return exercise(
        f"A {size}x{size} convolution with dilation {dilation} (it reads every {_nth(dilation)} pixel) over "
        f"{length}x{length} pixels, stride 1, no padding. Which side has the map?",
        length - extent + 1,
        [
            (length - size + 1, "You forgot the dilation: it makes the window wider."),
            (length - size * dilation + 1, "There are gaps between the weights only: one fewer than weights."),
            ((length - size) // dilation + 1, "Dilation is not stride: the window still moves by one pixel."),
        ],
        ["How many pixels does the window span?", f"{size} weights with {size - 1} gaps span {extent} pixels."],
        f"the window spans {dilation}x({size} - 1) + 1 = {extent}; {length} - {extent} + 1 = {length - extent + 1}",
        {"length": length, "size": size, "dilation": dilation},
    )


def same_padding(pick: Random) -> Exercise:
    """The padding that keeps the side."""
    size, dilation = pick.choice([3, 5, 7, 9, 11]), pick.choice([1, 1, 2, 3])
    length, right = pick.randint(24, 64), dilation * (size - 1) // 2
    return exercise(
        f"Which padding on each side keeps {length}x{length} pixels with a {size}x{size} convolution, stride 1, "
        f"dilation {dilation}?",
        right,
        [
            (2 * right, "That is the padding of both sides together; half of it goes on each."),
            (size // 2, "You forgot the dilation: the window spans more pixels."),
            (size, "So much padding makes the map larger than the image."),
            (right + 1, "One too many: the window covers its centre pixel already."),
        ],
        ["The map loses (span of the window) - 1 pixels.", f"It loses {2 * right} pixels, half of them on each side."],
        f"{dilation}x({size} - 1)/2 = {right}",
        {"length": length, "size": size, "dilation": dilation},
    )


def three_layers(pick: Random) -> Exercise:
    """Three layers in a row."""
    length, size, stride = pick.randint(40, 128), pick.choice([3, 5, 7]), pick.choice([1, 2])
    first = side(length, size, stride)
    pooled, last = first // 2, side(first // 2, 3, 1, 1)
    return exercise(
        f"{length}x{length} pixels pass a {size}x{size} convolution (stride {stride}, no padding), a 2x2 max pool "
        "(stride 2), and a 3x3 convolution (stride 1, padding 1). Which side has the last map?",
        last,
        [
            (side(pooled, 3), "The last convolution has padding 1, which keeps the side."),
            (first, "You forgot the pool, which halves the side."),
            (side(length // 2, 3, 1, 1), "You forgot that the first convolution without padding shortens the side."),
            (-(-first // 2), "A pool rounds down: the last row that does not fill a window is dropped."),
        ],
        ["Compute the side after each layer.", f"After the first convolution it is {first}."],
        f"{length} -> {first} -> {pooled} -> {last}",
        {"length": length, "size": size, "stride": stride},
    )


def picture(source: PictureSource) -> str:
    """Draw the windows of a row, and the sides in a network."""
    rows = ["a row of 9 pixels, window 3, stride 2: (9 - 3)/2 + 1 = 4 outputs", "  " + "□ " * 9]
    rows += ["  " + "  " * start + "■ ■ ■" for start in (0, 2, 4, 6)]
    found = [f"{one.name} ({one.layer_type}): {one.shape_formula}" for one in source.layers if one.shape_formula]
    return "\n".join([*rows, "", "sides, layer by layer:", *found[:8]])


def _nth(number: int) -> str:
    return {2: "second", 3: "third"}.get(number, f"{number}th")


TOPIC = Topic(
    name="output-size",
    chapter="layers",
    title="Output sizes",
    outcome="calculate the size of a map from padding, stride and dilation",
    text=(
        "A window fits at a limited number of places. Padding adds pixels around the image, a stride skips places, "
        "and dilation spreads the window. What does not fit is dropped."
    ),
    formula="side out = floor((side + 2 padding - dilation (size - 1) - 1) / stride) + 1",
    attempt=("Fill in the formula", "convscope arithmetic output 227 --size 11 --stride 4"),
    picture=picture,
    generators=(plain, with_padding, with_stride, with_dilation, same_padding, three_layers),
    corrections=(
        Correction(
            "The side of the output is (side - size)/stride + 1.",
            "That is right without padding only; with it, 2 x padding is added to the side.",
            "Dumoulin and Visin, A guide to convolution arithmetic (2016), arXiv:1603.07285",
        ),
        Correction(
            "AlexNet's input has 277 pixels a side.",
            "It is 227: (227 - 11)/4 + 1 = 55 as in the paper's figure, while 277 gives 67.5. The paper's text has 224,"
            " which does not fit without padding either.",
            "Krizhevsky, Sutskever and Hinton, ImageNet classification with deep CNNs (2012), figure 2",
        ),
    ),
)
