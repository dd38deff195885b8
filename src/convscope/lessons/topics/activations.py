"""Activations and XOR."""

from fractions import Fraction
from math import exp, tanh
from random import Random

from convscope.lessons.answers import list_text, number_text
from convscope.lessons.drawing import beside
from convscope.lessons.exercise import Exercise, exercise
from convscope.lessons.grids import shown, signed
from convscope.lessons.source import PictureSource
from convscope.lessons.topic import Correction, Topic

CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1))


def values(pick: Random) -> Exercise:
    """ReLU, leaky ReLU, sigmoid and tanh of a number."""
    x, slope = pick.choice([-1, 1]) * pick.randint(2, 30) / 10, pick.choice([0.01, 0.1, 0.2])
    right = [max(0.0, x), x if x > 0 else slope * x, 1 / (1 + exp(-x)), tanh(x)]
    return exercise(
        f"What are ReLU, leaky ReLU (slope {slope:g}), sigmoid and tanh of {x:g}, in this order?",
        right,
        [
            ([right[0], right[1], right[3], right[2]], "You exchanged sigmoid (0 to 1) and tanh (-1 to 1)."),
            ([abs(x), *right[1:]], "ReLU is max(0, x), not the absolute value."),
            ([right[0], max(0.0, x), *right[2:]], "Leaky ReLU keeps a part of negative values."),
            ([*right[:2], 1 / (1 + exp(x)), right[3]], "The exponent of the sigmoid is -x."),
        ],
        [
            "ReLU is max(0, x); leaky ReLU multiplies negative values by its slope.",
            "sigmoid(x) = 1/(1 + e^-x), tanh goes from -1 to 1.",
        ],
        list_text(right),
        {"x": x, "slope": slope},
    )


def two_linear_layers(pick: Random) -> Exercise:
    """Two layers without an activation are one."""
    first, second = signed(pick, 2, 2, 3), signed(pick, 2, 2, 3)
    right, other = _product(second, first), _product(first, second)
    while right == other:
        second = signed(pick, 2, 2, 3)
        right, other = _product(second, first), _product(first, second)
    return exercise(
        f"A layer multiplies the input with the matrix\n{shown(first)}\nand the next, without an activation between,"
        f" with\n{shown(second)}\nWhich single matrix does the same as both?",
        right,
        [
            (other, "The order is reversed: the second layer's matrix stands on the left."),
            (
                [[a + b for a, b in zip(*rows, strict=True)] for rows in zip(first, second, strict=True)],
                "The matrices are multiplied, not added.",
            ),
            (
                [[a * b for a, b in zip(*rows, strict=True)] for rows in zip(first, second, strict=True)],
                "That is the product cell by cell; use rows times columns.",
            ),
        ],
        [
            "Second (first x) = (second first) x.",
            f"The top left is ({second[0][0]})x({first[0][0]}) + ({second[0][1]})x({first[1][0]}).",
        ],
        f"rows of the second times columns of the first: {right}",
        {"first": first, "second": second},
    )


def xor_network(pick: Random) -> Exercise:
    """A hidden ReLU layer computes XOR."""
    scale, w = pick.randint(1, 9), pick.randint(1, 9)
    outputs = [_xor(a, b, w, scale) for a, b in CORNERS]
    linear = [scale * (w * (a + b)) - 2 * scale * (w * (a + b) - w) for a, b in CORNERS]
    return exercise(
        f"h1 = max(0, {w} a + {w} b), h2 = max(0, {w} a + {w} b - {w}), y = {scale} h1 - {2 * scale} h2. Which y have"
        " the inputs (a, b) = (0, 0), (0, 1), (1, 0), (1, 1)?",
        outputs,
        [
            (linear, "You left out the max(0, ...): without it the network is linear and XOR is out of reach."),
            ([scale * w * (a + b) for a, b in CORNERS], "You left out h2, which brings (1, 1) back to 0."),
            ([int(value != 0) for value in outputs], "The pattern is right; give the values of y."),
        ],
        ["Compute h1 and h2 for each input.", f"For (1, 1): h1 = {2 * w}, h2 = {w}."],
        f"{list_text(outputs)}: positive for exactly one 1, which is XOR",
        {"w": w, "scale": scale},
    )


def linear_on_xor(pick: Random) -> Exercise:
    """What a linear unit gets right on XOR."""
    a, b, bias = pick.choice([-4, -2, 2, 4]), pick.choice([-4, -2, 2, 4]), pick.choice([-5, -3, -1, 1, 3, 5])
    answers = [a * x + b * y + bias > 0 for x, y in CORNERS]
    right = sum(answer == (x != y) for answer, (x, y) in zip(answers, CORNERS, strict=True))
    return exercise(
        f"A linear unit says 1 if {a} a + ({b}) b + ({bias}) > 0, else 0. For how many of the four inputs does it give"
        " XOR (1 if exactly one of a and b is 1)?",
        right,
        [
            (4, "No linear unit gets all four right: a line cannot separate them."),
            (4 - right, "That is the number of wrong ones."),
            (sum(answers), "That is how often it says 1."),
        ],
        ["Make a table of the four inputs.", f"(0, 0) gives {bias}, (0, 1) gives {b + bias}, ..."],
        f"{right} of 4; at most 3 are possible",
        {"a": a, "b": b, "bias": bias},
    )


