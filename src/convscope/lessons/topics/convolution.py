"""Convolution by hand."""

from random import Random

import numpy as np

from convscope.lessons import grids
from convscope.lessons.drawing import beside, image_text, numbers_text
from convscope.lessons.exercise import Exercise, exercise
from convscope.lessons.grids import correlate, draw, padded, products, products_text, shown, signed, turned, windows
from convscope.lessons.source import PictureSource
from convscope.lessons.topic import Correction, Topic

FLIPPED = "You turned the filter by 180 degrees; what deep learning calls a convolution does not turn it."
HINT = "Put the filter on the window, multiply what lies on each other, and add all products."


def one_output(pick: Random) -> Exercise:
    """One output: the filter on one window."""
    window, kernel = draw(pick, 3, 3), signed(pick, 3, 3)
    total, size = products(window, kernel), [[abs(value) for value in row] for row in kernel]
    return exercise(
        f"A window of an image and a filter:\n{shown(window)}\n\n{shown(kernel)}\nWhich value has the output?",
        total,
        [
            (products(window, turned(kernel)), FLIPPED),
            (products(window, size), "You dropped the signs of the weights; a negative weight subtracts."),
            (sum(map(sum, window)) + sum(map(sum, kernel)), "You added the values; multiply them in pairs first."),
            (total / 9, "You divided by the number of pixels; the output is the sum, not the mean."),
        ],
        [HINT, f"The first products are {window[0][0]}x({kernel[0][0]}) and {window[0][1]}x({kernel[0][1]})."],
        f"{products_text(window, kernel)} = {total}",
        {"window": window, "kernel": kernel},
    )


def whole_map(pick: Random) -> Exercise:
    """The whole map: slide the filter over the image."""
    image, kernel = draw(pick, 4, 4, 0, 5), signed(pick, 3, 3, 1)
    right = correlate(image, kernel)
    return exercise(
        f"An image and a filter, stride 1, no padding:\n{shown(image)}\n\n{shown(kernel)}\nWhich map comes out?",
        right,
        [
            (correlate(image, turned(kernel)), FLIPPED),
            (grids.transposed(right), "You exchanged rows and columns: the filter moves right first, then down."),
            ([row[::-1] for row in right[::-1]], "The order is reversed: the first output belongs to the top left."),
        ],
        ["The filter fits at two places across and two down, so the map is 2 x 2.", HINT],
        f"Top left: {products_text(windows(image, 3)[0][0], kernel)} = {right[0][0]}; the others likewise.",
        {"image": image, "kernel": kernel},
    )


def padded_corner(pick: Random) -> Exercise:
    """The corner of the map with a border of zeros."""
    image, kernel = draw(pick, 3, 3, 1, 9), signed(pick, 3, 3)
    right = correlate(padded(image), kernel)[0][0]
    edge = [[image[max(0, row - 1)][max(0, column - 1)] for column in range(3)] for row in range(3)]
    return exercise(
        f"The image gets a border of one zero on each side (padding 1):\n{shown(image)}\n\n{shown(kernel)}\n"
        "Which value is at the top left of the map?",
        right,
        [
            (products(image, kernel), "You forgot the padding: that is the value in the middle of the map."),
            (products(edge, kernel), "You repeated the edge; here the border is zero."),
            (correlate(padded(image), turned(kernel))[0][0], FLIPPED),
        ],
        ["The centre of the filter lies on the top left pixel.", "Its first row and first column lie on zeros."],
        f"Only four weights lie on the image: {products_text([row[:2] for row in image[:2]], _lower(kernel))} ="
        f" {right}",
        {"image": image, "kernel": kernel},
    )


def strided(pick: Random) -> Exercise:
    """A stride of two."""
    image, kernel = draw(pick, 4, 4, 0, 6), signed(pick, 2, 2)
    right = correlate(image, kernel, 2)
    close = [row[:2] for row in correlate(image, kernel)[:2]]
    return exercise(
        f"An image and a filter, stride 2, no padding:\n{shown(image)}\n\n{shown(kernel)}\nWhich map comes out?",
        right,
        [
            (close, "You moved the filter by one pixel; a stride of 2 moves it by two."),
            (correlate(image, turned(kernel), 2), FLIPPED),
        ],
        ["The windows start at rows 1 and 3 and at columns 1 and 3.", HINT],
        f"Top left: {products_text([row[:2] for row in image[:2]], kernel)} = {right[0][0]}; the others likewise.",
        {"image": image, "kernel": kernel},
    )


def two_channels(pick: Random) -> Exercise:
    """Two channels and a bias."""
    windows_of, kernels = [draw(pick, 2, 2, 1, 5) for _ in range(2)], [signed(pick, 2, 2) for _ in range(2)]
    bias = pick.choice([-3, -2, -1, 1, 2, 3])
    sums = [products(*pair) for pair in zip(windows_of, kernels, strict=True)]
    return exercise(
        "An image of two channels and a filter, which has the depth of its input. Channel 1 and its weights:\n"
        f"{shown(windows_of[0])}\n\n{shown(kernels[0])}\nChannel 2 and its weights:\n{shown(windows_of[1])}\n\n"
        f"{shown(kernels[1])}\nThe bias is {bias}. Which value has the output?",
        sum(sums) + bias,
        [
            (sum(sums), "You forgot the bias: it is added once to each output."),
            (sum(sums) + 2 * bias, "You added the bias for each channel; a filter has one bias."),
            (sums[0] + bias, "You left out the second channel: a filter sums over all channels of its input."),
            (sums[0] * sums[1] + bias, "You multiplied the channels; their sums are added."),
        ],
        ["Compute the sum of each channel alone.", f"Channel 1 gives {sums[0]}; add channel 2 and the bias."],
        f"{sums[0]} + ({sums[1]}) + ({bias}) = {sum(sums) + bias}",
        {"windows": windows_of, "kernels": kernels, "bias": bias},
    )


def picture(source: PictureSource) -> str:
    """Draw an image, a filter and the map."""
    from scipy.signal import correlate2d  # here, because it takes as long to import as most commands to answer

    found = correlate2d(source.image, source.kernel, mode="valid")
    most = float(np.abs(found).max())
    return beside([
        ("image", image_text(source.image)), ("filter", numbers_text(source.kernel)),
        ("map: full is positive, blank negative", image_text(found, -most, most)),
    ])  # fmt: skip


def _lower(kernel: grids.Grid) -> grids.Grid:
    return [row[1:] for row in kernel[1:]]


TOPIC = Topic(
    name="convolution",
    chapter="layers",
    title="Convolution by hand",
    outcome="compute the convolution of an image with a filter",
    text=(
        "A filter slides over the image. At each position it is multiplied with the pixels below it, and the products"
        " are added: one number of the map. The same few weights are used everywhere, so a shape is found wherever"
        " it is."
    ),
    formula="y[r, c] = b + sum over channels k, rows i and columns j of w[k, i, j] x[k, r + i, c + j]",
    attempt=(
        "Print every product of your own numbers",
        "convscope convolve numbers.txt --kernel '1,0,-1;2,0,-2;1,0,-1'",
    ),
    picture=picture,
    generators=(one_output, whole_map, padded_corner, strided, two_channels),
    corrections=(
        Correction(
            "The filter is turned by 180 degrees, or the sum is divided by the number of pixels.",
            "Deep learning computes a cross-correlation: no turn, no division. The weights are learned, so a turn "
            "would change nothing but their order.",
            "Goodfellow, Bengio and Courville, Deep Learning (2016), section 9.1",
        ),
    ),
)
