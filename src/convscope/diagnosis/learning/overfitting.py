"""A network that fits its training images and not new ones."""

from convscope.diagnosis.finding import Change, Finding
from convscope.runs.overfitting import find_overfitting
from convscope.runs.training_records import RunRecords

STRONGER = {"none": "light", "light": "standard", "standard": "strong"}


def overfitting(records: RunRecords) -> Finding | None:
    """Find overfitting with its first epoch; `runs.overfitting` describes the three signs."""
    found = find_overfitting(records)
    if found is None:
        return None
    policy = STRONGER.get(records.recipe.augment.policy)
    change = Change("add training images, or select the best epoch: --set train.keep=best", {"train.keep": "best"})
    if policy:
        change = Change(
            f"add training images, or augment more: --set augment.policy={policy}", {"augment.policy": policy}
        )
    train, validation = tuple(records.losses("train")), tuple(records.losses("validation"))
    return Finding(
        "overfitting", 0.6, f"from epoch {found.epoch}", f"the network overfits: {found.sign}",
        found.figure, found.threshold, change,
        series={"train_loss": train, "validation_loss": validation, "score": tuple(records.scores())},
    )  # fmt: skip
