"""Dropout."""

from fractions import Fraction
from random import Random

from convscope.lessons.answers import list_text, number_text
from convscope.lessons.drawing import beside, image_text
from convscope.lessons.exercise import Exercise, exercise
from convscope.lessons.source import PictureSource
from convscope.lessons.topic import Correction, Topic

RATES = tuple(Fraction(share, 20) for share in (2, 4, 5, 6, 8, 10, 12, 15, 16))
KEPT = "You took the rate for the probability to keep; here it is the probability to drop."
NO_SCALE = "What is kept is divided by the probability to keep, so that the mean stays."


def outputs(pick: Random) -> Exercise:
    """The outputs in training."""
    rate, values = pick.choice(RATES), [pick.randint(1, 9) for _ in range(4)]
    mask = [1, 1, 0, 0] if pick.random() < 0.5 else [1, 1, 1, 0]
    pick.shuffle(mask)
    right = [m * Fraction(value) / (1 - rate) for m, value in zip(mask, values, strict=True)]
    dropped = [index + 1 for index, m in enumerate(mask) if not m]
    return exercise(
        f"Dropout with rate {number_text(rate)} gets the values {list_text(values)} in training and drops number"
        f" {' and '.join(map(str, dropped))}. Which values come out, as in PyTorch?",
        right,
        [
            ([m * value for m, value in zip(mask, values, strict=True)], NO_SCALE),
            ([m * value / rate for m, value in zip(mask, values, strict=True)], KEPT),
            (
                [m * value * (1 - rate) for m, value in zip(mask, values, strict=True)],
                "Divide by the probability to keep, do not multiply.",
            ),
            (values, "That is evaluation, where nothing is dropped."),
        ],
        ["Set what is dropped to 0.", f"Divide the others by 1 - {number_text(rate)}."],
        list_text(right),
        {"rate": str(rate), "values": values, "mask": mask},
    )


def scale(pick: Random) -> Exercise:
    """The factor of what is kept."""
    rate = Fraction(pick.randint(2, 95), 100)
    return exercise(
        f"With a dropout rate of {number_text(rate)}, by which factor are the kept values multiplied in training?",
        1 / (1 - rate),
        [
            (1 - rate, "That would shrink them; the factor makes up for what is dropped."),
            (1 / rate, KEPT),
            (1 + rate, "The mean stays only if the factor is 1 divided by the part that is kept."),
            (1, NO_SCALE),
        ],
        [
            "Which part of the values is kept on average?",
            f"{number_text(1 - rate)} of them; the factor makes up for it.",
        ],
        f"1/(1 - {number_text(rate)}) = {number_text(1 / (1 - rate))}",
        {"rate": str(rate)},
    )


def in_evaluation(pick: Random) -> Exercise:
    """The output in evaluation."""
    rate, value = pick.choice(RATES), pick.randint(2, 12)
    return exercise(
        f"A unit has the value {value}. Behind it is PyTorch's dropout with rate {number_text(rate)}. What comes out in"
        " evaluation?",
        value,
        [
            (
                value * (1 - rate),
                (
                    "That was the first form of dropout; today the scale is applied in training, and evaluation changes"
                    " nothing."
                ),
            ),
            (value / (1 - rate), "That is what comes out in training if the unit is kept."),
            (0, "Nothing is dropped in evaluation."),
        ],
        ["Is anything dropped in evaluation?", "The mean was kept in training already."],
        f"{value}: dropout does nothing in evaluation",
        {"rate": str(rate), "value": value},
    )


