"""The predictions on the validation images as the checks of mistakes see them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray

from convscope.bundle import load_bundle
from convscope.devices import inference_device
from convscope.diagnosis.data.cues import Cue, pixel_cues
from convscope.diagnosis.data.view import DataView
from convscope.models import Network
from convscope.progress import Progress
from convscope.runs.batching import batch_settings
from convscope.runs.folder import RunFolder
from convscope.runs.loaders import reload
from convscope.runs.predictions import SplitPredictions, load_predictions

VALIDATION = "validation"


@dataclass(frozen=True, eq=False)
class MistakeView:
    """Predictions of one class per image.

    Attributes:
        names: N names of images.
        classes: K names.
        logits: (N, K) class scores before softmax.
        labels: (N,) true classes.
        temperature: by which the model divides logits before softmax.
        cues: (N, F) figures of each image by cue, see `data.cues`.
        features: (N, C) means of the network's last maps; None if the network was not run.
    """

    names: tuple[str, ...]
    classes: tuple[str, ...]
    logits: NDArray[np.float64]
    labels: NDArray[np.int64]
    temperature: float = 1.0
    cues: Mapping[str, Cue] = field(default_factory=dict)
    features: NDArray[np.float64] | None = None

    @property
    def predicted(self) -> NDArray[np.int64]:
        """(N,) the class with the highest score."""
        return np.asarray(self.logits.argmax(1))

    @property
    def wrong(self) -> NDArray[np.bool_]:
        """(N,) whether the prediction is not the label."""
        return np.asarray(self.predicted != self.labels)


def stored_mistakes(found: SplitPredictions) -> MistakeView | None:
    """Return predictions without the cues of their images; None where they are not one class per image."""
    if not (found.task.single_class and found.task.outputs_classes):
        return None
    stored = found.meter.arrays()
    logits, targets = stored["logits"].astype(np.float64), stored["targets"].astype(np.int64)
    temperature = float(found.task.settings().get("temperature", 1.0))
    return MistakeView(found.names, found.task.classes, logits, targets, temperature)


def mistake_view(folder: RunFolder, on_progress: Progress | None = None) -> MistakeView | None:
    """Return the predictions of a run on its validation images; None where it does not predict one class per image.

    Raises:
        RunError: the run has no predictions yet.
    """
    stored = stored_mistakes(load_predictions(folder, VALIDATION))
    if stored is None:
        return None
    view = DataView(reload(folder, (VALIDATION,), on_progress))
    row_of = {name: i for i, name in enumerate(view.names)}
    rows = np.array([row_of[name] for name in stored.names], np.int64)
    return replace(stored, cues=pixel_cues(view, rows), features=last_features(view, folder, rows))


def last_features(view: DataView, folder: RunFolder, rows: NDArray[np.int64]) -> NDArray[np.float64] | None:
    """Return (M, C) the means over positions of the last maps, of rows of validation; None where there are no maps."""
    recipe = folder.recipe()
    device = inference_device(recipe.train.device)
    model, _ = load_bundle(folder.model, device)
    if not isinstance(model, Network):
        return None
    settings = batch_settings(view.prepared, recipe, device, training=False)
    batches, found = view.prepared.batches(VALIDATION, settings), []
    with torch.inference_mode():
        for x, _ in batches(0):
            maps = model.features(x)[-1]
            found.append(maps.flatten(2).mean(2) if maps.ndim > 2 else maps)
    place_of = {row: place for place, row in enumerate(view.of_split(VALIDATION).tolist())}
    return np.asarray(torch.cat(found).double().cpu().numpy()[[place_of[row] for row in rows.tolist()]])
