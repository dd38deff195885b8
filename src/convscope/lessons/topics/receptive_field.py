"""Receptive fields."""

from collections.abc import Sequence
from random import Random

from convscope.lessons.drawing import bars
from convscope.lessons.exercise import Exercise, exercise
from convscope.lessons.source import PictureSource
from convscope.lessons.topic import Topic

NO_STRIDE = "You forgot the strides before a layer: its steps are that many pixels of the image."
OWN_STRIDE = "A layer's own stride widens only the layers after it."


def field(layers: Sequence[tuple[int, int]]) -> int:
    """Return the side of the receptive field after layers of (size, stride)."""
    side, step = 1, 1
    for size, stride in layers:
        side, step = side + (size - 1) * step, step * stride
    return side


def too_wide(layers: Sequence[tuple[int, int]]) -> int:
    """Return the side if each layer's own stride counted."""
    side, step = 1, 1
    for size, stride in layers:
        step *= stride
        side += (size - 1) * step
    return side


def _wrong(layers: Sequence[tuple[int, int]]) -> list[tuple[int, str]]:
    return [
        (field([(size, 1) for size, _ in layers]), NO_STRIDE),
        (too_wide(layers), OWN_STRIDE),
        (field(layers) - 1, "You forgot the pixel in the middle: the field starts at 1, not at 0."),
        (sum(size for size, _ in layers), "Sizes are not added: a layer adds its size minus 1, times the step so far."),
    ]


def _solution(layers: Sequence[tuple[int, int]]) -> str:
    steps, step = ["1"], 1
    for size, stride in layers:
        steps.append(f"({size} - 1)x{step}")
        step *= stride
    return f"{' + '.join(steps)} = {field(layers)}"


def _exercise(question: str, layers: Sequence[tuple[int, int]]) -> Exercise:
    return exercise(
        f"{question} Which side, in pixels of the image, has the receptive field of an output?",
        field(layers),
        _wrong(layers),
        ["Start with 1 and go from the image to the output.", f"After the first layer it is {field(layers[:1])}."],
        _solution(layers),
        {"layers": [list(layer) for layer in layers]},
    )


def convolution_and_pool(pick: Random) -> Exercise:
    """A convolution, a pool, a convolution."""
    first, last = pick.choice([3, 5, 7, 9, 11]), pick.choice([3, 5, 7, 9])
    window = pick.choice([2, 3])
    return _exercise(
        f"A {first}x{first} convolution (stride 1), a {window}x{window} pool (stride 2) and a {last}x{last} convolution"
        " (stride 1).",
        [(first, 1), (window, 2), (last, 1)],
    )


def strided_stem(pick: Random) -> Exercise:
    """A strided stem."""
    size, stride, count = pick.choice([5, 7, 9, 11]), pick.choice([2, 3, 4]), pick.randint(1, 4)
    return _exercise(
        f"A {size}x{size} convolution with stride {stride}, a 3x3 pool with stride 2, then {count} 3x3 convolution"
        f"{'s' if count > 1 else ''} with stride 1.",
        [(size, stride), (3, 2), *[(3, 1)] * count],
    )


def blocks(pick: Random) -> Exercise:
    """Blocks of two convolutions and a pool."""
    count, first, second = pick.randint(2, 5), pick.choice([3, 5, 7]), pick.choice([1, 3, 5])
    return _exercise(
        f"{count} blocks, each of a {first}x{first} and a {second}x{second} convolution (stride 1) and a 2x2 max pool"
        " (stride 2).",
        [(first, 1), (second, 1), (2, 2)] * count,
    )


def step_of_outputs(pick: Random) -> Exercise:
    """How far apart neighbouring outputs look."""
    strides = [pick.choice([1, 2, 2, 3, 4]) for _ in range(4)]
    while len(set(strides)) == 1:
        strides = [pick.choice([1, 2, 2, 3, 4]) for _ in range(4)]
    product = 1
    for stride in strides:
        product *= stride
    return exercise(
        f"Four layers have the strides {', '.join(map(str, strides))}. How many pixels of the image lie between the"
        " receptive fields of neighbouring outputs?",
        product,
        [
            (sum(strides), "Strides are multiplied: each acts on steps that are already that long."),
            (strides[-1], "That is the step in the map before the last layer; the question is about the image."),
            (max(strides), "All strides count, not the largest alone."),
        ],
        ["One step in the last map is how many in the map before?", "Multiply from the last layer to the first."],
        f"{'x'.join(map(str, strides))} = {product}",
        {"strides": strides},
    )


def dilated(pick: Random) -> Exercise:
    """Growing dilation."""
    count = pick.randint(2, 5)
    dilations = (
        [2**index for index in range(count)] if pick.random() < 0.5 else [pick.randint(1, 4) for _ in range(count)]
    )
    right = 1 + 2 * sum(dilations)
    return exercise(
        f"3x3 convolutions with stride 1 and the dilations {', '.join(map(str, dilations))} follow each other. Which"
        " side has the receptive field?",
        right,
        [
            (2 * count + 1, "You forgot the dilation: it multiplies the reach of a filter."),
            (right - 1, "You forgot the pixel in the middle: the field starts at 1, not at 0."),
            (3 * sum(dilations), "A 3x3 filter adds 2 times its dilation, not 3 times."),
            (1 + sum(dilations), "A filter reaches to both sides."),
        ],
        [
            "A dilated 3x3 reaches its dilation in pixels to each side.",
            f"Together they reach {sum(dilations)} to each side.",
        ],
        f"1 + 2x({' + '.join(map(str, dilations))}) = {right}",
        {"dilations": dilations},
    )


def deep_enough(pick: Random) -> Exercise:
    """How many layers see an object."""
    pixels, size = pick.randint(10, 60), pick.choice([3, 5])
    right = -(-(pixels - 1) // (size - 1))
    return exercise(
        f"Objects are {pixels} pixels wide. How many {size}x{size} convolutions with stride 1 are needed at least, so"
        " that an output sees all of an object?",
        right,
        [
            (-(-pixels // size), "Each layer adds its size minus 1, not its size."),
            ((pixels - 1) // (size - 1), "So many see a little less than the object; round up."),
            (pixels - 1, f"Each layer adds {size - 1} pixels, not one."),
        ],
        [f"The field of n layers is 1 + {size - 1} n.", f"1 + {size - 1} n must be at least {pixels}."],
        f"({pixels} - 1)/{size - 1}, rounded up = {right}",
        {"pixels": pixels, "size": size},
    )


def picture(source: PictureSource) -> str:
    """Draw the receptive field of each layer of a network."""
    fields = {f"{one.name} ({one.layer_type})": float(max(one.rf_size)) for one in source.layers if not one.flat}
    return "side of the receptive field in pixels:\n" + bars(dict(list(fields.items())[:12]))


TOPIC = Topic(
    name="receptive-field",
    chapter="layers",
    title="Receptive fields",
    outcome="calculate which pixels an output sees",
    text=(
        "The receptive field of an output are the pixels that can change it. Every layer widens it by its size minus 1,"
        " in steps of all strides before it. A network whose last maps see less than an object cannot recognise it by"
        " its shape."
    ),
    formula="field after a layer = field before + (size - 1) x (product of the strides of all layers before)",
    attempt=("List the receptive field of every layer", "convscope inspect vgg16"),
    picture=picture,
    generators=(convolution_and_pool, strided_stem, blocks, step_of_outputs, dilated, deep_enough),
)
