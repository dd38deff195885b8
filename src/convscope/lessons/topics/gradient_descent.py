"""A step of gradient descent."""

from fractions import Fraction
from random import Random

from convscope.lessons.answers import number_text
from convscope.lessons.drawing import chart
from convscope.lessons.exercise import Exercise, exercise
from convscope.lessons.source import PictureSource
from convscope.lessons.topic import Topic

UPHILL = "You added the step: descent goes against the gradient."
NO_RATE = "You forgot the learning rate: the step is the gradient times it."
RATES = (Fraction(1, 10), Fraction(1, 5), Fraction(1, 20), Fraction(1, 4))


def parabola(pick: Random) -> Exercise:
    """One step on a parabola."""
    w, centre, rate = pick.randint(-5, 6), pick.randint(-3, 3), pick.choice(RATES)
    w += w == centre
    slope = 2 * (w - centre)
    return exercise(
        f"The loss is (w - ({centre}))^2, now w = {w}, and the learning rate {number_text(rate)}. Where is w after one"
        " step of gradient descent?",
        w - rate * slope,
        [
            (w + rate * slope, UPHILL),
            (Fraction(w - slope), NO_RATE),
            (w - rate * slope / 2, "The derivative of a square has the factor 2."),
            (w - rate * (w - centre) ** 2, "You used the loss; the step uses its slope."),
            (rate * slope, "That is the length of the step; subtract it from w."),
        ],
        ["What is the slope of the loss at w?", f"The slope is 2 x ({w} - ({centre})) = {slope}."],
        f"{w} - {number_text(rate)}x({slope}) = {number_text(w - rate * slope)}",
        {"w": w, "centre": centre, "rate": str(rate)},
    )


def two_weights(pick: Random) -> Exercise:
    """One step with two weights."""
    w, gradient = [pick.randint(-5, 5) for _ in range(2)], [pick.choice([-6, -4, -3, -2, 2, 3, 5, 8]) for _ in range(2)]
    rate = pick.choice(RATES)
    right = [a - rate * g for a, g in zip(w, gradient, strict=True)]
    return exercise(
        f"The weights are ({w[0]}, {w[1]}), the gradient is ({gradient[0]}, {gradient[1]}), and the learning rate "
        f"{number_text(rate)}. "
        "Where are the weights after one step?",
        right,
        [
            ([a + rate * g for a, g in zip(w, gradient, strict=True)], UPHILL),
            ([a - g for a, g in zip(w, gradient, strict=True)], NO_RATE),
            ([rate * g for g in gradient], "That is the step; subtract it from the weights."),
            ([a - rate * (g > 0) + rate * (g < 0) for a, g in zip(w, gradient, strict=True)],
             "The step is longer where the slope is steeper: the size of the gradient counts, not its sign alone."),
        ],
        ["Each weight moves by its own gradient.", f"The first moves by -{number_text(rate)}x({gradient[0]})."],
        ", ".join(map(number_text, right)),
        {"w": w, "gradient": gradient, "rate": str(rate)},
    )  # fmt: skip


def linear_unit(pick: Random) -> Exercise:
    """The gradient of a linear unit."""
    x, w, bias, target = pick.choice([-2, -1, 2, 3]), pick.choice([-2, 1, 2]), pick.randint(-2, 2), pick.randint(-4, 6)
    target += target == w * x + bias
    error = w * x + bias - target
    return exercise(
        f"A linear unit y = w x + b has w = {w} and b = {bias}. For x = {x} the target is {target}, and the loss is (y"
        " - target)^2. Which gradient have w and b?",
        [2 * error * x, 2 * error],
        [
            ([2 * error, 2 * error * x], "You exchanged the two: w is multiplied with x, b is not."),
            ([2 * error, 2 * error], "The chain rule has a factor x for w: y changes by x if w grows by 1."),
            ([error * x, error], "The derivative of a square has the factor 2."),
            ([-2 * error * x, -2 * error], "The sign is wrong: the error is y - target."),
            ([2 * error * w, 2 * error], "The derivative by w is x, not w."),
        ],
        ["First the output and the error.", f"y = {w * x + bias}, so the slope at y is 2x({error})."],
        f"2x({error})x({x}) = {2 * error * x} and 2x({error}) = {2 * error}",
        {"x": x, "w": w, "bias": bias, "target": target},
    )


