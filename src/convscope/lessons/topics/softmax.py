"""Softmax."""

from math import exp, log
from random import Random

from convscope.lessons.answers import list_text
from convscope.lessons.drawing import bars
from convscope.lessons.exercise import Exercise, exercise
from convscope.lessons.source import PictureSource
from convscope.lessons.topic import Topic

PLAIN = "You divided the logits by their sum; take the exponential of each first."


def softmax(logits: list[float]) -> list[float]:
    """Return the probabilities of logits."""
    powers = [exp(value - max(logits)) for value in logits]
    return [power / sum(powers) for power in powers]


def drawn(pick: Random, count: int = 3) -> list[float]:
    """Return different logits with halves."""
    return [value / 2 for value in pick.sample(range(-5, 9), count)]


def probabilities(pick: Random) -> Exercise:
    """All probabilities."""
    logits = drawn(pick)
    right = softmax(logits)
    total = sum(logits) or 1
    return exercise(
        f"A network gives the logits {list_text(logits)} for three classes. Which probabilities does softmax give?",
        right,
        [
            ([value / total for value in logits], PLAIN),
            (
                [1 / (1 + exp(-value)) for value in logits],
                "That is the sigmoid of each; the probabilities of softmax add up to 1.",
            ),
            ([exp(value) for value in logits], "You forgot to divide by the sum of the exponentials."),
            (
                [exp(-value) / sum(exp(-other) for other in logits) for value in logits],
                "The larger logit gets the larger probability.",
            ),
        ],
        [
            "Take e to the power of each logit.",
            f"The powers are {list_text([exp(value) for value in logits])}; divide by their sum.",
        ],
        list_text(right),
        {"logits": logits},
    )


def ratio(pick: Random) -> Exercise:
    """How much likelier one class is."""
    difference, low = pick.randint(2, 15) / 5, pick.choice([-2.0, -1.0, 0.5, 1.0, 2.0])
    return exercise(
        f"Class A has the logit {low + difference:g}, class B {low:g}; there are other classes. How many times as"
        " probable is A?",
        exp(difference),
        [
            (difference, "That is the difference of the logits; probabilities have the ratio e to that power."),
            (
                (low + difference) / low,
                "The ratio of the logits says nothing: adding a number to all logits changes it.",
            ),
            (1 / (1 + exp(-difference)), "That is A's probability if there were only these two classes."),
            (exp(low + difference), "Only the difference of the two logits counts."),
        ],
        ["The sum in the denominator cancels.", f"It is e to the power of the difference, {difference:g}."],
        f"e^({low + difference:g} - ({low:g})) = {exp(difference):.3f}",
        {"high": low + difference, "low": low},
    )


def shifted(pick: Random) -> Exercise:
    """A number added to all logits."""
    logits, amount = drawn(pick), pick.choice([-100, 50, 100, 500, 1000])
    right = max(softmax(logits))
    return exercise(
        f"Three logits are {list_text([value + amount for value in logits])}: so large that a calculator may fail. "
        "Which probability has the most probable class?",
        right,
        [
            (1, "It is the largest, but the others are not far below: only differences of logits count."),
            (1 / 3, "The logits differ, if only by a little of their size; their differences count."),
            (max(softmax([value / 2 for value in logits])), "Subtract the largest logit from all; do not divide."),
        ],
        [
            "Subtracting the same number from all logits changes nothing.",
            f"Subtract {max(logits) + amount:g} from all.",
        ],
        f"softmax({list_text([value - max(logits) for value in logits])}) has the largest {right:.3f}",
        {"logits": [value + amount for value in logits]},
    )


def temperature(pick: Random) -> Exercise:
    """A temperature."""
    logits, heat = drawn(pick, 2), pick.choice([0.5, 2.0, 4.0])
    first = softmax([value / heat for value in logits])[0]
    return exercise(
        f"Two logits are {list_text(logits)}. Softmax with temperature {heat:g} divides the logits by it. Which"
        " probability has the first class?",
        first,
        [
            (softmax(logits)[0], "You forgot the temperature."),
            (softmax([value * heat for value in logits])[0], "Divide the logits by the temperature, do not multiply."),
            (1 - first, "That is the second class."),
        ],
        ["Divide the logits first.", f"They become {list_text([value / heat for value in logits])}."],
        f"1/(1 + e^(-({logits[0] / heat:g} - ({logits[1] / heat:g})))) = {first:.3f}",
        {"logits": logits, "temperature": heat},
    )


def logarithm(pick: Random) -> Exercise:
    """Log-softmax."""
    logits = drawn(pick)
    place = pick.randint(0, 2)
    right = log(softmax(logits)[place])
    return exercise(
        f"The logits are {list_text(logits)}. What is the log-softmax of class {place + 1} (natural logarithm)?",
        right,
        [
            (-right, "That is the cross-entropy loss; the logarithm of a probability is negative."),
            (softmax(logits)[place], "That is the probability; take its logarithm."),
            (logits[place], "You forgot to subtract the logarithm of the sum of the exponentials."),
            (
                logits[place] - sum(logits),
                "Subtract the logarithm of the sum of the exponentials, not the sum of the logits.",
            ),
        ],
        [
            "The logarithm of a quotient is a difference.",
            f"{logits[place]:g} minus the logarithm of {sum(map(exp, logits)):.3f}.",
        ],
        f"{logits[place]:g} - log({sum(map(exp, logits)):.3f}) = {right:.3f}",
        {"logits": logits, "place": place},
    )


def sigmoid(pick: Random) -> Exercise:
    """Two classes and the sigmoid."""
    probability = (pick.randint(2, 49) if pick.random() < 0.5 else pick.randint(51, 98)) / 100
    right = log(probability / (1 - probability))
    return exercise(
        f"A single logit passes a sigmoid and gives the probability {probability:g}. What is the logit?",
        right,
        [
            (log(probability), "You forgot the other class: divide by its probability before the logarithm."),
            (-right, "The sign is wrong: above one half the logit is positive."),
            (1 / (1 + exp(-probability)), "That is the sigmoid of the probability; the question is the way back."),
        ],
        ["Solve p = 1/(1 + e^-z) for z.", "z is the logarithm of p/(1 - p)."],
        f"log({probability:g}/{1 - probability:g}) = {right:.3f}",
        {"probability": probability},
    )


def picture(source: PictureSource) -> str:
    """Draw the logits of an image and their probabilities."""
    scores = source.scores
    chances = dict(zip(scores, softmax(list(scores.values())), strict=True))
    return f"logits of an image:\n{bars(scores, 30, '.2f')}\n\nprobabilities:\n{bars(chances, 30, '.3f')}"


TOPIC = Topic(
    name="softmax",
    chapter="learning",
    title="Softmax",
    outcome="turn logits into probabilities",
    text=(
        "Softmax takes e to the power of each logit and divides by the sum, so that the results are positive and add up"
        " to 1. Only differences of logits count. A sigmoid does the same for one logit against 0."
    ),
    formula="p[k] = exp(z[k]) / sum over j of exp(z[j])",
    attempt=("Print the probabilities of an image", "convscope predict RUN IMAGE --json"),
    picture=picture,
    generators=(probabilities, ratio, shifted, temperature, logarithm, sigmoid),
)
