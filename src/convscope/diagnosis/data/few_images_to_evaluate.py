"""Classes with too few images to judge, or none."""

import numpy as np

from convscope.diagnosis.data.view import DataView
from convscope.diagnosis.finding import Change, Finding, some_names

LEAST = 10  # validation images: with 10, the 95 % interval of a recall of 80 % reaches from 49 to 94 %


def few_images_to_evaluate(view: DataView) -> Finding | None:
    """Find classes that have training images and fewer than 10 in validation, so that their scores say little."""
    if not view.has_labels:
        return None
    counts = {split: np.bincount(view.labels[view.of_split(split)], minlength=len(view.classes))
              for split in ("train", "validation")}  # fmt: skip
    few = np.flatnonzero((counts["train"] > 0) & (counts["validation"] < LEAST))
    if not len(few):
        return None
    missing = [view.classes[i] for i in few if not counts["validation"][i]]
    names = missing or [view.classes[i] for i in few]
    said = (
        f"{len(missing)} of {len(view.classes)} classes have no validation image"
        if missing
        else f"{len(few)} of {len(view.classes)} classes have fewer than {LEAST} validation images, so that their "
        "scores are rough"
    )
    return Finding(
        "few_images_to_evaluate", 0.45 if missing else 0.2,
        f"class{'es' if len(names) > 1 else ''} {some_names(names)}", said,
        float(counts["validation"][few].min()), float(LEAST),
        Change("add images of them, or validate on more: --set data.validation=0.2", {"data.validation": 0.2}),
    )  # fmt: skip
