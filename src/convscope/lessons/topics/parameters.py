"""Parameters and multiplications."""

from random import Random

from convscope.lessons.drawing import bars
from convscope.lessons.exercise import Exercise, exercise
from convscope.lessons.source import PictureSource
from convscope.lessons.topic import Correction, Topic

NO_BIAS = "You forgot the biases: one for each filter."
NO_DEPTH = "You forgot the depth: a filter has weights for every channel of its input."
BIAS_EACH = "One bias for each filter, not for each weight or channel."


def convolution(pick: Random) -> Exercise:
    """A convolution with biases."""
    size, depth, filters = pick.choice([1, 3, 5, 7]), pick.choice([3, 6, 8, 16, 32]), pick.choice([8, 10, 16, 32, 64])
    side, right = pick.choice([28, 32, 64, 224]), (size * size * depth + 1) * filters
    return exercise(
        f"{filters} filters of size {size}x{size} with biases run over an image of {side}x{side} pixels with {depth} "
        "channels. How many parameters has the layer?",
        right,
        [
            (size * size * depth * filters, NO_BIAS),
            ((size * size + 1) * filters, NO_DEPTH),
            ((size * size + 1) * depth * filters, BIAS_EACH),
            (size * size * depth * filters + 1, "The layer has a bias for each filter, not one for all."),
            (
                (size * size * depth + 1) * filters * side * side,
                "The weights are shared: the image's size does not count.",
            ),
        ],
        ["Count the weights of one filter.", f"One filter has {size}x{size}x{depth} weights and one bias."],
        f"({size}x{size}x{depth} + 1)x{filters} = {right:,}",
        {"size": size, "depth": depth, "filters": filters},
    )


def before_norm(pick: Random) -> Exercise:
    """A convolution without biases and its batch norm."""
    size, depth, filters = (
        pick.choice([1, 3, 5]),
        pick.choice([3, 8, 12, 16, 24, 32]),
        pick.choice([16, 24, 32, 48, 64]),
    )
    weights = size * size * depth * filters
    return exercise(
        f"A {size}x{size} convolution from {depth} to {filters} channels without biases, and the batch norm after it,"
        " which learns a scale and a shift for each channel. How many parameters have both together?",
        weights + 2 * filters,
        [
            (weights, "You forgot the scale and the shift of batch norm."),
            (weights + filters, "Batch norm learns two numbers for each channel."),
            (weights + 3 * filters, "There are no biases here: the shift of batch norm replaces them."),
            (weights + 4 * filters, "The running mean and variance are not learned, so they are no parameters."),
        ],
        [
            "Count the weights of the convolution without biases.",
            f"Then add two numbers for each of {filters} channels.",
        ],
        f"{size}x{size}x{depth}x{filters} + 2x{filters} = {weights + 2 * filters:,}",
        {"size": size, "depth": depth, "filters": filters},
    )


def fully_connected(pick: Random) -> Exercise:
    """A fully connected layer after maps."""
    channels, side, units = pick.choice([8, 16, 32, 64]), pick.randint(3, 8), pick.choice([5, 10, 64, 100])
    inputs = channels * side * side
    return exercise(
        f"{channels} maps of {side}x{side} are flattened and connected to {units} units with biases. How many"
        " parameters?",
        (inputs + 1) * units,
        [
            (inputs * units, "You forgot the biases: one for each unit."),
            ((channels * side + 1) * units, "The maps have two sides: flattening gives channels x height x width."),
            (
                (channels + 1) * units,
                "You forgot the positions; only after global average pooling is there one per channel.",
            ),
            (inputs * units + 1, "Each unit has its own bias."),
        ],
        ["How many numbers has the vector?", f"It has {channels}x{side}x{side} = {inputs} numbers."],
        f"({channels}x{side}x{side} + 1)x{units} = {(inputs + 1) * units:,}",
        {"channels": channels, "side": side, "units": units},
    )


