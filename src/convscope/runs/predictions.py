"""Predictions of the network on a split, stored in the run for the report and the explorer."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from torch import Tensor

from convscope.bundle import load_bundle, load_config, with_tta
from convscope.devices import inference_device, use_cores
from convscope.errors import RunError
from convscope.files import atomic_write
from convscope.modules import channels_last
from convscope.progress import Progress
from convscope.runs.batching import batch_settings
from convscope.runs.evaluation import evaluate_batches
from convscope.runs.folder import RunFolder
from convscope.runs.loaders import PreparedData
from convscope.tasks import Meter, Task


@dataclass(frozen=True, eq=False)
class SplitPredictions:
    """Predictions on one split, and the names of the images in the same order."""

    names: tuple[str, ...]
    meter: Meter
    task: Task


def predict_split(
    folder: RunFolder, prepared: PreparedData, split: str, tta_views: str = "1", on_progress: Progress | None = None
) -> SplitPredictions:  # fmt: skip
    """Predict every image of a split with the network in ``model/``, and store the predictions in the run.

    Stored are the predictions of the unchanged images, and with "shifts" also those averaged over views. Other views
    may not include the unchanged image, so nothing is stored for them.

    Args:
        folder: the run.
        prepared: its images, at the size `AveragedViews.input_size`.
        split: "train", "validation" or "test".
        tta_views: one of `bundle.TTA_VIEWS`.
        on_progress: called with (images predicted, None).
    """
    recipe = folder.recipe()
    use_cores(recipe.train.threads or None)
    device = inference_device(recipe.train.device)
    model, config = load_bundle(folder.model, device)
    model = channels_last(model, device)  # airbench in float32, 512 images: 0.29 s instead of 0.46 s
    batches = prepared.batches(split, batch_settings(prepared, recipe, device, training=False))
    task, network = config.build_task(), with_tta(model, config, tta_views)
    names = tuple(prepared.dataset.names[i] for i in prepared.rows(split))
    if tta_views != "shifts":
        predictions = SplitPredictions(names, evaluate_batches(network, batches, task.meter(), on_progress), task)
        if tta_views == "1":
            _save_predictions(folder, split, predictions)
        return predictions
    both = evaluate_batches(
        network.per_view, batches, FirstAndMean(task.meter(), task.meter(), network.average), on_progress
    )
    _save_predictions(folder, split, SplitPredictions(names, both.first, task))
    predictions = SplitPredictions(names, both.averaged, task)
    _save_predictions(folder, split, predictions, tta_views)
    return predictions


def store_predictions(folder: RunFolder, prepared: PreparedData, split: str, meter: Meter) -> SplitPredictions:
    """Store predictions of the network in ``model/`` that are known already, in the order of the split's images."""
    names = tuple(prepared.dataset.names[i] for i in prepared.rows(split))
    predictions = SplitPredictions(names, meter, load_config(folder.model).build_task())
    _save_predictions(folder, split, predictions)
    return predictions


@dataclass(frozen=True, eq=False)
class FirstAndMean:
    """Two meters: of the first view of each image, and of the mean over all views.

    Args:
        first: receives the outputs of the first view.
        averaged: receives the mean outputs.
        mean: maps (V, B, K) logits to (B, K).
    """

    first: Meter
    averaged: Meter
    mean: Callable[[Tensor], Tensor]

    def add(self, output: Tensor, target: Tensor) -> None:
        """Add a batch: (V, B, K) logits of V views."""
        self.first.add(output[0], target)
        self.averaged.add(self.mean(output), target)


def _save_predictions(folder: RunFolder, split: str, predictions: SplitPredictions, tta_views: str = "1") -> None:
    file = io.BytesIO()
    arrays: dict[str, Any] = {"names": np.array(predictions.names), **predictions.meter.arrays()}
    np.savez(file, **arrays)
    atomic_write(_predictions_file(folder, split, tta_views), file.getvalue())


def _predictions_file(folder: RunFolder, split: str, tta_views: str) -> Path:
    return folder.predictions / (f"{split}.npz" if tta_views == "1" else f"{split}-{tta_views}.npz")


def load_predictions(folder: RunFolder, split: str, tta_views: str = "1") -> SplitPredictions:
    """Return the stored predictions on a split, by default those without test-time augmentation.

    Raises:
        RunError: there are none, or the file is damaged.
    """
    file = _predictions_file(folder, split, tta_views)
    try:
        # NumPy leaves a damaged archive open that it has opened itself
        with file.open("rb") as content, np.load(content) as stored:
            arrays = dict(stored)
            names = arrays.pop("names")
    except (OSError, ValueError, KeyError, BadZipFile):
        raise RunError(
            f"{file}: missing or damaged; create it with: convscope evaluate {folder.path} --split {split}"
        ) from None
    task = load_config(folder.model).build_task()
    return SplitPredictions(tuple(names.tolist()), task.meter(arrays), task)
