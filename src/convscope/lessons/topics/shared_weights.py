"""The gradient of a shared weight."""

from random import Random

import numpy as np

from convscope.lessons.drawing import beside, image_text, numbers_text
from convscope.lessons.exercise import Exercise, exercise
from convscope.lessons.grids import Grid, correlate, draw, products_text, shown, signed, windows
from convscope.lessons.source import PictureSource
from convscope.lessons.topic import Topic

ONE_PLACE = "You used one position only; the weight is used at every position, and its gradients are added."
MEAN = "The gradients are added, not averaged."


def _row(values: list[int]) -> str:
    return f"({', '.join(map(str, values))})"


def _drawn(pick: Random, count: int, low: int, high: int) -> list[int]:
    return [pick.choice([value for value in range(low, high + 1) if value]) for _ in range(count)]


def one_weight(pick: Random) -> Exercise:
    """One weight of a filter over a row."""
    x, arriving, index = _drawn(pick, 5, -4, 5), _drawn(pick, 4, -3, 3), pick.randint(0, 1)
    terms = [g * x[place + index] for place, g in enumerate(arriving)]
    other = sum(g * x[place + 1 - index] for place, g in enumerate(arriving))
    return exercise(
        f"A filter of two weights (w1, w2) runs over the row {_row(x)}: y[i] = w1 x[i] + w2 x[i + 1]. The gradient of"
        f" the loss at y is {_row(arriving)}. What is the gradient of w{index + 1}?",
        sum(terms),
        [
            (terms[0], ONE_PLACE),
            (other, f"Those are the inputs that w{2 - index} was multiplied with."),
            (sum(arriving), "Multiply each gradient with the input that the weight met there."),
            (sum(terms) / 4, MEAN),
        ],
        ["Which input did this weight meet for each output?", f"For the first output it met {x[index]}."],
        f"{' + '.join(f'({g})x({x[place + index]})' for place, g in enumerate(arriving))} = {sum(terms)}",
        {"x": x, "arriving": arriving, "index": index},
    )


def all_weights(pick: Random) -> Exercise:
    """All weights of a filter over a row."""
    x, arriving = _drawn(pick, 5, -3, 4), _drawn(pick, 3, -3, 3)
    right = [sum(g * x[place + index] for place, g in enumerate(arriving)) for index in range(3)]
    return exercise(
        f"A filter of three weights runs over the row {_row(x)} with stride 1 and gives three outputs. The gradient at"
        f" them is {_row(arriving)}. Which gradients have the three weights?",
        right,
        [
            (right[::-1], "The order is reversed: the first weight met the first input of each window."),
            ([x[index] * arriving[index] for index in range(3)], ONE_PLACE),
            ([value / 3 for value in right], MEAN),
        ],
        ["Compute one weight at a time: it met three inputs.", f"The first weight met {_row(x[:3])}."],
        f"the gradient at the outputs is a filter that runs over the inputs: {' '.join(map(str, right))}",
        {"x": x, "arriving": arriving},
    )


def square_filter(pick: Random) -> Exercise:
    """A 2x2 filter over a 3x3 image."""
    image, arriving = draw(pick, 3, 3, 0, 5), signed(pick, 2, 2, 3)
    right = correlate(image, arriving)
    last: Grid = [[image[1 + row][1 + column] * arriving[1][1] for column in range(2)] for row in range(2)]
    return exercise(
        f"A 2x2 filter runs over an image with stride 1:\n{shown(image)}\nThe gradient at its 2x2 output"
        f" is\n{shown(arriving)}\nWhich gradients have the four weights?",
        right,
        [
            (last, ONE_PLACE),
            (
                [row[::-1] for row in right[::-1]],
                "The order is reversed: the first weight met the top left pixel of each window.",
            ),
            ([[value / 4 for value in row] for row in right], MEAN),
        ],
        [
            "The top left weight met the four pixels at the top left.",
            "Multiply them with the gradient and add; then the next weight.",
        ],
        f"top left: {products_text(windows(image, 2)[0][0], arriving)} = {right[0][0]}; the others likewise",
        {"image": image, "arriving": arriving},
    )


def bias(pick: Random) -> Exercise:
    """The bias of a filter."""
    arriving = signed(pick, 3, 3, 4)
    total = sum(map(sum, arriving))
    return exercise(
        f"The gradient at a map of 3x3 outputs of one filter is\n{shown(arriving)}\nWhat is the gradient of the"
        " filter's bias?",
        total,
        [
            (total / 9, MEAN),
            (arriving[1][1], ONE_PLACE),
            (1, "The bias was added to every output, so it gets the gradient of every output."),
            (0, "The bias takes part in every output, so it has a gradient."),
        ],
        ["By how much does each output change if the bias grows by 1?", "Each by 1, so add all the gradients."],
        f"the sum of all nine = {total}",
        {"arriving": arriving},
    )


def with_stride(pick: Random) -> Exercise:
    """A filter with stride two."""
    x, arriving, index = _drawn(pick, 6, -4, 5), _drawn(pick, 3, -3, 3), pick.randint(0, 1)
    terms = [g * x[2 * place + index] for place, g in enumerate(arriving)]
    return exercise(
        f"A filter (w1, w2) runs over {_row(x)} with stride 2: y[i] = w1 x[2 i] + w2 x[2 i + 1], counted from 0. The"
        f" gradient at the three outputs is {_row(arriving)}. What is the gradient of w{index + 1}?",
        sum(terms),
        [
            (
                sum(g * x[place + index] for place, g in enumerate(arriving)),
                "The stride is 2: the windows start at every second input.",
            ),
            (
                sum(g * x[2 * place + 1 - index] for place, g in enumerate(arriving)),
                f"Those are the inputs that w{2 - index} met.",
            ),
            (sum(terms) / 3, MEAN),
            (terms[0], ONE_PLACE),
        ],
        ["Write the three windows.", f"They are {x[:2]}, {x[2:4]} and {x[4:]}."],
        f"{' + '.join(f'({g})x({x[2 * place + index]})' for place, g in enumerate(arriving))} = {sum(terms)}",
        {"x": x, "arriving": arriving, "index": index},
    )


def picture(source: PictureSource) -> str:
    """Draw an image, a gradient at a map, and the gradient of the filter, which is their correlation."""
    from scipy.signal import correlate2d  # here, because it takes as long to import as most commands to answer

    image = source.image
    arriving = np.zeros((image.shape[0] - 2, image.shape[1] - 2))
    middle = arriving.shape[0] // 2, arriving.shape[1] // 2
    arriving[middle[0]], arriving[middle[0] - 1] = 1, -1
    return beside([
        ("image", image_text(image)), ("gradient at the map", image_text(arriving, -1, 1)),
        ("gradient of the 3x3 filter", numbers_text(correlate2d(image, arriving, mode="valid"))),
    ])  # fmt: skip


TOPIC = Topic(
    name="shared-weights",
    chapter="learning",
    title="The gradient of a shared weight",
    outcome="compute the gradient of a weight that is used at many positions",
    text=(
        "Backpropagation treats every use of a weight as its own and adds the gradients. A filter's weight is used at"
        " every position, so its gradient is a sum over all positions: the correlation of the input with the gradient"
        " at the output."
    ),
    formula="gradient of w[i, j] = sum over r and c of g[r, c] x[r + i, c + j]",
    attempt=("Click a pixel of a map to see the products it was summed from", "convscope explore RUN"),
    picture=picture,
    generators=(one_weight, all_weights, square_filter, bias, with_stride),
)
