"""Small filters in place of large ones."""

from fractions import Fraction
from random import Random

from convscope.lessons.drawing import bars
from convscope.lessons.exercise import Exercise, exercise
from convscope.lessons.source import PictureSource
from convscope.lessons.topic import Topic

CHANNELS = "You forgot the channels: each filter spans all of them, and there are as many filters."


def weights_of_two(pick: Random) -> Exercise:
    """Two 3x3 instead of one 5x5."""
    channels = pick.randint(4, 128)
    right = 2 * 9 * channels**2
    return exercise(
        f"One 5x5 convolution is replaced by two 3x3 in a row, all from {channels} to {channels} channels without"
        " biases. How many weights have the two?",
        right,
        [
            (18, CHANNELS),
            (right // 2, "That is one of the two."),
            (25 * channels**2, "That is the 5x5 that they replace."),
            (18 * channels, "Channels in times channels out: both count."),
        ],
        ["Count the weights of one 3x3 convolution.", f"One has 3x3x{channels}x{channels} weights."],
        f"2x3x3x{channels}x{channels} = {right:,}; the 5x5 has {25 * channels**2:,}",
        {"channels": channels},
    )


def field_of_stack(pick: Random) -> Exercise:
    """The receptive field of a stack."""
    count, size = pick.randint(2, 15), pick.choice([3, 5, 7, 9])
    right = count * (size - 1) + 1
    return exercise(
        f"{count} convolutions of size {size}x{size} with stride 1 follow each other. Which side has the receptive"
        " field of an output?",
        right,
        [
            (count * size, "The windows overlap: each further layer adds its size minus 1."),
            (right - 1, "You forgot the pixel in the middle: add 1 at the end."),
            (size**count, "The field grows by addition with stride 1, not by multiplication."),
            (size, "The further layers see more: they look at outputs that see several pixels themselves."),
        ],
        [
            "What does the second layer add to the first?",
            f"Each layer adds {size} - 1 pixels to a field that starts at 1.",
        ],
        f"1 + {count}x({size} - 1) = {right}",
        {"count": count, "size": size},
    )


def how_many(pick: Random) -> Exercise:
    """How many 3x3 replace a large filter."""
    right = pick.randint(2, 40)
    size = 2 * right + 1
    return exercise(
        f"How many 3x3 convolutions with stride 1 in a row have the receptive field of one {size}x{size}?",
        right,
        [
            (-(-size // 3), "The windows overlap; each layer adds 2 pixels, not 3."),
            (right + 1, "One too many: the first layer sees 3 pixels, not 1."),
            (size - 1, "Each layer adds two pixels, one on each side."),
        ],
        ["Each 3x3 adds one pixel on each side.", f"{size} pixels are the centre and {right} on each side."],
        f"({size} - 1)/2 = {right}",
        {"size": size},
    )


def weights_of_many(pick: Random) -> Exercise:
    """A stack of 3x3 instead of a larger filter."""
    count, channels = pick.randint(3, 5), pick.randint(4, 64)
    size, right = 2 * count + 1, 9 * count * channels**2
    return exercise(
        f"A {size}x{size} convolution is replaced by a stack of 3x3 with the same receptive field, all from {channels}"
        f" to {channels} channels without biases. How many weights does that save?",
        size**2 * channels**2 - right,
        [
            (right, "That is what the stack has; the question is how many it saves."),
            (size**2 * channels**2 - 2 * 9 * channels**2, "Two 3x3 see only 5 pixels; more are needed here."),
            (size**2 - 9 * count, CHANNELS),
        ],
        [
            "How many 3x3 are needed?",
            f"{count} of them; compare {count}x9 with {size}x{size}, times channels in and out.",
        ],
        f"({size}x{size} - {count}x9)x{channels}x{channels} = {size**2 * channels**2 - right:,}",
        {"size": size, "channels": channels},
    )


def ratio(pick: Random) -> Exercise:
    """The share of weights that is left."""
    count, channels = pick.randint(2, 16), pick.choice([16, 64, 256])
    size, right = 2 * count + 1, Fraction(9 * count, (2 * count + 1) ** 2)
    return exercise(
        f"Which share of the weights of a {size}x{size} convolution has a stack of 3x3 with the same receptive field "
        f"({channels} channels everywhere, no biases)?",
        right,
        [
            (1 - right, "That is the share that is saved."),
            (Fraction(9, size**2), "That is one 3x3; the stack needs several."),
            (1 / right, "The share is that of the stack, divided by that of the large filter."),
        ],
        ["The channels cancel.", f"The stack has {count}x9 weights where the large filter has {size}x{size}."],
        f"{count}x9/({size}x{size}) = {float(right):.3f}",
        {"size": size},
    )


def picture(source: PictureSource) -> str:
    """Draw the weights of filters and stacks with one receptive field."""
    del source
    pairs = {"5x5": 25, "two 3x3": 18, "7x7": 49, "three 3x3": 27, "11x11": 121, "five 3x3": 45}
    return "weights for each pair of channels, by receptive field 5, 7 and 11:\n" + bars(
        {k: float(v) for k, v in pairs.items()}
    )


TOPIC = Topic(
    name="stacks",
    chapter="layers",
    title="Small filters in a row",
    outcome="replace a large filter by small ones and say what that saves",
    text=(
        "Two 3x3 convolutions see as many pixels as one 5x5, with 18 weights instead of 25 for each pair of channels,"
        " and with an activation between them. So networks since VGG consist of 3x3."
    ),
    formula="receptive field of n layers = 1 + n (size - 1); weights = n size x size x channels in x channels out",
    attempt=("Compare a 5x5 with its replacements", "convscope arithmetic factors 5"),
    picture=picture,
    schematic=True,
    generators=(weights_of_two, field_of_stack, how_many, weights_of_many, ratio),
)
