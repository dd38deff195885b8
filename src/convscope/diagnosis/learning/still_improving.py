"""Training that ended before it had converged."""

import math

from convscope.diagnosis.finding import Change, Finding
from convscope.runs.training_records import RunRecords

LEAST_FALL = 0.03  # of the whole fall of the loss, per epoch at the end
MIN_EPOCHS = 4


def still_improving(records: RunRecords) -> Finding | None:
    """Find a training whose losses still fell fast, on training and validation images, when it ended."""
    train, validation = records.losses("train"), records.losses("validation")
    if not records.finished or len(train) < MIN_EPOCHS or not all(map(math.isfinite, train + validation)):
        return None
    reference = records.chance_loss or max(train[0], 1e-9)
    fall = (train[-3] - train[-1]) / 2 / reference
    high = (train[-1] - records.least_loss) / reference
    if fall < LEAST_FALL or high < 0.25 or validation[-1] > min(validation):
        return None
    epochs = 2 * len(train)
    return Finding(
        "still_improving", 0.4, "setting train.epochs",
        f"both losses still fell when training ended after {len(train)} epochs: the last ones took "
        f"{fall * reference:.3f} each off a training loss of {train[-1]:.3f}",
        fall, LEAST_FALL,
        Change(f"train longer: --set train.epochs={epochs}", {"train.epochs": epochs}),
        series={"train_loss": tuple(train), "validation_loss": tuple(validation)},
    )  # fmt: skip
