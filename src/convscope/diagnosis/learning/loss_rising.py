"""A training loss that rises."""

import math

from convscope.diagnosis.finding import Change, Finding
from convscope.runs.training_records import RunRecords

LEAST_RISE = 0.1  # relative to the lowest epoch
MIN_EPOCHS = 3


def loss_rising(records: RunRecords) -> Finding | None:
    """Find a training loss that ends above its best epoch: the steps are too long (Goodfellow et al. 2016, 8.3)."""
    losses = records.losses("train")
    if len(losses) < MIN_EPOCHS:
        return None
    best = min(range(len(losses)), key=losses.__getitem__)
    last = min(losses[-2:]) - records.least_loss  # of two epochs, so that one bad epoch is not a rise
    lowest = losses[best] - records.least_loss
    reference = records.chance_loss or max(losses[0], 1e-9)
    rise = (last - lowest) / max(lowest, 0.05 * reference)
    if best >= len(losses) - 2 or not math.isfinite(rise) or rise < LEAST_RISE or last < 0.3 * reference:
        return None
    rate = float(f"{records.recipe.optimiser.rate / 10:.2g}")
    return Finding(
        "loss_rising", 0.8, "setting optimiser.learning_rate",
        f"the training loss rises from {losses[best]:.3f} in epoch {best + 1} to {losses[-1]:.3f} in "
        f"epoch {len(losses)}",
        rise, LEAST_RISE,
        Change(f"lower the learning rate: --set optimiser.learning_rate={rate:g}", {"optimiser.learning_rate": rate}),
        series={"train_loss": tuple(losses)},
    )  # fmt: skip
