"""Momentum."""

from fractions import Fraction
from random import Random

from convscope.lessons.answers import number_text
from convscope.lessons.exercise import Exercise, exercise
from convscope.lessons.ravine import ravine_path, ravine_text
from convscope.lessons.source import PictureSource
from convscope.lessons.topic import Topic

HALF, NINE = Fraction(1, 2), Fraction(9, 10)


def velocity(pick: Random) -> Exercise:
    """The velocity after three gradients."""
    gradients, beta = (
        [pick.choice([-4, -3, -2, -1, 1, 2, 3, 4, 5]) for _ in range(3)],
        pick.choice([HALF, NINE, Fraction(4, 5)]),
    )
    first, second, third = gradients
    right = (first * beta + second) * beta + third
    return exercise(
        f"Momentum {number_text(beta)}: v = {number_text(beta)} v + gradient, starting at 0. The gradients are {first},"
        f" {second}, {third}. What is v after the three?",
        right,
        [
            (third, "That is the last gradient: momentum keeps a part of those before."),
            (first + second + third, "You forgot that the velocity shrinks each time."),
            (third + beta * second, "You forgot the first gradient, which has shrunk twice."),
            ((third * beta + second) * beta + first, "The order is reversed: the oldest gradient has shrunk most."),
            (right * (1 - beta), "That is a weighted mean; SGD with momentum adds the whole gradient."),
        ],
        ["Compute v after each gradient.", f"After two it is {number_text(first * beta + second)}."],
        f"{number_text(beta)}x({number_text(first * beta + second)}) + ({third}) = {number_text(right)}",
        {"gradients": gradients, "beta": str(beta)},
    )


def position(pick: Random) -> Exercise:
    """The weight after two steps with momentum."""
    w, rate, beta = (
        pick.choice([-1, 1]) * pick.randint(3, 12),
        Fraction(1, 10),
        pick.choice([HALF, Fraction(4, 5), NINE]),
    )
    v = Fraction(2 * w)
    first = w - rate * v
    v = beta * v + 2 * first
    return exercise(
        f"The loss is w^2, w starts at {w}, learning rate 0.1, momentum {number_text(beta)} (v = {number_text(beta)} v"
        " + slope, then w = w - 0.1 v, v starts at 0). Where is w after two steps?",
        first - rate * v,
        [
            (first - rate * 2 * first, "You forgot the momentum: the second step continues the first."),
            (first, "That is one step; the first has no momentum yet."),
            (w - rate * (beta * 2 * w + 2 * w), "Compute the slope anew at the new place."),
            (first + rate * v, "Descent goes against the slope."),
        ],
        [
            "The first step is one of plain gradient descent.",
            f"It goes to {number_text(first)}; there the slope is {number_text(2 * first)}.",
        ],
        f"v = {number_text(v)}; {number_text(first)} - 0.1x{number_text(v)} = {number_text(first - rate * v)}",
        {"w": w, "beta": str(beta)},
    )


def terminal(pick: Random) -> Exercise:
    """The length of steps on a constant slope."""
    beta, slope, rate = (
        Fraction(pick.choice([50, 75, 80, 90, 95, 99]), 100),
        pick.choice([1, 2, 3, 4, 5]),
        Fraction(1, 100),
    )
    right = rate * slope / (1 - beta)
    return exercise(
        f"On a long, even slope of {slope}, with learning rate 0.01 and momentum {number_text(beta)}: how long are the"
        " steps after many steps?",
        right,
        [
            (rate * slope, "That is without momentum; with it, steps add up until they shrink as much as they grow."),
            (rate * slope * beta, "Momentum makes steps longer here."),
            (rate * slope * (1 + beta), "That is the second step; they keep growing towards a limit."),
            (1 / (1 - beta), "That is the factor; multiply it with the step without momentum."),
        ],
        [
            "When does v no longer change?",
            f"v = {number_text(beta)} v + {slope} holds at v = {number_text(slope / (1 - beta))}.",
        ],
        f"0.01 x {slope}/(1 - {number_text(beta)}) = {number_text(right)}",
        {"beta": str(beta), "slope": slope},
    )


