"""A network that does not fit its own training images."""

from convscope.diagnosis.finding import Change, Finding
from convscope.runs.training_records import RunRecords

MOST_LEFT = 0.8  # of the chance loss, in the last epoch
MOST_AT_CHANCE = 0.97  # above it, nothing is learned, see `loss_at_chance`
MOST_FALL = 0.02  # of the chance loss per epoch at the end: below it, the loss has levelled off
MIN_EPOCHS = 5


def underfitting(records: RunRecords) -> Finding | None:
    """Find a training loss that levels off near chance: too small a network, or too strong a regularisation."""
    chance, losses = records.chance_loss, records.losses("train")
    if not chance or not records.finished or len(losses) < MIN_EPOCHS:
        return None
    left = records.share_left(losses[-1])
    if left < MOST_LEFT or records.share_left(min(losses)) > MOST_AT_CHANCE or records.recipe.augment.mix != "none":
        return None
    if records.share_left(losses[-3]) - left > 2 * MOST_FALL:
        return None
    policy, decay = records.recipe.augment.policy, records.recipe.optimiser.weight_decay
    change = Change("use a wider network (--set model.options.width=...) or train longer",
                    {"train.epochs": 2 * len(losses)})  # fmt: skip
    if decay and decay > 0.05:
        change = Change("lower the weight decay: --set optimiser.weight_decay=5e-4", {"optimiser.weight_decay": 5e-4})
    elif policy == "strong":
        change = Change("use a weaker augmentation: --set augment.policy=light", {"augment.policy": "light"})
    return Finding(
        "underfitting", 0.55, "training loss",
        f"after {len(losses)} epochs {left:.0%} of the chance loss is left on the training images themselves "
        f"({losses[-1]:.3f} of {chance:.3f})".replace("%", " %"),
        left, MOST_LEFT, change, series={"train_loss": tuple(losses)},
    )  # fmt: skip