def macs(pick: Random) -> Exercise:
    """Multiplications of a convolution."""
    size, depth, filters, side = (
        pick.choice([1, 3, 5]),
        pick.choice([3, 16, 32]),
        pick.choice([16, 32, 48]),
        pick.randint(7, 28),
    )
    right = size * size * depth * filters * side * side
    return exercise(
        f"A {size}x{size} convolution from {depth} to {filters} channels gives maps of {side}x{side}. "
        "How many multiplications does one image take?",
        right,
        [
            (
                size * size * depth * filters,
                "That is the number of weights; each is used at every position of the map.",
            ),
            (size * size * filters * side * side, NO_DEPTH),
            (right // filters, "That is one map; there is one for each filter."),
            (right // side, "The map has two sides."),
        ],
        [
            "How many multiplications does one output take?",
            f"One output takes {size}x{size}x{depth}; count the outputs.",
        ],
        f"{size}x{size}x{depth} x {filters}x{side}x{side} = {right:,}",
        {"size": size, "depth": depth, "filters": filters, "side": side},
    )


def small_network(pick: Random) -> Exercise:
    """All parameters of a small network."""
    depth, first, second, classes = (
        pick.choice([1, 3]),
        pick.choice([4, 8, 16]),
        pick.choice([16, 32]),
        pick.randint(3, 10),
    )
    parts = [(9 * depth + 1) * first, (9 * first + 1) * second, (second + 1) * classes]
    return exercise(
        f"Images of {depth} channel{'s' if depth > 1 else ''}: a 3x3 convolution with {first} filters, ReLU, a 2x2 max"
        f" pool, a 3x3 convolution with {second} filters, ReLU, global average pooling, and {classes} units. All have"
        " biases. How many parameters has the network?",
        sum(parts),
        [
            (sum(parts) - first - second - classes, NO_BIAS),
            (parts[0] + 10 * second + parts[2], NO_DEPTH),
            (parts[0] + parts[1], "You forgot the units at the end."),
            (sum(parts) + 4 * first, "A pool has no parameters."),
        ],
        [
            "Only convolutions and fully connected layers have parameters here.",
            f"They have {parts[0]}, {parts[1]}, ...",
        ],
        f"{' + '.join(map(str, parts))} = {sum(parts):,}",
        {"depth": depth, "first": first, "second": second, "classes": classes},
    )


def shared_or_not(pick: Random) -> Exercise:
    """How many times fewer weights sharing needs."""
    size, side = pick.choice([3, 5]), pick.randint(7, 40)
    return exercise(
        f"A map of {side}x{side} is made from an image of {side}x{side}, one channel, without biases: by one"
        f" {size}x{size} filter (same padding), or by a fully connected layer. How many weights has the second?",
        side**4,
        [
            (size * size, "That is the convolution."),
            (side**2, "Every output has a weight for every pixel; there are as many outputs as pixels."),
            (
                size * size * side * side,
                "That would be local connections without sharing; here every pixel is connected.",
            ),
        ],
        ["How many inputs and outputs are there?", f"There are {side * side} of each, and a weight for each pair."],
        f"{side * side}x{side * side} = {side**4:,}, where the filter has {size * size}",
        {"size": size, "side": side},
    )


def picture(source: PictureSource) -> str:
    """Draw the parameters of each layer of a network."""
    counts = {f"{one.name} ({one.layer_type})": one.num_parameters for one in source.layers if one.num_parameters}
    largest = dict(sorted(counts.items(), key=lambda item: -item[1])[:10])
    return "parameters of each layer:\n" + bars({name: counts[name] for name in counts if name in largest})


TOPIC = Topic(
    name="parameters",
    chapter="layers",
    title="Parameters and multiplications",
    outcome="count the parameters and the multiplications of a layer",
    text=(
        "A filter has one weight for each pixel of its window in every channel of its input, and one bias. The number"
        " does not depend on the size of the image; the multiplications do, because every weight is used at every"
        " position."
    ),
    formula="parameters = (size x size x channels in + 1) x filters; multiplications = weights x positions",
    attempt=("See every layer of a network with its formula", "convscope inspect lenet"),
    picture=picture,
    generators=(convolution, before_norm, fully_connected, macs, small_network, shared_or_not),
    corrections=(
        Correction(
            "VGG has far fewer parameters than AlexNet.",
            "Fewer for the same receptive field, but VGG-16 has 138 million in total and AlexNet 61 million; most are"
            " in the fully connected layers.",
            "Simonyan and Zisserman, Very deep convolutional networks (2014), table 2",
        ),
    ),
)
