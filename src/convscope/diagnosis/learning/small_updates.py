"""Steps that are too short to change the weights."""

from statistics import median

from convscope.diagnosis.finding import Change, Finding
from convscope.runs.training_records import RunRecords

LEAST_RATIO = 1e-5  # of a step to the weights; 0.006 and more in healthy trainings
USUAL_RATIO = 1e-2
USUAL_WEIGHT = 0.05  # of a network that starts at random: the root mean square
MOST_LEFT = 0.85  # of the chance loss: below it, the network has learned, and small steps are its end
BY_GRADIENT = ("sgd",)  # whose steps are as long as the gradient; other optimisers' as long as the rate


def small_updates(records: RunRecords) -> Finding | None:
    """Find steps of less than 1e-5 of the weights in a network that is still near chance: the rate is too low.

    The length of a step is estimated from the last gradient, the momentum and the learning rate.
    """
    chance, losses = records.chance_loss, records.losses("train")
    ratio = update_ratio(records)
    if not chance or not losses or ratio is None or ratio >= LEAST_RATIO:
        return None
    if (min(losses) - records.least_loss) / chance < MOST_LEFT:
        return None
    rate = records.recipe.optimiser.rate
    higher = float(f"{min(rate * USUAL_RATIO / ratio, 0.1):.1g}")
    return Finding(
        "small_updates", 0.92, "setting optimiser.learning_rate",
        f"a step changes the weights by {ratio:.0e} of their size (a hundredth is usual), and the loss stays at "
        f"{losses[-1]:.3f}: the learning rate {rate:g} is too low",
        ratio, LEAST_RATIO,
        Change(f"raise the learning rate: --set optimiser.learning_rate={higher:g}",
               {"optimiser.learning_rate": higher}),
    )  # fmt: skip


def update_ratio(records: RunRecords) -> float | None:
    """Return the median over the layers of the length of a step to that of the weights; None if it is not known."""
    optimiser = records.recipe.optimiser
    layers = [
        (float(layer["gradient_norm"]), float(layer["weight_norm"]))
        for layer in records.weighted
        if layer.get("gradient_norm") and layer.get("weight_norm")
    ]
    if not layers:
        return None
    if optimiser.name not in BY_GRADIENT:
        return optimiser.rate / USUAL_WEIGHT
    return optimiser.rate / (1 - optimiser.momentum) * median(gradient / weight for gradient, weight in layers)
