"""Batch norm by hand."""

from fractions import Fraction
from math import sqrt
from random import Random

from convscope.lessons.answers import list_text, number_text
from convscope.lessons.drawing import beside, chart
from convscope.lessons.exercise import Exercise, exercise
from convscope.lessons.source import PictureSource
from convscope.lessons.topic import Topic

TENTH = Fraction(1, 10)


def _batch(pick: Random) -> list[int]:
    found = [pick.randint(-5, 9) for _ in range(4)]
    return found if len(set(found)) > 1 else _batch(pick)


def _moments(batch: list[int]) -> tuple[Fraction, Fraction]:
    mean = Fraction(sum(batch), len(batch))
    return mean, sum(((value - mean) ** 2 for value in batch), Fraction()) / len(batch)


def normalise(pick: Random) -> Exercise:
    """Normalise a batch."""
    batch = _batch(pick)
    mean, variance = _moments(batch)
    spread = sqrt(variance)
    right = [float(value - mean) / spread for value in batch]
    sample = sqrt(variance * 4 / 3)
    return exercise(
        f"One channel has the values {list_text(batch)} in a batch. Normalise them as batch norm does in training"
        " (scale 1, shift 0; ignore epsilon).",
        right,
        [
            ([float(value - mean) for value in batch], "You forgot to divide by the standard deviation."),
            (
                [float(value - mean) / float(variance) for value in batch],
                "Divide by the standard deviation, not by the variance.",
            ),
            (
                [float(value - mean) / sample for value in batch],
                "Batch norm divides the sum of squares by n, not by n - 1, to normalise.",
            ),
            ([value / spread for value in batch], "You forgot to subtract the mean."),
        ],
        [
            "Subtract the mean, divide by the standard deviation.",
            f"The mean is {number_text(mean)}, the variance {number_text(variance)}.",
        ],
        f"({batch[0]} - {number_text(mean)})/{spread:.4f} = {right[0]:.3f}, and so on",
        {"batch": batch},
    )


def scaled(pick: Random) -> Exercise:
    """Scale and shift."""
    batch, gamma, beta = (
        [0, 2 * pick.randint(1, 5)],
        pick.choice([Fraction(2), Fraction(3), Fraction(1, 2), Fraction(-1)]),
        pick.choice([-2, -1, 1, 3, 5]),
    )
    pick.shuffle(batch)
    signs = [-1 if value == 0 else 1 for value in batch]
    right = [gamma * sign + beta for sign in signs]
    return exercise(
        f"A batch of two has the values {list_text(batch)} in one channel. Batch norm has learned the scale"
        f" {number_text(gamma)} and the shift {beta}. Which values come out in training (ignore epsilon)?",
        right,
        [
            (signs, "You forgot the scale and the shift."),
            ([gamma * (sign + beta) for sign in signs], "The shift is added after the scale."),
            ([gamma * value + beta for value in batch], "Normalise before you scale."),
            ([gamma * sign for sign in signs], "You forgot the shift."),
        ],
        ["First normalise.", f"The normalised values are {list_text(signs)}."],
        f"{number_text(gamma)}x({signs[0]}) + ({beta}) = {number_text(right[0])}; likewise {number_text(right[1])}",
        {"batch": batch, "gamma": str(gamma), "beta": beta},
    )


def running(pick: Random) -> Exercise:
    """The running mean."""
    old, batch = pick.choice([-5, -4, -3, -2, -1, 1, 2, 3, 4, 5]), _batch(pick)
    mean, _ = _moments(batch)
    old += old == mean
    right = (1 - TENTH) * old + TENTH * mean
    return exercise(
        f"The running mean of a channel is {old}. A batch with the values {list_text(batch)} comes in training;"
        " momentum 0.1 as in PyTorch. What is the running mean afterwards?",
        right,
        [
            (
                TENTH * old + (1 - TENTH) * mean,
                "PyTorch's momentum is the weight of the new batch: 0.1 of it, 0.9 of the old value.",
            ),
            (mean, "That is the mean of the batch; the running mean moves a tenth of the way."),
            ((old + mean) / 2, "Old and new do not have equal weights."),
            (old + TENTH * mean, "The old value is multiplied by 0.9."),
        ],
        ["0.9 of the old value and 0.1 of the batch's mean.", f"The batch's mean is {number_text(mean)}."],
        f"0.9x({old}) + 0.1x{number_text(mean)} = {number_text(right)}",
        {"old": old, "batch": batch},
    )