def remaining(pick: Random) -> Exercise:
    """How much of an old gradient is left."""
    beta, count = Fraction(pick.randint(9, 19), 20), pick.randint(2, 6)
    return exercise(
        f"With momentum {number_text(beta)}, which part of a gradient is left in the velocity {count} steps later?",
        beta**count,
        [
            (beta * count, "It shrinks by the factor again and again: take the power."),
            (1 - beta**count, "That is the part that is gone."),
            (beta ** (count - 1), "One step too few."),
            ((1 - beta) ** count, "The momentum is the part that stays at each step."),
        ],
        ["How much is left after one step?", f"{number_text(beta)} after one step, {number_text(beta**2)} after two."],
        f"{number_text(beta)}^{count} = {float(beta**count):.4f}",
        {"beta": str(beta), "count": count},
    )


def ravine(pick: Random) -> Exercise:
    """What limits plain descent in a ravine."""
    steep, flat = pick.randint(15, 120), pick.choice([1, 2])
    rate = Fraction(1, steep)
    right = 1 - rate * flat
    return exercise(
        f"A ravine: loss = {flat}/2 a^2 + {steep}/2 b^2. Plain gradient descent uses the rate 1/{steep}, which reaches"
        " b = 0 in one step. By which factor does a step shrink a?",
        right,
        [
            (0, "That holds for b, across the ravine; along it the slope is small."),
            (rate * flat, "That is the part by which a falls; the question is the factor that is left."),
            (
                (1 - rate, "The slope along a counts too.")
                if flat != 1
                else (1 - rate * steep, "That is the factor for b.")
            ),
            (1 - Fraction(flat, 10), "The rate is bound by the steep direction."),
        ],
        [f"The slope along a is {flat} a.", f"a new = a - {flat}a/{steep}."],
        f"1 - {flat}/{steep} = {number_text(right)}: many steps along the ravine, which momentum makes longer",
        {"steep": steep, "flat": flat},
    )


def faster(pick: Random) -> Exercise:
    """Counting the steps with and without momentum."""
    steep, beta = pick.randint(10, 40), pick.choice([0.5, 0.8])
    start = pick.choice([4.0, 6.0, 8.0])
    counts = [len(ravine_path(start, steep, momentum)) - 1 for momentum in (0.0, beta)]
    return exercise(
        f"In the ravine a^2/2 + {steep}/2 b^2 from ({start:g}, 1), learning rate 1/{steep}, until the loss is below"
        " 0.001: which needs fewer steps?",
        f"momentum {beta:g}",
        [
            ("no momentum", "Without it, every step along the ravine is as short as the small slope there."),
            ("both need equally many", "Momentum adds up the small steps along the ravine, so it needs fewer."),
        ],
        ["Where is the way long and even?", "Along a all gradients have the same sign; they add up."],
        f"{counts[1]} steps with momentum {beta:g}, {counts[0]} without.",
        {"steep": steep, "beta": beta, "start": start},
    )


def picture(source: PictureSource) -> str:
    """Draw the ways down a ravine, without and with momentum."""
    del source
    return ravine_text()


TOPIC = Topic(
    name="momentum",
    chapter="learning",
    title="Momentum in a ravine",
    outcome="explain and compute what momentum does",
    text=(
        "In a ravine the loss is steep across and flat along. A rate that is stable across is slow along. Momentum adds"
        " up gradients: across they change sign and cancel, along they agree and the steps grow, up to 1/(1 - momentum)"
        " times."
    ),
    formula="v = momentum x v + gradient;  w = w - learning rate x v",
    attempt=(
        "Train with another momentum",
        "convscope train digits --set optimiser.momentum=0.5",
    ),
    picture=picture,
    schematic=True,
    generators=(velocity, position, terminal, remaining, ravine, faster),
)
