"""The network's answers on a set, kept in the run so that report and explorer need not ask again."""

import io
from dataclasses import dataclass
from typing import Any
from zipfile import BadZipFile

import numpy as np

from convscope.deploy import load_bundle, load_config, looking, write_whole
from convscope.errors import RunError
from convscope.explain import Progress
from convscope.run.device import device_here
from convscope.run.folder import RunFolder
from convscope.run.prepare import Prepared
from convscope.run.trainee import asked, batch_settings
from convscope.tasks import Meter, Task
from convscope.train import use_cores


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

    With more `crops` than one the images must be as large as `Cropped.takes` says. `on_progress` is called with the
    images answered so far.
    """
    recipe = folder.recipe()
    use_cores(recipe.train.threads or None)
    device = device_here(recipe.train.device)
    model, config = load_bundle(folder.model, device)
    batches = prepared.batches(role, batch_settings(prepared, recipe, device, training=False))
    task = config.asked()
    meter = asked(looking(model, config, crops), batches, task.meter(), on_progress)
    names = tuple(prepared.dataset.names[i] for i in prepared.rows(role))
    if crops == "1":  # the kept answers are those that predict gives too
        file = io.BytesIO()
        arrays: dict[str, Any] = {"names": np.array(names), **meter.arrays()}
        np.savez(file, **arrays)
        write_whole(folder.answers / f"{role}.npz", file.getvalue())
    return Answers(names, meter, task)


def answered(folder: RunFolder, role: str) -> Answers:
    """The kept answers on a set.

    Raises:
        RunError: when the network was never asked about it.
    """
    file = folder.answers / f"{role}.npz"
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
