"""The predictions on the validation images as the checks of mistakes see them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from convscope.diagnosis.data.cues import Cue, pixel_cues
from convscope.diagnosis.data.view import DataView
from convscope.progress import Progress
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
        cues: (N, F) figures of each image by cue, see `data.cues`.
    """

    names: tuple[str, ...]
    classes: tuple[str, ...]
    logits: NDArray[np.float64]
    labels: NDArray[np.int64]
    cues: Mapping[str, Cue] = field(default_factory=dict)

    @property
    def predicted(self) -> NDArray[np.int64]:
        """(N,) the class with the highest score."""
        return np.asarray(self.logits.argmax(1))

    @property
    def wrong(self) -> NDArray[np.bool_]:
        """(N,) whether the prediction is not the label."""
        return np.asarray(self.predicted != self.labels)

    def probabilities(self, temperature: float = 1.0) -> NDArray[np.float64]:
        """Return (N, K) probabilities, with the logits divided by a temperature."""
        scaled = self.logits / temperature
        powers = np.exp(scaled - scaled.max(1, keepdims=True))
        return np.asarray(powers / powers.sum(1, keepdims=True))


def stored_mistakes(found: SplitPredictions) -> MistakeView | None:
    """Return predictions without the cues of their images; None where they are not one class per image."""
    if not (found.task.single_class and found.task.outputs_classes):
        return None
    stored = found.meter.arrays()
    logits, targets = stored["logits"].astype(np.float64), stored["targets"].astype(np.int64)
    return MistakeView(found.names, found.task.classes, logits, targets)


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
    return replace(stored, cues=pixel_cues(view, rows))
