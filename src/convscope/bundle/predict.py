"""Predictions for files, with the preprocessing that the network was trained with."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from convscope.bundle.bundle import BundleConfig, Preprocessing
from convscope.bundle.sliding_window import sliding_window
from convscope.bundle.tta import with_tta
from convscope.datasets.inputs.kind import DecodedInput
from convscope.datasets.inputs.opening import quiet_pillow
from convscope.datasets.store.resources import usable_cores
from convscope.errors import DataError
from convscope.tasks import Prediction, Task, ViewTransform

BATCH = 64

Example = tuple[NDArray[Any], ViewTransform]
"""The values of one example, and the part of the file that they show."""


@dataclass(frozen=True)
class FailedFile:
    """A file that could not be read, and why."""

    file: str
    why: str


def predict(
    model: nn.Module, config: BundleConfig, files: Sequence[Path], tta_views: str | None = None
) -> Iterator[Prediction | FailedFile]:
    """Yield one result per file, in order; a file that cannot be read gives a `FailedFile`.

    A file of several series gives one result for each, named ``file:0`` and so on.

    Args:
        model: from `load_bundle`, in evaluation mode.
        config: from `load_bundle`.
        files: image files of any size and mode.
        tta_views: test-time augmentation, one of `TTA_VIEWS`; None: the bundle's default.

    Raises:
        ConfigError: `tta_views` is unknown, or the task's predictions cannot be averaged.
    """
    task, network = config.build_task(), with_tta(model, config, tta_views)
    preprocessing = config.preprocessing.model_copy(update={"size": network.input_size})
    batches = (files[start : start + BATCH] for start in range(0, len(files), BATCH))
    return chain.from_iterable(_predict_files(network, task, preprocessing, batch) for batch in batches)


def _predict_files(
    model: nn.Module, task: Task, preprocessing: Preprocessing, files: Sequence[Path]
) -> Iterator[Prediction | FailedFile]:
    with quiet_pillow(), ThreadPoolExecutor(usable_cores(), "convscope-decode") as pool:
        decoded = list(pool.map(lambda file: _decoded(file, preprocessing, task.any_size), files))
    readable = [example for result in decoded if not isinstance(result, str) for example in result]
    predictions = iter(_predict_batch(model, task, preprocessing, readable))
    for file, result in zip(files, decoded, strict=True):
        if isinstance(result, str):
            yield FailedFile(str(file), result)
        else:
            yield from islice(predictions, len(result))


def _decoded(file: Path, preprocessing: Preprocessing, any_size: bool) -> list[Example] | str:
    """The examples of a file and the part of the file that each shows, or why it cannot be read."""
    try:
        return [(one.values, _view(name, one)) for name, one in preprocessing.decode_all(file, any_size)]
    except DataError as error:
        return str(error).removeprefix(f"{file}: ")


def _view(name: str, decoded: DecodedInput) -> ViewTransform:
    """The visible part of a file; a series is one row."""
    if len(decoded.whole) == 1:
        start, end = decoded.visible
        return ViewTransform(name, (1, decoded.whole[0]), start, 0.0, end - start, 1.0)
    left, top, right, bottom = decoded.visible
    return ViewTransform(name, (decoded.whole[0], decoded.whole[1]), left, top, right - left, bottom - top)


@torch.inference_mode()
def _predict_batch(
    model: nn.Module,
    task: Task,
    preprocessing: Preprocessing,
    images: Sequence[Example],
) -> list[Prediction]:
    device, predictions = next(model.parameters()).device, []
    sizes = {pixels.shape for pixels, _ in images}
    for batch in [[image] for image in images] if len(sizes) > 1 else [images] if images else []:
        x = preprocessing(torch.from_numpy(np.stack([pixels for pixels, _ in batch])).to(device))
        output = sliding_window(model, x, (preprocessing.size[0], preprocessing.size[1])) if task.any_size else model(x)
        predictions += task.predictions(output, [frame for _, frame in batch])
    return predictions


def image_files(paths: Sequence[Path]) -> list[Path]:
    """The given files and, sorted, the files inside given folders; hidden files are skipped.

    Raises:
        DataError: a path does not exist, or there is no file.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = (file for file in path.rglob("*") if file.is_file())
            found += sorted(file for file in inside if not any(part.startswith(".") for part in file.parts[-2:]))
        elif path.exists():
            found.append(path)
        else:
            raise DataError(f"{path}: no such file or folder; check the path")
    if not found:
        raise DataError(
            f"{', '.join(map(str, paths))}: contains no files; give image files or a folder that contains some"
        )
    return found