def backwards(pick: Random) -> Exercise:
    """The gradient through a ReLU."""
    inputs = [pick.choice([-4, -3, -2, -1, 1, 2, 3, 5]) for _ in range(5)]
    arriving = [pick.choice([-3, -2, -1, 1, 2, 4]) for _ in range(5)]
    right = [g if x > 0 else 0 for x, g in zip(inputs, arriving, strict=True)]
    return exercise(
        f"A ReLU got the inputs {list_text(inputs)}; the gradient at its outputs is {list_text(arriving)}. Which"
        " gradient has its input?",
        right,
        [
            (arriving, "Where the input is negative, the output is 0 and does not change: no gradient."),
            ([max(0, g) for g in arriving], "The sign of the input decides, not that of the gradient."),
            ([max(0, x) * g for x, g in zip(inputs, arriving, strict=True)], "The slope of ReLU is 1, not the input."),
        ],
        [
            "Where does a small change of the input change the output?",
            "Where the input is positive the slope is 1, else 0.",
        ],
        list_text(right),
        {"inputs": inputs, "arriving": arriving},
    )


def vanishing(pick: Random) -> Exercise:
    """The gradient through sigmoids."""
    layers, weight = pick.randint(2, 6), Fraction(pick.choice([1, 2, 3, 5, 6, 7, 8]), 4)
    most = weight / 4
    return exercise(
        "The slope of a sigmoid is at most 1/4. By which factor is a gradient multiplied at most on its way back"
        f" through {layers} layers of one sigmoid unit each, if all weights are {number_text(weight)}?",
        most**layers,
        [
            (most * layers, "The chain rule multiplies the slopes of all layers: take the power."),
            ((weight / 2) ** layers, "The slope at the middle is 0.5 x 0.5 = 1/4."),
            (weight**layers, "You forgot the slopes; that holds for ReLU where its input is positive."),
            (Fraction(1, 4) ** layers, "You forgot the weights, which the gradient passes too."),
            (most ** (layers - 1), "One layer too few."),
        ],
        ["The chain rule multiplies the slopes and the weights.", f"{number_text(weight)}/4 to the power of {layers}."],
        f"({number_text(weight)}/4)^{layers} = {float(most**layers):.2g}: gradients vanish, which ReLU avoids",
        {"layers": layers, "weight": str(weight)},
    )


def _xor(a: int, b: int, w: int, scale: int) -> int:
    return scale * max(0, w * (a + b)) - 2 * scale * max(0, w * (a + b) - w)


def _product(a: list[list[int]], b: list[list[int]]) -> list[list[int]]:
    return [[sum(row[k] * b[k][column] for k in range(2)) for column in range(2)] for row in a]


def picture(source: PictureSource) -> str:
    """Draw what a linear unit and a ReLU network say on the square of inputs."""
    del source

    def drawn(rule: object) -> str:
        assert callable(rule)
        return "\n".join("".join("█" if rule(x / 20, y / 8) else "·" for x in range(21)) for y in range(8, -1, -1))

    parts = [
        ("linear: 3 of 4 corners", drawn(lambda a, b: a + b > 0.5)),
        ("with ReLU: XOR", drawn(lambda a, b: max(0, a + b) - 2 * max(0, a + b - 1) > 0.5)),
    ]
    return f"{beside(parts)}\ncorners: (0, 0) below left ... (1, 1) above right; full means 1"


TOPIC = Topic(
    name="activations",
    chapter="learning",
    title="Activations and XOR",
    outcome="say why a network needs activations, and compute with them",
    text=(
        "Without activations any number of layers is one matrix, and no line separates the four cases of XOR. One"
        " hidden layer with ReLU does. ReLU passes gradients where its input is positive; a unit whose input is always"
        " negative is dead."
    ),
    formula="ReLU(x) = max(0, x), leaky: max(a x, x), sigmoid: 1/(1 + exp(-x)), tanh",
    attempt=("Train with another activation", "convscope train digits --set model.options.activation=tanh"),
    picture=picture,
    schematic=True,
    generators=(values, two_linear_layers, xor_network, linear_on_xor, backwards, vanishing),
    corrections=(
        Correction(
            "AlexNet was the first network with ReLU.",
            "It made ReLU popular. Nair and Hinton had used it in 2010, and Fukushima in 1969.",
            "Nair and Hinton, Rectified linear units improve restricted Boltzmann machines (2010)",
        ),
    ),
)
