"""Training that ended because its loss or gradient was not finite."""

import math

from convscope.diagnosis.finding import Change, Finding
from convscope.runs.training_records import RunRecords


def loss_not_finite(records: RunRecords) -> Finding | None:
    """Find a loss that is nan or infinite, in training or on the validation images."""
    rate = float(f"{records.recipe.optimiser.rate / 10:.2g}")
    change = Change(
        f"lower the learning rate: --set optimiser.learning_rate={rate:g}", {"optimiser.learning_rate": rate}
    )
    if records.failure:
        place, _, problem = records.failure.partition(": ")
        return Finding("loss_not_finite", 1.0, place, problem.split(";")[0], math.nan, None, change)
    bad = [number for number, loss in enumerate(records.losses("validation"), 1) if not math.isfinite(loss)]
    if not bad:
        return None
    said = f"the validation loss is not finite in {len(bad)} of {len(records.epochs)} epochs"
    return Finding("loss_not_finite", 1.0, f"epoch {bad[0]}", said, float(len(bad)), 0.0, change)
