"""A network that predicts no better than the frequencies of the classes."""

from convscope.diagnosis.finding import Change, Finding
from convscope.runs.training_records import RunRecords

LEAST_GAIN = 0.02  # of the chance loss that training must take off it
MIN_EPOCHS = 3
MIN_STEPS = 60  # as in `few_steps`


def loss_at_chance(records: RunRecords) -> Finding | None:
    """Find a training loss that stays at that of always predicting the frequencies of the classes."""
    chance, losses = records.chance_loss, records.losses("train")
    if not chance or (len(losses) < MIN_EPOCHS and not (records.finished and losses)):
        return None
    if 0 < records.step_count < MIN_STEPS:
        return None
    gain = 1 - min(losses) / chance
    if gain >= LEAST_GAIN or _scores_above_chance(records):
        return None
    rate = records.recipe.optimiser.rate
    return Finding(
        "loss_at_chance", 0.85, "training loss",
        f"after {len(losses)} epochs the training loss is {min(losses):.3f}, and predicting the frequencies of the "
        f"classes gives {chance:.3f}: nothing is learned",
        gain, LEAST_GAIN,
        Change("find the learning rate by a range test: --set train.find_lr=true", {"train.find_lr": True})
        if not records.recipe.train.find_lr else Change(f"lower the learning rate from {rate:.2g} to {rate / 10:.2g}",
               {"optimiser.learning_rate": float(f"{rate / 10:.2g}")}),
        series={"train_loss": tuple(losses)},
    )  # fmt: skip


def _scores_above_chance(records: RunRecords) -> bool:
    """Whether the confusion matrix shows more right answers than the most frequent prediction explains."""
    counts = records.confusion
    if counts is None or not counts.sum():
        return False
    expected = (counts.sum(0) * counts.sum(1)).sum() / counts.sum()
    return bool(counts.trace() > expected + 3 * max(expected, 1.0) ** 0.5)
