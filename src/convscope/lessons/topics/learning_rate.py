"""Mini-batches and the learning rate."""

import itertools
from fractions import Fraction
from math import ceil
from random import Random

from convscope.lessons.answers import list_text, number_text
from convscope.lessons.drawing import chart
from convscope.lessons.exercise import Exercise, exercise
from convscope.lessons.source import PictureSource
from convscope.lessons.topic import Topic


def batch_gradient(pick: Random) -> Exercise:
    """The gradient of a mini-batch."""
    gradients = [pick.choice([-6, -4, -3, -2, -1, 1, 2, 3, 4, 6]) for _ in range(4)]
    total = sum(gradients)
    return exercise(
        f"The gradients of one weight for the four images of a mini-batch are {list_text(gradients)}. The loss is the"
        " mean over the batch. Which gradient does the step use?",
        Fraction(total, 4),
        [
            (total, "That is the sum: the gradient of a mean is the mean of the gradients."),
            (gradients[-1], "All images of the batch count, not the last alone."),
            (max(gradients, key=abs), "All images count, not the one with the largest gradient."),
            (Fraction(sum(map(abs, gradients)), 4), "Gradients of both signs cancel: do not drop the signs."),
        ],
        ["The loss is a mean, so its gradient is one too.", f"The sum is {total}."],
        f"{total}/4 = {number_text(Fraction(total, 4))}",
        {"gradients": gradients},
    )


