"""Assemble a network."""

from random import Random

from convscope.lessons.assembly import NetworkAnswer
from convscope.lessons.drawing import bars
from convscope.lessons.exercise import Exercise, exercise
from convscope.lessons.source import PictureSource
from convscope.lessons.topic import Correction, Topic

GAP = "Flattening gives a vector of channels x height x width; global average pooling keeps the last layer small."


def _parameters(depth: int, filters: list[int], inputs: int, classes: int) -> int:
    total = 0
    for count in filters:
        total, depth = total + (9 * depth + 1) * count, count
    return total + (inputs + 1) * classes


def within_budget(pick: Random) -> Exercise:
    """A budget of parameters."""
    depth, side, classes = pick.choice([1, 3]), pick.choice([16, 24, 32]), pick.randint(3, 12)
    first, second = pick.choice([4, 6, 8]), pick.choice([8, 12, 16])
    needed = _parameters(depth, [first, second], second, classes)
    budget = -(-needed * 11 // 10)
    example = f"conv {first}, relu, pool, conv {second}, relu, gap, linear {classes}"
    return exercise(
        f"Assemble a network for images of {depth}x{side}x{side} and {classes} classes with at least two convolutions"
        f" and at most {budget:,} parameters.",
        NetworkAnswer((depth, side, side), classes, example, parameters=budget, convolutions=2),
        [
            (f"conv {first}, relu, pool, conv {second}, relu, flatten, linear {classes}", GAP),
            (
                f"conv {first}, relu, pool, conv {4 * second}, relu, gap, linear {classes}",
                "Parameters grow with channels in times channels out: use fewer filters.",
            ),
        ],
        [
            "Convolutions, each with a ReLU, pools between them, gap, linear.",
            f"For example {first} and {second} filters of 3x3.",
        ],
        f"for example {example}: {needed:,} parameters",
        {"shape": [depth, side, side], "classes": classes, "example": example, "parameters": needed},
    )


def to_shape(pick: Random) -> Exercise:
    """A shape of the last maps."""
    depth, halvings, small, channels = (
        pick.choice([1, 3]),
        pick.randint(2, 3),
        pick.choice([4, 5, 6, 7, 8]),
        pick.choice([8, 12, 16, 24]),
    )
    side, classes = small * 2**halvings, pick.randint(3, 10)
    middle = "".join("conv 4, relu, pool, " for _ in range(halvings - 1)) + f"conv {channels}, relu, pool, "
    example = f"{middle}gap, linear {classes}"
    return exercise(
        f"Assemble a network for images of {depth}x{side}x{side} and {classes} classes whose last maps, before the"
        f" head, are {channels}x{small}x{small}.",
        NetworkAnswer((depth, side, side), classes, example, maps=(channels, small, small)),
        [
            (
                f"conv {channels}, relu, pool, gap, linear {classes}",
                f"One pool halves the side once; from {side} to {small} it must be halved {halvings} times.",
            ),
            (
                f"{middle.replace(f'conv {channels}', f'conv {channels} padding 0')}gap, linear {classes}",
                "Padding 0 shortens the side by 2 for a 3x3.",
            ),
        ],
        [
            f"By what must the side shrink from {side} to {small}?",
            f"{halvings} halvings; the last convolution has {channels} filters.",
        ],
        f"for example {example}",
        {"shape": [depth, side, side], "classes": classes, "example": example, "maps": [channels, small, small]},
    )


def wide_field(pick: Random) -> Exercise:
    """A receptive field."""
    side, classes, goal = pick.choice([32, 40, 48]), pick.randint(3, 10), pick.randint(12, 20)
    example = f"conv 4 size 5, relu, pool, conv 6 size 5, relu, pool, conv 8, relu, gap, linear {classes}"
    return exercise(
        f"Assemble a network for images of 1x{side}x{side} and {classes} classes in which an output of the last maps"
        f" sees at least {goal} pixels a side, with at most 5,000 parameters.",
        NetworkAnswer((1, side, side), classes, example, field=goal, parameters=5000),
        [
            (
                f"conv 4, relu, conv 6, relu, conv 8, relu, gap, linear {classes}",
                "Without pools or strides, each 3x3 adds only 2 pixels.",
            ),
            (
                f"conv 6, relu, pool, conv 8, relu, gap, linear {classes}",
                "After one pool, a 3x3 adds 4 pixels: go deeper, or use larger filters.",
            ),
        ],
        ["What doubles the step of all layers after it?", "Pools; and a 5x5 adds 4 steps where a 3x3 adds 2."],
        f"for example {example}",
        {"shape": [1, side, side], "classes": classes, "example": example, "field": goal},
    )


def few_macs(pick: Random) -> Exercise:
    """A budget of multiplications."""
    side, classes = pick.choice([32, 48, 64]), pick.randint(3, 10)
    half = side // 2
    macs = half * half * 9 * 3 * 8 + (half // 2) ** 2 * 9 * 8 * 16 + 16 * classes
    budget = -(-macs * 12 // 10 // 1000) * 1000
    example = f"conv 8 stride 2, relu, conv 16 stride 2, relu, gap, linear {classes}"
    return exercise(
        f"Assemble a network for images of 3x{side}x{side} and {classes} classes with at least two convolutions, of"
        f" which the last has at least 16 filters at {side // 4}x{side // 4}, that takes at most {budget:,}"
        " multiplications for an image.",
        NetworkAnswer((3, side, side), classes, example, macs=budget, maps=(16, side // 4, side // 4), convolutions=2),
        [
            (
                f"conv 8, relu, pool, conv 16, relu, pool, gap, linear {classes}",
                "A convolution at full size is expensive: a stride of 2 takes a quarter of its multiplications.",
            ),
            (f"conv 8 stride 2, relu, gap, linear {classes}", "One convolution is missing."),
        ],
        ["Multiplications are weights times positions.", "Let the convolutions have a stride of 2."],
        f"for example {example}: {macs:,} multiplications",
        {"shape": [3, side, side], "classes": classes, "example": example, "macs": macs},
    )


def flattened(pick: Random) -> Exercise:
    """A head on a flattened vector."""
    side, classes, channels = pick.choice([16, 20, 24, 32]), pick.randint(3, 10), pick.choice([4, 6, 8])
    small = side // 4
    inputs = channels * small * small
    needed = _parameters(1, [4, channels], inputs, classes)
    example = f"conv 4, relu, pool, conv {channels}, relu, pool, flatten, linear {classes}"
    return exercise(
        f"Assemble a network for images of 1x{side}x{side} and {classes} classes with a fully connected layer on"
        f" {inputs} numbers: the last maps are {channels}x{small}x{small} and are flattened. At most {needed + 50:,}"
        " parameters.",
        NetworkAnswer((1, side, side), classes, example, maps=(channels, small, small), parameters=needed + 50),
        [
            (f"conv {channels}, relu, pool, flatten, linear {classes}", "The maps must be halved twice."),
            (
                f"conv 4 size 9, relu, pool, conv {channels} size 9, relu, pool, flatten, linear {classes}",
                "9x9 filters have nine times the weights of 3x3.",
            ),
        ],
        ["Two pools; the head is flatten, linear.", f"The last convolution has {channels} filters."],
        f"for example {example}: {needed:,} parameters",
        {"shape": [1, side, side], "classes": classes, "example": example, "parameters": needed},
    )


def picture(source: PictureSource) -> str:
    """Draw the size of the maps layer by layer."""
    values = {f"{one.name} {'x'.join(map(str, one.output_shape))}": one.output_shape for one in source.layers}
    sizes = {}
    for name, shape in list(values.items())[:12]:
        product = 1
        for length in shape:
            product *= length
        sizes[name] = float(product)
    return f"numbers after each layer:\n{bars(sizes)}"


TOPIC = Topic(
    name="assemble",
    chapter="building",
    title="Assemble a network",
    outcome="assemble a network that fits a shape and a budget",
    text=(
        "A network alternates convolutions with activations and shrinks the maps by pools or strides while the channels"
        " grow. The head turns maps into one number for each class: global average pooling or flattening, then a fully"
        " connected layer. Your answer is built and run at once."
    ),
    formula="conv -> ReLU -> pool, repeated; then gap or flatten -> linear",
    attempt=("Write a network as a file of blocks and inspect it", "convscope inspect mine.toml"),
    picture=picture,
    generators=(within_budget, to_shape, wide_field, few_macs, flattened),
    corrections=(
        Correction(
            "A squeeze-and-excitation block invents new features.",
            "It multiplies each map with a gate between 0 and 1, computed from the means of all maps; it finds none.",
            "Hu, Shen and Sun, Squeeze-and-excitation networks (2018), arXiv:1709.01507",
        ),
        Correction(
            "A network for segmentation has no pooling layers.",
            "That is the naive network, too expensive at full size. U-Net and others pool, and upsample again.",
            "Ronneberger, Fischer and Brox, U-Net (2015), arXiv:1505.04597",
        ),
    ),
)