def mean(pick: Random) -> Exercise:
    """The mean over many passes."""
    rate, values = pick.choice(RATES), [pick.randint(1, 9) for _ in range(3)]
    weights = [pick.choice([-2, -1, 1, 2, 3]) for _ in range(3)]
    weights[0] += not sum(w * value for w, value in zip(weights, values, strict=True))
    total = sum(w * value for w, value in zip(weights, values, strict=True))
    return exercise(
        f"The values {list_text(values)} pass dropout with rate {number_text(rate)} in training and then a unit with"
        f" the weights {list_text(weights)}. Which value has the unit on average over many passes?",
        total,
        [
            (total * (1 - rate), "That would be without the scale of what is kept."),
            (total / (1 - rate), "That is a pass in which nothing is dropped."),
            (total * rate, "What is dropped adds nothing; what is kept is scaled so that the mean stays."),
        ],
        [
            "What is the mean of one value behind dropout?",
            "It is the value itself, so the unit's mean is that without dropout.",
        ],
        f"{' + '.join(f'({w})x{value}' for w, value in zip(weights, values, strict=True))} = {total}",
        {"rate": str(rate), "values": values, "weights": weights},
    )


def all_dropped(pick: Random) -> Exercise:
    """How probable a pattern is."""
    rate, units = pick.choice(RATES), pick.randint(2, 4)
    return exercise(
        f"{units} units are dropped independently with rate {number_text(rate)}. How probable is it that all are kept"
        " in a pass?",
        (1 - rate) ** units,
        [
            (rate**units, "That is the probability that all are dropped."),
            (1 - rate**units, "That is the probability that at least one is kept."),
            (1 - rate * units, "Independent probabilities are multiplied."),
            (1 - rate, "That is one unit."),
        ],
        ["How probable is it that one unit is kept?", f"{number_text(1 - rate)}, to the power of {units}."],
        f"{number_text(1 - rate)}^{units} = {number_text((1 - rate) ** units)}",
        {"rate": str(rate), "units": units},
    )


def variance(pick: Random) -> Exercise:
    """The variance that dropout adds."""
    rate, value = pick.choice(RATES), pick.randint(1, 6)
    right = value**2 * rate / (1 - rate)
    return exercise(
        f"A value of {value} passes dropout with rate {number_text(rate)} in training: it becomes 0 or"
        f" {number_text(value / (1 - rate))}. Which variance has it over many passes?",
        right,
        [
            (value**2 / (1 - rate), "That is the mean of the squares; subtract the square of the mean."),
            (value**2 * rate * (1 - rate), "You forgot the scale of what is kept."),
            (0, "The mean stays, but each pass differs."),
            (value * rate / (1 - rate), "A variance has the square of the value."),
        ],
        [
            "Mean of the squares minus square of the mean.",
            f"The mean is {value}; the mean of the squares is {number_text(value**2 / (1 - rate))}.",
        ],
        f"{number_text(value**2 / (1 - rate))} - {value**2} = {number_text(right)}",
        {"rate": str(rate), "value": value},
    )


def picture(source: PictureSource) -> str:
    """Draw an image with half of its pixels dropped, twice."""
    import numpy as np

    generator, parts = np.random.default_rng(0), [("image", image_text(source.image, 0, 1))]
    for name in ("one pass", "another pass"):
        kept = generator.random(source.image.shape) >= 0.5
        parts.append((name, image_text(source.image * kept * 2, 0, 2)))
    return beside(parts)


TOPIC = Topic(
    name="dropout",
    chapter="learning",
    title="Dropout",
    outcome="compute what dropout does in training and in evaluation",
    text=(
        "In training, dropout sets each value to 0 with a probability, the rate, and divides the others by 1 - rate, so"
        " that the mean stays. No unit can rely on another one. In evaluation it does nothing. Check whether a text"
        " gives the probability to drop, as PyTorch does, or to keep."
    ),
    formula="y = 0 with probability p, else x / (1 - p); mean of y = x",
    attempt=("Train with dropout", "convscope train digits --set model.options.dropout=0.3"),
    picture=picture,
    generators=(outputs, scale, in_evaluation, mean, all_dropped, variance),
    corrections=(
        Correction(
            "Dropout removes single connections between units.",
            "It sets units to 0, and with them all their connections. Dropping single weights is DropConnect.",
            "Srivastava and others, Dropout (2014); Wan and others, DropConnect (2013)",
        ),
        Correction(
            "The parameter p is the probability to keep a unit.",
            "In the paper it is; in PyTorch and most libraries p is the probability to drop.",
            "PyTorch documentation, torch.nn.Dropout",
        ),
    ),
)