def through_relu(pick: Random) -> Exercise:
    """The chain rule through a ReLU."""
    x, w, v = pick.choice([-3, -2, 2, 3]), pick.choice([-2, -1, 1, 2]), pick.choice([-2, 3, 4])
    target, hidden = pick.randint(-5, 5), max(0, w * x)
    target += target == v * hidden
    slope = 2 * (v * hidden - target)
    right = slope * v * x if w * x > 0 else 0
    return exercise(
        f"h = max(0, w x) and y = v h with x = {x}, w = {w}, v = {v}. The loss is (y - {target})^2. What is the"
        " gradient of w?",
        right,
        [
            (slope * v * x, "The ReLU is off here (its input is negative), so no gradient reaches w."),
            (slope * v, "The last factor is x: the derivative of w x by w."),
            (slope * x, "The gradient passes v on its way: multiply by it."),
            (slope * hidden, "That is the gradient of v."),
            (0, "The ReLU is on here (its input is positive), so the gradient passes."),
        ],
        ["Is the ReLU on?", f"Its input is {w * x}. The slope at y is {slope}; go back factor by factor."],
        f"{slope} x {v} x {'1' if w * x > 0 else '0'} x {x} = {right}",
        {"x": x, "w": w, "v": v, "target": target},
    )


def several_steps(pick: Random) -> Exercise:
    """Three steps."""
    w, rate = (
        pick.choice([-1, 1]) * pick.randint(3, 20),
        pick.choice([Fraction(1, 10), Fraction(1, 5), Fraction(1, 4), Fraction(3, 10)]),
    )
    right = w * (1 - 2 * rate) ** 3
    return exercise(
        f"The loss is w^2, w starts at {w}, and the learning rate is {number_text(rate)}. Where is w after three"
        " steps?",
        right,
        [
            (w - 3 * rate * 2 * w, "The slope changes after each step: compute it anew."),
            (w * (1 - 2 * rate), "That is one step."),
            (w * (1 - rate) ** 3, "The slope of w^2 is 2 w."),
            (w * (1 + 2 * rate) ** 3, UPHILL),
        ],
        ["By which factor does w shrink in a step?", f"Each step multiplies w by 1 - 2x{number_text(rate)}."],
        f"{w} x (1 - 2x{number_text(rate)})^3 = {number_text(right)}",
        {"w": w, "rate": str(rate)},
    )


def weight_decay(pick: Random) -> Exercise:
    """A step with weight decay."""
    w, gradient = pick.choice([-4, -2, 2, 3, 5, 10]), pick.choice([-3, -2, -1, 1, 2, 4])
    rate, decay = Fraction(1, 10), pick.choice([Fraction(1, 10), Fraction(1, 2), Fraction(1, 5)])
    return exercise(
        f"w = {w}, the gradient of the loss is {gradient}, the learning rate 0.1, and weight decay {number_text(decay)}"
        " (added to the gradient as decay x w, as in SGD). Where is w after one step?",
        w - rate * (gradient + decay * w),
        [
            (w - rate * gradient, "You forgot the weight decay."),
            (
                w - rate * gradient - decay * w,
                "The decay is part of the gradient, so it is multiplied by the learning rate too.",
            ),
            (
                w - rate * (gradient - decay * w),
                "Decay pulls the weight towards 0: its gradient has the sign of the weight.",
            ),
            (w - rate * (gradient + decay), "The decay is proportional to the weight."),
        ],
        ["Add decay x w to the gradient.", f"The gradient becomes {number_text(gradient + decay * w)}."],
        f"{w} - 0.1x({number_text(gradient + decay * w)}) = {number_text(w - rate * (gradient + decay * w))}",
        {"w": w, "gradient": gradient, "decay": str(decay)},
    )


def picture(source: PictureSource) -> str:
    """Draw the training loss epoch by epoch."""
    return (
        f"training loss by epoch, many steps of gradient descent each:\n{chart({'training loss': source.curves.train})}"
    )


TOPIC = Topic(
    name="gradient-descent",
    chapter="learning",
    title="A step of gradient descent",
    outcome="compute a step of gradient descent by hand",
    text=(
        "The gradient points uphill: where the loss grows most. A step goes against it, by the gradient times the"
        " learning rate. Backpropagation is the chain rule, from the loss back to each weight."
    ),
    formula="w new = w - learning rate x gradient",
    attempt=("Train and watch the loss fall", "convscope train digits --epochs 3"),
    picture=picture,
    generators=(parabola, two_weights, linear_unit, through_relu, several_steps, weight_decay),
)
