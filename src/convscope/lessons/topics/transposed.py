"""Transposed convolution."""

from random import Random

from convscope.lessons.exercise import Exercise, exercise
from convscope.lessons.source import PictureSource
from convscope.lessons.topic import Topic


def side(length: int, size: int, stride: int, padding: int = 0, extra: int = 0) -> int:
    """Return the side after a transposed convolution."""
    return (length - 1) * stride - 2 * padding + size + extra


def enlarged_side(pick: Random) -> Exercise:
    """The side of the output."""
    length, size, stride = pick.randint(2, 20), pick.choice([2, 3, 4, 5]), pick.choice([2, 3])
    right = side(length, size, stride)
    return exercise(
        f"A transposed convolution of size {size}, stride {stride}, no padding, gets {length}x{length} pixels. "
        "Which side has the output?",
        right,
        [
            (length * stride, "Not simply the stride times the side: the last window reaches further."),
            (length * size, "The windows overlap or touch; they do not lie next to each other by their size."),
            ((length - size) // stride + 1, "That is an ordinary convolution, which shrinks; this one is its reverse."),
            (length * stride + size, "Between the pixels there is one step fewer than there are pixels."),
        ],
        ["Each pixel puts down one window.", f"The last window starts at (side - 1)x{stride} and is {size} long."],
        f"({length} - 1)x{stride} + {size} = {right}",
        {"length": length, "size": size, "stride": stride},
    )


def padded_side(pick: Random) -> Exercise:
    """The side with padding and output padding."""
    length, size, padding, extra = pick.randint(2, 20), pick.choice([3, 4, 5]), pick.randint(1, 2), pick.randint(0, 1)
    right = side(length, size, 2, padding, extra)
    return exercise(
        f"A transposed convolution: size {size}, stride 2, padding {padding}, output padding {extra}, "
        f"input {length}x{length}. Which side has the output?",
        right,
        [
            (side(length, size, 2, -padding, extra), "Padding removes pixels here: it undoes that of a convolution."),
            (right + padding, "The padding is removed on both sides."),
            (side(length, size, 2, 0, extra), "You forgot the padding, which is removed on both sides."),
            (right - extra, "You forgot the output padding, which adds pixels at one end."),
            (right + extra, "The output padding is added at one end only."),
        ],
        ["Start from the output without padding.", f"Without padding it has ({length} - 1)x2 + {size} pixels."],
        f"({length} - 1)x2 - 2x{padding} + {size} + {extra} = {right}",
        {"length": length, "size": size, "padding": padding, "extra": extra},
    )


def needed_output_padding(pick: Random) -> Exercise:
    """The output padding that restores a side."""
    length, size, stride = pick.randint(8, 40), pick.choice([3, 5]), pick.choice([2, 3, 4])
    padding = pick.randint(0, size // 2)
    small = (length + 2 * padding - size) // stride + 1
    right = length - side(small, size, stride, padding)
    return exercise(
        f"A convolution (size {size}, stride {stride}, padding {padding}) made {small} of {length} pixels. Which output"
        f" padding does the transposed convolution with these settings need to give {length} again?",
        right,
        [
            (stride - 1, "That is the most it can be; here the convolution dropped another number of pixels."),
            (
                length - small * stride,
                "Compare with the side that the transposed convolution gives, not with a multiple.",
            ),
            (padding, "The padding and the output padding are independent."),
        ],
        ["Which side does it give with output padding 0?", f"It gives {side(small, size, stride, padding)}."],
        f"{length} - (({small} - 1)x{stride} - 2x{padding} + {size}) = {right}",
        {"length": length, "size": size, "stride": stride, "padding": padding},
    )


def by_hand(pick: Random) -> Exercise:
    """A row by hand."""
    x, kernel = [pick.randint(1, 5) for _ in range(3)], [pick.choice([-2, -1, 1, 2, 3]) for _ in range(3)]
    right = [0] * 7
    for index, value in enumerate(x):
        for offset, weight in enumerate(kernel):
            right[2 * index + offset] += value * weight
    once = [0] * 7
    for index, value in enumerate(x):
        once[2 * index : 2 * index + 3] = [value * weight for weight in kernel]
    apart = [value * weight for value in x for weight in kernel][:7]
    return exercise(
        f"A transposed convolution of a row: input {_row(x)}, filter {_row(kernel)}, stride 2, no padding. "
        "Which seven numbers come out?",
        right,
        [
            (once, "Where two windows overlap, their values are added; you kept one of them."),
            (apart, "The windows start two apart and overlap in one place; you put them next to each other."),
            (right[::-1], "The order is reversed: the first pixel puts down the first window."),
        ],
        ["Each pixel puts down the filter, multiplied with its value.", "The windows start at places 1, 3 and 5."],
        " ".join(map(str, right)),
        {"x": x, "kernel": kernel},
    )


def checkerboard(pick: Random) -> Exercise:
    """How unevenly the windows overlap."""
    size, stride = pick.choice([(size, stride) for stride in (2, 3, 4, 5) for size in range(stride + 1, stride + 9)])
    right = [len(range(phase, size, stride)) for phase in range(stride)]
    other = [size // stride] * stride
    return exercise(
        f"A transposed convolution of size {size} and stride {stride} over a long row. How many inputs contribute to"
        f" each of {stride} neighbouring outputs, the most first?",
        right,
        [
            (other, "Only a size that is a multiple of the stride covers all outputs equally."),
            ([size] * stride, "An output gets one weight of each window that covers it, not all of them."),
            ([1] * stride, "The windows overlap, as the size is larger than the stride."),
        ],
        ["Write the windows below each other and count.", f"The numbers add up to {size}, the size of the filter."],
        f"{' '.join(map(str, right))}: "
        + ("even." if len(set(right)) == 1 else "uneven, which shows as a checkerboard in images."),
        {"size": size, "stride": stride},
    )


def picture(source: PictureSource) -> str:
    """Draw overlapping windows."""
    del source
    rows = ["2 inputs, size 3, stride 2: the windows overlap in the middle"]
    rows += ["  input 1   ■ ■ ■", "  input 2       ■ ■ ■", "  sum       1 1 2 1 1   values added in each output"]
    return "\n".join(rows)


def _row(values: list[int]) -> str:
    return f"({', '.join(map(str, values))})"


TOPIC = Topic(
    name="transposed",
    chapter="layers",
    title="Transposed convolution",
    outcome="calculate the size and the values of an upsampled map",
    text=(
        "A transposed convolution enlarges: each input puts down the filter, multiplied with its value, and overlapping"
        " values are added. Padding removes pixels at the edges. Several sizes shrink to one, so output padding says"
        " which is meant."
    ),
    formula="side out = (side - 1) stride - 2 padding + size + output padding",
    attempt=(
        "See the formula with its numbers",
        "convscope arithmetic transposed 2 --size 3 --padding 1 --output-padding 1",
    ),
    picture=picture,
    schematic=True,
    generators=(enlarged_side, padded_side, needed_output_padding, by_hand, checkerboard),
)
