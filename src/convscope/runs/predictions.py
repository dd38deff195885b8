"""The network's answers on a set, kept in the run so that report and explorer need not ask again."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from torch import Tensor

from convscope.bundle import load_bundle, load_config, looking
from convscope.devices import device_here, use_cores
from convscope.errors import RunError
from convscope.files import write_whole
from convscope.modules import channels_last
from convscope.progress import Progress
from convscope.runs.asking import asked
from convscope.runs.batching import batch_settings
from convscope.runs.folder import RunFolder
from convscope.runs.loaders import Prepared
from convscope.tasks import Meter, Task


@dataclass(frozen=True, eq=False)
class Answers:
    """What a network says of one set, and the images' names in the same order."""

    names: tuple[str, ...]
    meter: Meter
    task: Task


def ask(
    folder: RunFolder, prepared: Prepared, role: str, crops: str = "1", on_progress: Progress | None = None
) -> Answers:  # fmt: skip
    """Let the network in ``model/`` answer for every image of a set, and keep the answers in the run.

    Kept are those by one look at each image as it is, and with "shifts" the mean ones beside them; other crops may not
    show the image as it is, and leave what is kept alone. `on_progress` is called with the images answered so far.

    Args:
        folder: the run.
        prepared: its images, as large as `Cropped.takes` says.
        role: the set.
        crops: one of `bundle.CROPS`.
        on_progress: called with (images, None).
    """
    recipe = folder.recipe()
    use_cores(recipe.train.threads or None)
    device = device_here(recipe.train.device)
    model, config = load_bundle(folder.model, device)
    model = channels_last(model, device)  # in float32 an airbench then takes 0.29 in place of 0.46 s for 512 images
    batches = prepared.batches(role, batch_settings(prepared, recipe, device, training=False))
    task, looks = config.asked(), looking(model, config, crops)
    names = tuple(prepared.dataset.names[i] for i in prepared.rows(role))
    if crops != "shifts":
        answers = Answers(names, asked(looks, batches, task.meter(), on_progress), task)
        if crops == "1":
            _keep(folder, role, answers)
        return answers
    both = asked(looks.each, batches, FirstAndMean(task.meter(), task.meter(), looks.mean), on_progress)
    _keep(folder, role, Answers(names, both.first, task))
    answers = Answers(names, both.averaged, task)
    _keep(folder, role, answers, crops)
    return answers


@dataclass(frozen=True, eq=False)
class FirstAndMean:
    """A meter of the first look at each image, and one of the mean over all looks.

    Args:
        first: takes what the first look gave.
        averaged: takes the mean.
        mean: from (V, B, K) logits to (B, K).
    """

    first: Meter
    averaged: Meter
    mean: Callable[[Tensor], Tensor]

    def add(self, output: Tensor, target: Tensor) -> None:
        """Take a batch: (V, B, K) logits, look by look."""
        self.first.add(output[0], target)
        self.averaged.add(self.mean(output), target)


def _keep(folder: RunFolder, role: str, answers: Answers, crops: str = "1") -> None:
    file = io.BytesIO()
    arrays: dict[str, Any] = {"names": np.array(answers.names), **answers.meter.arrays()}
    np.savez(file, **arrays)
    write_whole(_file(folder, role, crops), file.getvalue())


def _file(folder: RunFolder, role: str, crops: str) -> Path:
    return folder.answers / (f"{role}.npz" if crops == "1" else f"{role}-{crops}.npz")


def answered(folder: RunFolder, role: str, crops: str = "1") -> Answers:
    """The kept answers on a set; by default the network's own, by one look at each image.

    Raises:
        RunError: when the network was never asked about it.
    """
    file = _file(folder, role, crops)
    try:
        with np.load(file) as kept:
            arrays = dict(kept)
            names = arrays.pop("names")
    except (OSError, ValueError, KeyError, BadZipFile):
        raise RunError(
            f"{file}: missing or damaged; convscope evaluate {folder.path} --split {role} makes it"
        ) from None
    task = load_config(folder.model).asked()
    return Answers(tuple(names.tolist()), task.meter(arrays), task)
