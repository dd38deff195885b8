"""Classes of very different sizes."""

import numpy as np

from convscope.diagnosis.data.view import DataView
from convscope.diagnosis.finding import Change, Finding

MOST_RATIO = 10.0  # of the largest class to the smallest: Johnson and Khoshgoftaar 2019 call 10:1 and more high


def imbalance(view: DataView) -> Finding | None:
    """Find training images of which one class has 10 times as many as another."""
    if not view.has_labels:
        return None
    counts = np.bincount(view.labels[view.of_split("train")], minlength=len(view.classes))
    present = np.flatnonzero(counts)
    least, most = present[counts[present].argmin()], counts.argmax()
    ratio = counts[most] / counts[least]
    if ratio < MOST_RATIO:
        return None
    name, largest = view.classes[least], view.classes[most]
    return Finding(
        "imbalance", min(0.7, 0.3 + 0.1 * float(np.log10(ratio))), f"class {name}",
        f"class {name} has {counts[least]:,} training images and {largest} {counts[most]:,}, {ratio:.0f} times as many",
        float(ratio), MOST_RATIO,
        Change("weight the classes equally: --set loss.class_weights=balanced", {"loss.class_weights": "balanced"}),
        series={"images": tuple(float(count) for count in counts)},
    )  # fmt: skip
