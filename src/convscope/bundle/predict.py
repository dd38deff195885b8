"""Files in, answers out, with the preprocessing that the network was trained with."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from convscope.bundle.bundle import BundleConfig, Preprocessing
from convscope.bundle.sliding_window import sliding_window
from convscope.bundle.tta import with_tta
from convscope.data.inputs.image import quiet_pillow
from convscope.data.store.resources import usable_cores
from convscope.errors import DataError
from convscope.tasks import Prediction, Task, ViewTransform

BATCH = 64


@dataclass(frozen=True)
class FailedFile:
    """A file that could not be read, and why."""

    file: str
    why: str


def predict(
    model: nn.Module, config: BundleConfig, files: Sequence[Path], tta_views: str | None = None
) -> Iterator[Prediction | FailedFile]:
    """Answer for each file in its turn; a file that cannot be read is named and the others are answered.

    Args:
        model: from `load_bundle`, in evaluation mode.
        config: from `load_bundle`.
        files: image files of any size and mode.
        tta_views: how many looks at each image are averaged, one of `TTA_VIEWS`; None: those of the bundle.

    Raises:
        ConfigError: when there are no such crops, or the task's answers cannot be averaged.
    """
    task, network = config.build_task(), with_tta(model, config, tta_views)
    preprocessing = config.preprocessing.model_copy(update={"size": network.input_size})
    batches = (files[start : start + BATCH] for start in range(0, len(files), BATCH))
    return chain.from_iterable(_predict_files(network, task, preprocessing, some) for some in batches)


def _predict_files(
    model: nn.Module, task: Task, preprocessing: Preprocessing, files: Sequence[Path]
) -> Iterator[Prediction | FailedFile]:
    with quiet_pillow(), ThreadPoolExecutor(usable_cores(), "convscope-decode") as pool:
        read = list(pool.map(lambda file: _pixels(file, preprocessing, task.any_size), files))
    sound = [found for found in read if not isinstance(found, str)]
    predictions = iter(_predict_batch(model, task, preprocessing, sound))
    for file, found in zip(files, read, strict=True):
        yield FailedFile(str(file), found) if isinstance(found, str) else next(predictions)


def _pixels(file: Path, preprocessing: Preprocessing, any_size: bool) -> tuple[NDArray[np.uint8], ViewTransform] | str:
    """A file's pixels and what part of it they are, or why it has none."""
    try:
        found = preprocessing.decode(file, any_size)
        left, top, right, bottom = found.visible
        frame = ViewTransform(str(file), (found.whole[0], found.whole[1]), left, top, right - left, bottom - top)
        return found.values, frame
    except DataError as error:
        return str(error).removeprefix(f"{file}: ")


@torch.inference_mode()
def _predict_batch(
    model: nn.Module, task: Task, preprocessing: Preprocessing, read: Sequence[tuple[NDArray[np.uint8], ViewTransform]]
) -> list[Prediction]:
    device, found = next(model.parameters()).device, []
    sizes = {pixels.shape for pixels, _ in read}
    for some in [[one] for one in read] if len(sizes) > 1 else [read] if read else []:
        x = preprocessing(torch.from_numpy(np.stack([pixels for pixels, _ in some])).to(device))
        output = sliding_window(model, x, preprocessing.size) if task.any_size else model(x)
        found += task.predictions(output, [frame for _, frame in some])
    return found


def image_files(paths: Sequence[Path]) -> list[Path]:
    """Files as they are and the files inside folders, sorted; hidden ones are passed over.

    Raises:
        DataError: when a path does not exist, or nothing is left.
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
        raise DataError(f"{', '.join(map(str, paths))}: no file in it; name image files or a folder that has some")
    return found