def steps(pick: Random) -> Exercise:
    """Steps of a training."""
    images, batch, epochs = pick.randint(500, 60_000), pick.choice([16, 32, 64, 128]), pick.randint(2, 30)
    images += images % batch == 0
    right = ceil(images / batch) * epochs
    return exercise(
        f"{images} training images, a batch size of {batch}, {epochs} epochs; the last batch of an epoch may be"
        " smaller. How many steps does the optimiser take?",
        right,
        [
            (images // batch * epochs, "You dropped the last, smaller batch of each epoch."),
            (ceil(images / batch), "That is one epoch."),
            (images * epochs, "A step is taken for each batch, not for each image."),
            (epochs, "An epoch is a pass over all images and has many steps."),
        ],
        ["How many batches has an epoch?", f"{images}/{batch}, rounded up, is {ceil(images / batch)}."],
        f"{ceil(images / batch)} x {epochs} = {right}",
        {"images": images, "batch": batch, "epochs": epochs},
    )


def largest_stable(pick: Random) -> Exercise:
    """The largest stable learning rate."""
    curvature = pick.randint(3, 160)
    return exercise(
        f"The loss is {curvature}/2 x w^2, so its slope is {curvature} w. From which learning rate on does gradient"
        " descent no longer converge?",
        Fraction(2, curvature),
        [
            (Fraction(1, curvature), "That rate reaches the minimum in one step; up to twice that it still converges."),
            (curvature, "The steeper the loss, the smaller the rate must be."),
            (Fraction(2), "The limit depends on the curvature."),
            (Fraction(4, curvature), "At that rate each step overshoots to three times the distance."),
        ],
        ["A step multiplies w by 1 - rate x curvature.", "It converges while that factor is between -1 and 1."],
        f"1 - rate x {curvature} = -1 at rate = 2/{curvature}",
        {"curvature": curvature},
    )


def factor(pick: Random) -> Exercise:
    """What a step does to the distance."""
    curvature, rate = pick.choice([1, 2, 4, 5, 10]), Fraction(pick.randint(1, 30), 100)
    right = 1 - rate * curvature
    return exercise(
        f"The slope of the loss is {curvature} w and the learning rate {number_text(rate)}. By which number does one"
        " step multiply w? (Give the sign.)",
        right,
        [
            (rate * curvature, "That part is subtracted from 1."),
            (1 + rate * curvature, "Descent goes against the slope."),
            (abs(right), "Give the sign: a negative factor means that w jumps over the minimum."),
            (1 - rate, "The slope counts too: the step is the rate times the slope."),
        ],
        ["w new = w - rate x slope.", "Divide that by w."],
        f"1 - {number_text(rate)}x{curvature} = {number_text(right)}",
        {"curvature": curvature, "rate": str(rate)},
    )


def plateau(pick: Random) -> Exercise:
    """When a plateau schedule lowers the rate."""
    patience = pick.randint(1, 3)
    losses = [round(pick.uniform(0.9, 1.2), 2)]
    falling = pick.sample(range(9), pick.randint(2, 6))
    for epoch in range(9):
        change = pick.choice([-0.08, -0.05]) if epoch in falling else pick.choice([0.03, 0.05, 0.06])
        losses.append(round(losses[-1] + change, 2))
    events, early, last = (
        _reductions(losses, patience),
        _reductions(losses, patience - 1),
        _against_last(losses, patience),
    )
    rate = Fraction(1, 10)
    return exercise(
        f"The validation losses of ten epochs are {', '.join(f'{value:.2f}' for value in losses)}. The learning rate"
        f" starts at 0.1 and is divided by 10 when the loss has not improved on its best value for more than {patience}"
        f" epoch{'s' if patience > 1 else ''} (patience {patience}); the count then starts anew. How many times is it"
        " divided?",
        events,
        [
            (early, f"It waits for more than {patience} bad epochs: the first {patience} are tolerated."),
            (last, "Compare with the best value so far, not with the epoch before."),
            (
                sum(b >= a for a, b in itertools.pairwise(losses)),
                "One bad epoch is not enough; the patience says how many.",
            ),
        ],
        [
            "Note the best loss so far and count the epochs since.",
            f"The first epochs: best {losses[0]:.2f}, then {losses[1]:.2f}, ...",
        ],
        f"{events} time{'' if events == 1 else 's'}, so the rate ends at {float(rate / 10**events):g}",
        {"losses": losses, "patience": patience},
    )


CURVES = (
    ("rises to nan within a few steps", "the learning rate is far too high", "divide it by 10"),
    (
        "falls so slowly that a line through it is almost level and straight",
        "the learning rate is too low",
        "multiply it by 10",
    ),
    (
        "falls fast at first, then jumps up and down without falling on",
        "the learning rate is too high for the end",
        "let it fall over time",
    ),
    (
        "stays at log(classes) from the first step, with gradients of exactly 0",
        "the units are dead or all weights are equal",
        "look at the initialisation",
    ),
)


def read_curve(pick: Random) -> Exercise:
    """What a curve says of the learning rate."""
    shape, right, remedy = pick.choice(CURVES)
    classes, rate = pick.choice([2, 5, 10, 100]), pick.choice(["0.001", "0.01", "0.1", "1"])
    others = {
        "the learning rate is far too high": "A rate that is far too high makes the loss grow, often to nan.",
        "the learning rate is too low": "A rate that is too low gives a loss that falls, but slowly and smoothly.",
        "the learning rate is too high for the end": (
            "A rate that is too high for the end lets the loss fall first and then jump."
        ),
        "the units are dead or all weights are equal": (
            "Dead or equal units give no useful gradient: the loss does not fall at all."
        ),
    }
    return exercise(
        f"A network for {classes} classes is trained with learning rate {rate}. Its training loss {shape}. Which"
        " explanation fits best?",
        right,
        [(name, sentence) for name, sentence in others.items() if name != right],
        ["Does the loss grow, jump, creep or stay?", "How long are the steps compared with the width of the valley?"],
        f"{right[0].upper()}{right[1:]}: {remedy}.",
        {"shape": shape},
    )


def _reductions(losses: list[float], patience: int) -> int:
    best, bad, count = losses[0], 0, 0
    for loss in losses[1:]:
        best, bad = (loss, 0) if loss < best else (best, bad + 1)
        if bad > patience:
            count, bad = count + 1, 0
    return count


def _against_last(losses: list[float], patience: int) -> int:
    bad, count = 0, 0
    for before, loss in itertools.pairwise(losses):
        bad = bad + 1 if loss >= before else 0
        if bad > patience:
            count, bad = count + 1, 0
    return count


def picture(source: PictureSource) -> str:
    """Draw the way of w on a parabola for three rates."""
    del source
    ways = {f"rate {rate:g}": [8 * (1 - 2 * rate) ** step for step in range(16)] for rate in (0.02, 0.2, 0.95)}
    return f"w over 15 steps on the loss w^2, from 8, for three learning rates:\n{chart(ways, 13)}"


TOPIC = Topic(
    name="learning-rate",
    chapter="learning",
    title="Mini-batches and the learning rate",
    outcome="choose a batch size and a learning rate, and say why the rate falls over time",
    text=(
        "The gradient of a mini-batch is a cheap estimate of that of all images, so a step is taken after each batch."
        " The learning rate sets the length of the steps: too low creeps, too high overshoots. Towards the end it"
        " falls, so that the noise of the batches averages out."
    ),
    formula="converges if learning rate < 2 / largest curvature",
    attempt=(
        "Train twice with different rates and compare",
        "convscope train digits --set optimiser.learning_rate=0.001",
    ),
    picture=picture,
    schematic=True,
    generators=(batch_gradient, steps, largest_stable, factor, plateau, read_curve),
)
