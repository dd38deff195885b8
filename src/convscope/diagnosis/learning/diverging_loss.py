"""A training loss that grows far beyond chance."""

import math

from convscope.diagnosis.finding import Change, Finding
from convscope.runs.training_records import RunRecords

MOST_RATIO = 10.0  # of the mean loss of an epoch to the chance loss
MOST_START = 0.5  # of that ratio at the first step: above it the initialisation is the cause


def diverging_loss(records: RunRecords) -> Finding | None:
    """Find an epoch whose loss is ten times that of chance though the first step's was not: the steps diverge.

    Above twice the inverse of the largest curvature, steps grow (LeCun et al. 1998, "Efficient BackProp", section 5.1).
    """
    chance, losses = records.chance_loss, records.losses("train")
    if not chance or not losses or (records.first_loss or 0.0) > MOST_START * MOST_RATIO * chance:
        return None
    bad = [number for number, loss in enumerate(losses, 1) if loss > MOST_RATIO * chance]
    if not bad:
        return None
    worst = max(losses)
    rate = float(f"{records.recipe.optimiser.rate / 10:.2g}")
    return Finding(
        "diverging_loss", 0.97, "setting optimiser.learning_rate",
        f"the training loss is {losses[bad[0] - 1]:.3g} in epoch {bad[0]}, and predicting the frequencies of the "
        f"classes gives {chance:.3g}: the steps diverge",
        worst / chance if math.isfinite(worst) else math.inf, MOST_RATIO,
        Change(f"lower the learning rate: --set optimiser.learning_rate={rate:g}", {"optimiser.learning_rate": rate}),
        series={"train_loss": tuple(losses)},
    )  # fmt: skip