def evaluation(pick: Random) -> Exercise:
    """In evaluation."""
    mean, deviation, x = pick.randint(-3, 4), pick.choice([2, 4, 5]), pick.choice([-6, -4, 5, 7, 9, 12])
    gamma, beta = pick.choice([1, 2, 3]), pick.choice([-1, 0, 2])
    mates = [x, x + pick.choice([2, 4, 6])]
    right = Fraction(gamma * (x - mean), deviation) + beta
    return exercise(
        f"In evaluation a batch has the values {list_text(mates)} in a channel. The running mean is {mean}, the running"
        f" variance {deviation**2}, the scale {gamma}, the shift {beta}. What comes out for the first value, {x}"
        " (ignore epsilon)?",
        right,
        [
            (-gamma + beta, "You used the mean and variance of the batch; in evaluation the running ones count."),
            (
                Fraction(gamma * (x - mean), deviation**2) + beta,
                "Divide by the standard deviation, the square root of the variance.",
            ),
            (Fraction(x - mean, deviation), "You forgot the scale and the shift."),
            (Fraction(gamma * x, deviation) + beta, "You forgot to subtract the running mean."),
        ],
        ["The other images of the batch do not matter in evaluation.", f"The standard deviation is {deviation}."],
        f"{gamma}x({x} - ({mean}))/{deviation} + ({beta}) = {number_text(right)}",
        {"mean": mean, "deviation": deviation, "x": x, "gamma": gamma, "beta": beta},
    )


def learned(pick: Random) -> Exercise:
    """How many numbers it learns."""
    batch, channels, side = (
        pick.choice([8, 16, 32, 64]),
        pick.choice([16, 24, 32, 48, 64, 96]),
        pick.choice([7, 14, 28]),
    )
    return exercise(
        f"A batch norm gets a batch of shape ({batch}, {channels}, {side}, {side}). How many parameters does it learn,"
        " and over how many values does it take each mean?",
        [2 * channels, batch * side * side],
        [
            (
                [4 * channels, batch * side * side],
                "The running mean and variance are kept, but not learned by gradient descent.",
            ),
            ([2 * channels, batch], "The mean is over the batch and all positions of a map."),
            ([channels, batch * side * side], "It learns two numbers for each channel: a scale and a shift."),
            ([2 * channels, side * side], "The mean is over all images of the batch too."),
            ([2 * channels * side * side, batch], "All positions of a channel share one scale and one shift."),
        ],
        ["Everything is per channel.", "A scale and a shift for each channel; a mean over batch, height and width."],
        f"2x{channels} = {2 * channels} and {batch}x{side}x{side} = {batch * side * side}",
        {"batch": batch, "channels": channels, "side": side},
    )


def folded(pick: Random) -> Exercise:
    """Folding it into the convolution before."""
    weight, bias = pick.choice([-2, 1, 3, 4]), pick.choice([0, 1, 2])
    gamma, beta, mean, deviation = (
        pick.choice([1, 2, 3]),
        pick.choice([-1, 0, 1]),
        pick.choice([-2, 1, 3]),
        pick.choice([2, 4, 5]),
    )
    scale = Fraction(gamma, deviation)
    right = [weight * scale, (bias - mean) * scale + beta]
    return exercise(
        f"After training, a batch norm (scale {gamma}, shift {beta}, running mean {mean}, running standard deviation"
        f" {deviation}) is folded into the 1x1 convolution before it, which has the weight {weight} and the bias"
        f" {bias}. Which weight and bias has the convolution then?",
        right,
        [
            ([weight * scale, bias * scale + beta], "You forgot the running mean, which is subtracted first."),
            ([weight * scale, bias - mean + beta], "The bias is scaled too."),
            ([weight * scale, (bias - mean + beta) * scale], "The shift is added after the scale."),
            ([weight * gamma, (bias - mean) * gamma + beta], "You forgot to divide by the standard deviation."),
        ],
        ["Write out scale x (w x + b - mean)/deviation + shift.", f"The factor of x is {weight}x{gamma}/{deviation}."],
        f"{number_text(right[0])} and {number_text(right[1])}",
        {"weight": weight, "bias": bias, "gamma": gamma, "beta": beta, "mean": mean, "deviation": deviation},
    )


def picture(source: PictureSource) -> str:
    """Draw the rows of an image before and after normalising."""
    middle = source.image[source.image.shape[0] // 2]
    normal = (middle - middle.mean()) / (middle.std() or 1)
    return beside([
        ("a row of pixels", chart({"value": middle.tolist()}, 8, 30)),
        ("normalised: mean 0, deviation 1", chart({"value": normal.tolist()}, 8, 30)),
    ])  # fmt: skip


TOPIC = Topic(
    name="batch-norm",
    chapter="learning",
    title="Batch norm by hand",
    outcome="compute batch norm in training and in evaluation",
    text=(
        "In training, batch norm subtracts the mean of a channel over the batch and divides by its standard deviation,"
        " then applies a learned scale and shift. It keeps running means, and uses them in evaluation, so that an"
        " image's prediction does not depend on the others of its batch."
    ),
    formula="y = scale (x - mean) / sqrt(variance + epsilon) + shift; running = 0.9 running + 0.1 batch",
    attempt=("List the layers of a network with batch norm", "convscope inspect resnet20"),
    picture=picture,
    generators=(normalise, scaled, running, evaluation, learned, folded),
)
