"""A training of too few steps to judge anything else."""

from convscope.diagnosis.finding import Change, Finding
from convscope.runs.training_records import RunRecords

LEAST_STEPS = 60
MOST_LEFT = 0.85  # of the chance loss, in the last epoch


def few_steps(records: RunRecords) -> Finding | None:
    """Find a finished training of fewer than 60 steps that has hardly left chance.

    A network that starts at random needs some hundred steps; before, no other finding about its loss says anything.
    """
    chance, losses, steps = records.chance_loss, records.losses("train"), records.step_count
    if not records.finished or not chance or not losses or not 0 < steps < LEAST_STEPS:
        return None
    left = (losses[-1] - records.least_loss) / chance
    if not MOST_LEFT < left < 2 or records.recipe.transfer.checkpoint:
        return None
    epochs = len(losses) * max(2, round(5 * LEAST_STEPS / steps))
    return Finding(
        "few_steps", 0.7, "setting train.epochs",
        f"training took {steps} steps, {steps / len(losses):.0f} per epoch, and is still near chance "
        f"({losses[-1]:.3f} of {chance:.3f})",
        float(steps), float(LEAST_STEPS),
        Change(f"train longer: --set train.epochs={epochs}", {"train.epochs": epochs}),
    )  # fmt: skip
