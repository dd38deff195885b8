"""1x1, depthwise and separable convolutions."""

from fractions import Fraction
from random import Random

from convscope.lessons.drawing import bars
from convscope.lessons.exercise import Exercise, exercise
from convscope.lessons.source import PictureSource
from convscope.lessons.topic import Topic

FULL = "That is an ordinary convolution."
POINTWISE = "You forgot the 1x1 convolution that mixes the channels afterwards."


def one_by_one(pick: Random) -> Exercise:
    """Parameters of a 1x1 convolution."""
    depth, filters = 8 * pick.randint(8, 60), pick.choice([16, 24, 32, 48, 64])
    right = (depth + 1) * filters
    return exercise(
        f"A 1x1 convolution reduces {depth} channels to {filters}, with biases. How many parameters has it?",
        right,
        [
            (filters * 2, "A 1x1 filter spans all channels of its input: one weight for each."),
            (depth * filters, "You forgot the biases: one for each filter."),
            ((9 * depth + 1) * filters, "That is a 3x3 convolution."),
            (depth, "There is a filter for each channel of the output."),
        ],
        ["How many weights has one filter of size 1x1?", f"It has {depth} weights, one for each channel, and a bias."],
        f"({depth} + 1)x{filters} = {right:,}",
        {"depth": depth, "filters": filters},
    )


def depthwise(pick: Random) -> Exercise:
    """Weights of a depthwise convolution."""
    size, channels = pick.choice([3, 5, 7]), pick.randint(10, 160)
    return exercise(
        f"A depthwise {size}x{size} convolution of {channels} channels: one filter for each channel, which reads that"
        " channel only. How many weights has it, without biases?",
        size**2 * channels,
        [
            (size**2 * channels**2, FULL),
            (size**2, "Each channel has its own filter; they do not share one."),
            (size * channels, "A filter has two sides."),
        ],
        ["Count the weights of one channel.", f"One channel has {size}x{size} weights."],
        f"{size}x{size}x{channels} = {size**2 * channels:,}",
        {"size": size, "channels": channels},
    )


def separable(pick: Random) -> Exercise:
    """A depthwise and a 1x1 convolution."""
    size, depth, filters = pick.choice([3, 5]), 8 * pick.randint(1, 16), 12 * pick.randint(2, 20)
    right = size**2 * depth + depth * filters
    return exercise(
        f"A {size}x{size} convolution from {depth} to {filters} channels is replaced by a depthwise {size}x{size} and a"
        " 1x1 convolution. How many weights have both together, without biases?",
        right,
        [
            (size**2 * depth * filters, FULL),
            (size**2 * depth, POINTWISE),
            (depth * filters, "You forgot the depthwise convolution."),
            (
                size**2 * filters + depth * filters,
                "The depthwise convolution comes first and has the channels of the input.",
            ),
        ],
        [
            "Count the two one after the other.",
            f"The depthwise has {size}x{size}x{depth}, the 1x1 has {depth}x{filters}.",
        ],
        f"{size}x{size}x{depth} + {depth}x{filters} = {right:,}",
        {"size": size, "depth": depth, "filters": filters},
    )


def bottleneck(pick: Random) -> Exercise:
    """Multiplications through a 1x1 bottleneck."""
    side, depth, filters = pick.choice([7, 14, 28]), pick.choice([192, 256, 480]), pick.choice([32, 48, 96])
    narrow, size = pick.choice([8, 16, 24]), pick.choice([3, 5])
    right = side**2 * depth * narrow + side**2 * size**2 * narrow * filters
    return exercise(
        f"Maps of {side}x{side} with {depth} channels: a 1x1 convolution reduces them to {narrow} channels, then a"
        f" {size}x{size} convolution (same padding) gives {filters}. How many multiplications do both take together?",
        right,
        [
            (side**2 * size**2 * depth * filters, "That is the convolution without the 1x1 before it."),
            (side**2 * size**2 * narrow * filters, "You forgot the multiplications of the 1x1 convolution."),
            (side**2 * narrow * depth, "You forgot the multiplications of the second convolution."),
            (right // side**2, "Each weight is used at every position of the maps."),
        ],
        ["Weights times positions, for each of the two.", f"The 1x1 takes {side}x{side}x{depth}x{narrow}."],
        f"{side}x{side}x({depth}x{narrow} + {size}x{size}x{narrow}x{filters}) = {right:,}",
        {"side": side, "depth": depth, "narrow": narrow, "filters": filters, "size": size},
    )


def saving(pick: Random) -> Exercise:
    """The share of weights of a separable convolution."""
    size, filters = pick.choice([3, 5, 7]), pick.randint(10, 200)
    right = Fraction(1, filters) + Fraction(1, size**2)
    return exercise(
        f"Which share of the weights of a {size}x{size} convolution with {filters} filters has a depthwise"
        f" {size}x{size} and a 1x1 in its place? The channels of the input cancel.",
        right,
        [
            (Fraction(1, filters), POINTWISE),
            (Fraction(1, size**2), "You forgot the depthwise convolution, which is the smaller part."),
            (1 / right, "The share is that of the two, divided by that of the ordinary convolution."),
            (Fraction(1, filters) * Fraction(1, size**2), "The weights of the two are added, not multiplied."),
        ],
        ["Divide (size x size x in + in x out) by (size x size x in x out).", f"That is 1/{filters} + 1/{size**2}."],
        f"1/{filters} + 1/{size**2} = {float(right):.4f}",
        {"size": size, "filters": filters},
    )


def column_and_row(pick: Random) -> Exercise:
    """A column and a row instead of a square."""
    size, channels = pick.choice([3, 5, 7, 9]), pick.randint(2, 64)
    right = 2 * size * channels**2
    return exercise(
        f"A {size}x{size} convolution is replaced by {size}x1 and 1x{size} in a row, all from {channels} to {channels}"
        " channels without biases. How many weights have the two?",
        right,
        [
            (size**2 * channels**2, "That is the square that they replace."),
            (right // 2, "That is the column alone."),
            (2 * size * channels, "Channels in times channels out: both count."),
            (2 * size - 1, "The column and the row do not share a weight."),
        ],
        ["How many weights has a column?", f"It has {size}x{channels}x{channels}."],
        f"2x{size}x{channels}x{channels} = {right:,}",
        {"size": size, "channels": channels},
    )


def picture(source: PictureSource) -> str:
    """Draw the weights of three ways from 64 to 64 channels."""
    del source
    ways = {
        "3x3": 9 * 4096,
        "3x1 and 1x3": 6 * 4096,
        "1x1": 4096,
        "depthwise and 1x1": 9 * 64 + 4096,
        "depthwise": 9 * 64,
    }
    return "weights from 64 to 64 channels:\n" + bars({name: float(value) for name, value in ways.items()})


TOPIC = Topic(
    name="separable",
    chapter="layers",
    title="1x1, depthwise and separable convolutions",
    outcome="build cheaper layers from 1x1, depthwise and separable convolutions",
    text=(
        "A 1x1 convolution mixes channels at each position and so changes their number cheaply. A depthwise convolution"
        " filters each channel alone. One after the other they do nearly what an ordinary convolution does, with a"
        " fraction of its weights."
    ),
    formula="ordinary: size x size x in x out; separable: size x size x in + in x out",
    attempt=(
        "Multiplications directly and after a 1x1",
        "convscope arithmetic bottleneck 480x14x14 --filters 48 --size 5 --narrow 16",
    ),
    picture=picture,
    schematic=True,
    generators=(one_by_one, depthwise, separable, bottleneck, saving, column_and_row),
)
