"""Initial weights."""

from fractions import Fraction
from math import sqrt
from random import Random

from convscope.lessons.answers import list_text, number_text
from convscope.lessons.drawing import chart
from convscope.lessons.exercise import Exercise, exercise
from convscope.lessons.source import PictureSource
from convscope.lessons.topic import Correction, Topic


def kaiming(pick: Random) -> Exercise:
    """The standard deviation before a ReLU."""
    size, depth = pick.choice([1, 3, 5, 7]), pick.choice([1, 3, 8, 16, 32, 64, 128])
    inputs = size * size * depth
    return exercise(
        f"A {size}x{size} convolution with {depth} input channel{'s' if depth > 1 else ''} is followed by a ReLU. Which"
        " standard deviation gives Kaiming initialisation its weights?",
        sqrt(2 / inputs),
        [
            (2 / inputs, "That is the variance; take its square root."),
            (
                sqrt(1 / inputs),
                "A ReLU sets half of the values to 0, so the variance is 2, not 1, divided by the inputs.",
            ),
            (sqrt(2 / depth), "Each output sums over the whole window: size x size x channels inputs."),
            (sqrt(2 / (size * size)), "The channels count too."),
        ],
        ["How many products does one output add?", f"It adds {inputs}; the variance is 2 divided by that."],
        f"sqrt(2/{inputs}) = {sqrt(2 / inputs):.4f}",
        {"size": size, "depth": depth},
    )


def xavier(pick: Random) -> Exercise:
    """Xavier's variance with inputs and outputs."""
    inputs, outputs = pick.randint(20, 120), pick.choice([10, 16, 32, 84])
    return exercise(
        f"A fully connected layer with {inputs} inputs and {outputs} outputs is followed by tanh. Which variance gives"
        " Glorot (Xavier) initialisation, in the form with inputs and outputs? Give four decimals or a fraction.",
        _four(Fraction(2, inputs + outputs)),
        [
            (Fraction(1, inputs), "That is the form with the inputs alone (LeCun)."),
            (Fraction(2, inputs), "That is Kaiming initialisation, for ReLU."),
            (Fraction(1, inputs + outputs), "Take the mean of inputs and outputs: 2 divided by their sum."),
            (sqrt(2 / (inputs + outputs)), "That is the standard deviation."),
        ],
        [
            "It averages the conditions of the forward and the backward pass.",
            f"1 divided by the mean of {inputs} and {outputs}.",
        ],
        f"2/({inputs} + {outputs}) = {2 / (inputs + outputs):.4f}",
        {"inputs": inputs, "outputs": outputs},
    )


def growth(pick: Random) -> Exercise:
    """The variance after some layers."""
    width, layers = pick.choice([10, 20, 50, 100]), pick.randint(2, 4)
    variance = Fraction(pick.choice([1, 2, 3, 4]), 2 * width)
    gain = width * variance
    return exercise(
        f"{layers} linear layers of {width} units each have independent weights of mean 0 and variance"
        f" {number_text(variance)}. The inputs have variance 1. Which variance have the outputs?",
        gain**layers,
        [
            (gain, "That is one layer; each multiplies the variance again."),
            (gain * layers, "Each layer multiplies the variance: take the power."),
            (variance**layers, f"Each output adds {width} products, whose variances add up."),
            (
                (1, "It would stay 1 only if the variance of the weights were 1 divided by the inputs.")
                if gain != 1
                else (0, "It stays equal here.")
            ),
        ],
        [
            "By what does one layer multiply the variance?",
            f"By {width} x {number_text(variance)} = {number_text(gain)}.",
        ],
        f"{number_text(gain)}^{layers} = {number_text(gain**layers)}",
        {"width": width, "layers": layers, "variance": str(variance)},
    )


def equal_weights(pick: Random) -> Exercise:
    """Why equal weights stay equal."""
    x, w, v, target = pick.randint(1, 4), pick.randint(1, 3), pick.randint(1, 3), pick.randint(-5, 5)
    output = 2 * v * w * x
    target += target == output
    slope = 2 * (output - target)
    right = [slope * v * x] * 2
    return exercise(
        f"Two hidden units start with the same weight: h1 = h2 = max(0, {w} x), and y = {v} h1 + {v} h2. For x = {x}"
        f" the target is {target}, and the loss is (y - target)^2. Which gradients have the two weights of the hidden"
        " units?",
        right,
        [
            ([slope * v * x, 0], "Both units have the same output and the same weight to y, so the same gradient."),
            ([slope * x] * 2, f"The gradient passes the weight {v} on its way."),
            ([slope * v] * 2, "The last factor is x."),
            ([2 * (v * w * x - target) * v * x] * 2, "Both units contribute to y."),
        ],
        ["Go back from y to h1, then to its weight.", f"y = {output}, so the slope at y is {slope}."],
        f"{slope}x{v}x{x} = {right[0]}, twice: equal units get equal steps and stay equal",
        {"x": x, "w": w, "v": v, "target": target},
    )


