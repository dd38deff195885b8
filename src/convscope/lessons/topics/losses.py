"""Losses."""

from fractions import Fraction
from math import exp, log
from random import Random

from convscope.lessons.answers import list_text
from convscope.lessons.drawing import bars
from convscope.lessons.exercise import Exercise, exercise
from convscope.lessons.source import PictureSource
from convscope.lessons.topic import Correction, Topic
from convscope.lessons.topics.softmax import drawn, softmax


def cross_entropy(pick: Random) -> Exercise:
    """Cross entropy from probabilities."""
    parts = [pick.randint(1, 9) for _ in range(3)]
    chances, place = [part / sum(parts) for part in parts], pick.randint(0, 2)
    right = -log(chances[place])
    return exercise(
        f"A network gives the probabilities {list_text(chances)}; the right class is number {place + 1}. What is the"
        " cross entropy (natural logarithm)?",
        right,
        [
            (-right, "The loss is positive: you forgot the minus sign."),
            (1 - chances[place], "Take the negative logarithm of the probability, not its distance from 1."),
            (-sum(map(log, chances)), "Only the probability of the right class counts."),
            (right / log(2), "That is in bits; deep learning uses the natural logarithm."),
        ],
        ["Only one of the probabilities counts.", f"Take the negative logarithm of {chances[place]:.3f}."],
        f"-log({chances[place]:.3f}) = {right:.3f}",
        {"chances": parts, "place": place},
    )


def from_logits(pick: Random) -> Exercise:
    """Cross entropy from logits."""
    logits, place = drawn(pick), pick.randint(0, 2)
    right = -log(softmax(logits)[place])
    return exercise(
        f"The logits are {list_text(logits)}; the right class is number {place + 1}. What is the cross entropy?",
        right,
        [
            (-right, "The loss is positive: you forgot the minus sign."),
            (
                -logits[place],
                "Softmax comes first: subtract the logit from the logarithm of the sum of the exponentials.",
            ),
            (-log(softmax(softmax(logits))[place]), "You applied softmax twice: the loss takes raw logits."),
            (1 - softmax(logits)[place], "Take the negative logarithm of the probability, not its distance from 1."),
        ],
        [
            "Softmax, then the negative logarithm of the right class.",
            f"Its probability is {softmax(logits)[place]:.3f}.",
        ],
        f"-log({softmax(logits)[place]:.4f}) = {right:.3f}",
        {"logits": logits, "place": place},
    )


def squared(pick: Random) -> Exercise:
    """Mean squared error."""
    target = [pick.randint(0, 9) for _ in range(4)]
    predicted = [value + pick.choice([-3, -2, -1, 1, 2, 3]) for value in target]
    errors = [a - b for a, b in zip(predicted, target, strict=True)]
    total = sum(error**2 for error in errors)
    return exercise(
        f"The targets are {list_text(target)}, the predictions {list_text(predicted)}. What is the mean squared error?",
        Fraction(total, 4),
        [
            (total, "You forgot to divide by the number of values."),
            (Fraction(sum(map(abs, errors)), 4), "That is the mean absolute error: square the differences."),
            (Fraction(sum(errors) ** 2, 4), "Square each difference before adding them."),
            (Fraction(sum(errors), 4), "Without squares, errors of both signs cancel."),
            (Fraction(total, 8), "Some authors halve it; the mean squared error is not halved."),
        ],
        ["Square each difference, then take the mean.", f"The differences are {list_text(errors)}."],
        f"{total}/4 = {total / 4:g}",
        {"target": target, "predicted": predicted},
    )


def binary(pick: Random) -> Exercise:
    """Binary cross entropy from a logit."""
    logit, label = pick.choice([-1, 1]) * pick.randint(2, 30) / 10, pick.randint(0, 1)
    chance = 1 / (1 + exp(-logit))
    right = -log(chance if label else 1 - chance)
    return exercise(
        f"One label of an image has the raw logit {logit:g}; the label is {'present (1)' if label else 'absent (0)'}."
        " What is the binary cross entropy with logits?",
        right,
        [
            (-log(1 - chance if label else chance), "That is the loss if the label were the other one."),
            (-right, "The loss is positive: you forgot the minus sign."),
            (abs(label - chance), "Take the negative logarithm of the probability of what is true."),
            (
                _twice(chance, label),
                "You applied the sigmoid twice: this loss takes the raw logit and applies it itself.",
            ),
        ],
        [
            "The sigmoid gives the probability that the label is present.",
            f"The probability of what is true is {exp(-right):.3f}.",
        ],
        f"-log({exp(-right):.4f}) = {right:.3f}",
        {"logit": logit, "label": label},
    )


