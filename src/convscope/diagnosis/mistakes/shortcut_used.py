"""A network that relies on a shortcut in its data."""

import numpy as np
import torch
from numpy.typing import NDArray

from convscope.bundle import load_bundle
from convscope.datasets import Batches
from convscope.devices import inference_device
from convscope.diagnosis.data.equalise import EQUALISERS, equalised
from convscope.diagnosis.data.shortcuts import CueAccuracy
from convscope.diagnosis.data.view import DataView
from convscope.diagnosis.finding import Change, Finding, per_cent
from convscope.runs.batching import batch_settings
from convscope.runs.evaluation import evaluate_batches
from convscope.runs.folder import RunFolder

MOST_IMAGES = 1000
LEAST_IMAGES = 8  # of the class, and of the others
LEAST_FALL = 0.15  # of the balanced accuracy of the class
MOST_P = 0.01
SHOWN = 12


def shortcut_used(view: DataView, folder: RunFolder, cue: CueAccuracy) -> Finding | None:
    """Find a network whose predictions of a class get worse when the cue is equal in all validation images.

    The images that are predicted rightly only with the cue are compared with those only without it, by the sign test.
    """
    from scipy.stats import binomtest

    rows = view.of_split("validation")
    rows = np.sort(np.random.default_rng(0).permutation(rows)[:MOST_IMAGES])
    is_class = view.labels[rows] == cue.label
    if cue.cue not in EQUALISERS or min(is_class.sum(), (~is_class).sum()) < LEAST_IMAGES:
        return None
    before, after = (
        (_predicted(view, folder, rows, pixels) == cue.label) == is_class
        for pixels in (view.pixels(rows), equalised(view.pixels(rows), cue.cue))
    )
    lost, gained = int((before & ~after).sum()), int((after & ~before).sum())
    accuracies = [(right[is_class].mean() + right[~is_class].mean()) / 2 for right in (before, after)]
    fall = float(accuracies[0] - accuracies[1])
    if fall < LEAST_FALL or binomtest(lost, lost + gained, alternative="greater").pvalue > MOST_P:
        return None
    name = view.classes[cue.label]
    return Finding(
        "shortcut_used", 0.97, f"class {name}",
        f"the network uses {cue.cue} to tell {name}: its balanced accuracy falls from {per_cent(accuracies[0])} to "
        f"{per_cent(accuracies[1])} on {len(rows):,} validation images in which {cue.cue} is equal",
        fall, LEAST_FALL,
        Change(f"train on images of which {cue.cue} does not tell the class, and validate on such images too"),
        images=tuple(view.names[i] for i in rows[before & ~after][:SHOWN]),
    )  # fmt: skip


def _predicted(
    view: DataView, folder: RunFolder, rows: NDArray[np.int64], pixels: NDArray[np.uint8]
) -> NDArray[np.int64]:
    """Return the (M,) predicted classes of images that stand for rows of the data."""
    recipe = folder.recipe()
    device = inference_device(recipe.train.device)
    model, config = load_bundle(folder.model, device)
    settings = batch_settings(view.prepared, recipe, device, training=False)
    batches = Batches(pixels, view.labels[rows], np.arange(len(rows)), settings)
    meter = evaluate_batches(model, batches, config.build_task().meter())
    return np.asarray(torch.from_numpy(meter.arrays()["logits"]).argmax(1))