def zeros(pick: Random) -> Exercise:
    """Gradients of weights that are all zero."""
    x, target = [pick.choice([-2, -1, 1, 2, 3]) for _ in range(2)], pick.choice([-4, -2, 1, 3, 5])
    return exercise(
        f"All weights and biases of a network with one hidden ReLU layer are 0. The input is ({list_text(x)}), the"
        f" target {target}, the loss (y - target)^2. Which gradients have: a weight of the hidden layer, a weight of"
        " the output unit, the bias of the output unit?",
        [0, 0, -2 * target],
        [
            ([-2 * target * x[0], 0, -2 * target], "The gradient passes the weights of the output unit, which are 0."),
            ([0, -2 * target, -2 * target], "It is multiplied with the hidden output, which is 0."),
            ([0, 0, 0], "The bias is added to y directly, so it does get a gradient."),
            ([0, 0, 2 * target], "The sign is wrong: the slope is 2 (y - target) and y is 0."),
        ],
        ["What is y, and what is the slope at y?", f"y = 0, so the slope at y is {-2 * target}."],
        f"0, 0 and {-2 * target}: only the bias learns, so weights must not start at 0",
        {"x": x, "target": target},
    )


def layers_until(pick: Random) -> Exercise:
    """How fast values vanish."""
    gain, layers = Fraction(pick.choice([5, 6, 7, 8, 9, 11, 12, 13, 15, 20]), 10), pick.randint(4, 12)
    right = float(gain) ** layers
    return exercise(
        f"Each layer multiplies the standard deviation of its values by {number_text(gain)}. By what have {layers}"
        " layers multiplied it?",
        right,
        [
            (float(gain) * layers, "Each layer multiplies again: take the power."),
            (float(gain) ** (layers - 1), "One layer too few."),
            (float(gain) ** (2 * layers), "That is the variance: the square of the standard deviation."),
            (sqrt(float(gain)) ** layers, "The factor is that of the standard deviation already."),
        ],
        ["After two layers it is the square.", f"{number_text(gain)} to the power of {layers}."],
        f"{number_text(gain)}^{layers} = {right:.4g}: values {'grow' if gain > 1 else 'vanish'} with depth",
        {"gain": str(gain), "layers": layers},
    )


def _four(value: Fraction) -> object:
    from convscope.lessons.answers import numbers

    return numbers(value, decimals=4)


def picture(source: PictureSource) -> str:
    """Draw the standard deviation of values through 12 ReLU layers, for an image and three scales of weights."""
    import numpy as np

    x = np.resize(source.image.flatten() - source.image.mean(), 64)
    spreads = {}
    for name, gain in (("half of Kaiming", 0.7), ("Kaiming", 1.0), ("more", 1.3)):
        generator, values, found = np.random.default_rng(0), x / x.std(), []
        for _ in range(12):
            values = np.maximum(generator.normal(0, gain * sqrt(2 / 64), (64, 64)) @ values, 0)
            found.append(float(np.log10(values.std())))
        spreads[name] = found
    return (
        "log10 of the spread of values after each of 12 ReLU layers, for three scales of the"
        f" weights:\n{chart(spreads)}"
    )


TOPIC = Topic(
    name="initialisation",
    chapter="learning",
    title="Small random initial weights",
    outcome="say why weights start small and random, and compute their size",
    text=(
        "Equal weights get equal gradients and stay equal, so weights start at random. An output adds many products: if"
        " the weights are too large, values grow from layer to layer, if they are too small, they vanish. The variance"
        " 2/inputs keeps them level behind ReLU, 1/inputs behind tanh."
    ),
    formula="variance = 2 / inputs (Kaiming, ReLU), 1 / inputs (LeCun) or 2 / (inputs + outputs) (Glorot)",
    attempt=("Diagnose a run: dead units, vanishing and growing gradients", "convscope diagnose RUN"),
    picture=picture,
    generators=(kaiming, xavier, growth, equal_weights, zeros, layers_until),
    corrections=(
        Correction(
            "Xavier initialisation has the variance 1/inputs.",
            "Two formulas have this name: 1/inputs, and the paper's 2/(inputs + outputs), which also keeps the"
            " gradients level.",
            "Glorot and Bengio, Understanding the difficulty of training deep feedforward networks (2010), equation 16",
        ),
    ),
)