def gradient(pick: Random) -> Exercise:
    """The gradient at the logits."""
    logits, place = drawn(pick), pick.randint(0, 2)
    chances = softmax(logits)
    right = [chance - (index == place) for index, chance in enumerate(chances)]
    return exercise(
        f"The logits are {list_text(logits)}; the right class is number {place + 1}. Which gradient has the cross"
        " entropy at the three logits?",
        right,
        [
            (
                [-value for value in right],
                "The sign is wrong: the logit of the right class must grow, so its gradient is negative.",
            ),
            (chances, "Subtract 1 at the right class."),
            (
                [value * (index == place) for index, value in enumerate(right)],
                "The other logits have a gradient too: their probabilities.",
            ),
        ],
        ["The gradient is the probabilities minus the target.", f"The probabilities are {list_text(chances)}."],
        f"{list_text(chances)}, minus 1 at class {place + 1}",
        {"logits": logits, "place": place},
    )


SITUATIONS = (
    ("each photo shows exactly one of ten animals", "softmax and cross entropy"),
    (
        "a film has any number of genres, such as humour and science fiction",
        "a sigmoid for each class and binary cross entropy",
    ),
    ("the network estimates the age of a person in years", "mean squared error"),
    ("each pixel belongs to one of five kinds of tissue", "softmax and cross entropy"),
    (
        "a photo of a beach may show dogs, people and boats, or none of them",
        "a sigmoid for each class and binary cross entropy",
    ),
    ("the network estimates the number of cells in an image", "mean squared error"),
    ("a handwritten digit is 0 to 9", "softmax and cross entropy"),
    ("the network gives the four corners of a box", "mean squared error"),
)
REASONS = {
    "softmax and cross entropy": (
        "Softmax makes the classes exclude each other; they do not here, or there are no classes."
    ),
    "a sigmoid for each class and binary cross entropy": (
        "Separate sigmoids are for labels of which several or none may be present."
    ),
    "mean squared error": "Squared errors are for numbers; a class number has no distance to another.",
}


def which_loss(pick: Random) -> Exercise:
    """The loss that fits a task."""
    size, (situation, right) = pick.choice([64, 96, 128, 160, 224, 256]), pick.choice(SITUATIONS)
    return exercise(
        f"Images of {size} pixels: {situation}. Which output and which loss fit?",
        right,
        [(loss, sentence) for loss, sentence in REASONS.items() if loss != right],
        ["Is the target a number, one class, or any number of labels?", "Do the classes exclude each other?"],
        f"{right}.",
        {"situation": situation},
    )


def _twice(chance: float, label: int) -> float:
    again = 1 / (1 + exp(-chance))
    return -log(again if label else 1 - again)


def picture(source: PictureSource) -> str:
    """Draw the loss of an image if each class were the right one."""
    scores = source.scores
    losses = {
        name: -log(max(chance, 1e-12)) for name, chance in zip(scores, softmax(list(scores.values())), strict=True)
    }
    return f"cross entropy of an image if the right class were\n{bars(losses, 40, '.2f')}"


TOPIC = Topic(
    name="losses",
    chapter="learning",
    title="Losses",
    outcome="compute a loss and choose the one that fits a task",
    text=(
        "Cross entropy is the negative logarithm of the probability of the right class. Labels that do not exclude each"
        " other have a sigmoid and a binary cross entropy each; numbers have a squared error. The gradient at the"
        " logits is simply probability minus target."
    ),
    formula="cross entropy = -log p[right class] = log(sum of exp(z)) - z[right class]",
    attempt=("Print the loss of a run on its validation images", "convscope evaluate RUN"),
    picture=picture,
    generators=(cross_entropy, from_logits, squared, binary, gradient, which_loss),
    corrections=(
        Correction(
            "BCEWithLogitsLoss takes values between 0 and 1.",
            "It takes raw logits of any size and applies the sigmoid itself; BCELoss takes probabilities.",
            "PyTorch documentation, torch.nn.BCEWithLogitsLoss",
        ),
        Correction(
            "For several classes use binary cross entropy.",
            "For several labels at once (multi-label), yes. For one of several classes (multi-class), use softmax and"
            " cross entropy.",
            "Goodfellow, Bengio and Courville, Deep Learning (2016), section 6.2.2",
        ),
    ),
)
