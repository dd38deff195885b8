"""Classes that the network never predicts."""

import numpy as np

from convscope.diagnosis.finding import Change, Finding, some_names
from convscope.runs.training_records import RunRecords

MIN_IMAGES = 5  # validation images of a class before its absence means something
MIN_EPOCHS = 2
MOST_LEFT = 0.5  # of the chance loss: above it, a network that has learned little favours some classes
RARE = 0.5  # of the mean size of the classes


def classes_never_predicted(records: RunRecords) -> Finding | None:
    """Find classes with validation images of which none is predicted, while other classes are learned.

    Of a network that has hardly learned, any class may be missing; that is then the finding. A rare class counts at
    any loss, since always predicting the frequent ones is how it is lost.
    """
    counts = records.confusion
    if counts is None or len(records.epochs) < MIN_EPOCHS or len(counts) < 2:
        return None
    never = np.flatnonzero((counts.sum(0) == 0) & (counts.sum(1) >= MIN_IMAGES))
    if not len(never):
        return None
    trained = records.class_counts[never].sum() / max(records.class_counts.sum(), 1) / len(never)
    rare = trained < RARE / len(counts)
    if not (rare or _has_learned(records)):
        return None
    names = [records.classes[i] for i in never]
    lost = int(counts[never].sum())
    goes = records.classes[int(counts[never].sum(0).argmax())]
    several = len(names) > 1
    settings = {"loss.class_weights": "balanced"} if "class_weights" in records.recipe.loss else {}
    change = Change("weight the classes equally: --set loss.class_weights=balanced", settings)
    if not (rare and settings):
        change = Change(
            f"compare the labels of {some_names(names)} with those of {goes}, and look at other findings first"
        )
    return Finding(
        "classes_never_predicted", 0.65, f"class{'es' if several else ''} {some_names(names)}",
        f"{'these classes are' if several else 'this class is'} never predicted: {lost} validation images are taken "
        f"mostly for {goes}",
        len(never) / len(counts), 0.0, change,
    )  # fmt: skip


def _has_learned(records: RunRecords) -> bool:
    chance, losses = records.chance_loss, records.losses("train")
    return not chance or (losses[-1] - records.least_loss) / chance < MOST_LEFT
