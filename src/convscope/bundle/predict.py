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

from convscope.bundle.bundle import BundleConfig
from convscope.bundle.sliding_window import sliding_window
from convscope.bundle.tta import with_tta
from convscope.datasets.inputs.kind import DecodedInput
from convscope.datasets.inputs.opening import quiet_pillow
from convscope.datasets.store.resources import usable_cores
from convscope.errors import DataError
from convscope.tasks import Prediction, ViewTransform

BATCH = 64


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
    inference = Inference(model, config, tta_views)
    batches = (files[start : start + BATCH] for start in range(0, len(files), BATCH))
    return chain.from_iterable(_predict_files(inference, batch) for batch in batches)


@dataclass(frozen=True, eq=False)
class DecodedFile:
    """A file's pixels (C, H, W) uint8, or a series (C, L) float32, and the part of the file that they show."""

    pixels: NDArray[Any]
    frame: ViewTransform


class Inference:
    """A network with the steps from the bytes of a file to its prediction.

    Args:
        model: from `load_bundle`, in evaluation mode.
        config: from `load_bundle`.
        tta_views: test-time augmentation, one of `TTA_VIEWS`; None: the bundle's default.

    Raises:
        ConfigError: `tta_views` is unknown, or the task's predictions cannot be averaged.
    """

    def __init__(self, model: nn.Module, config: BundleConfig, tta_views: str | None = None) -> None:
        self.task, self.network = config.build_task(), with_tta(model, config, tta_views)
        self.preprocessing = config.preprocessing.model_copy(update={"size": self.network.input_size})

    def decode(self, source: Path | bytes | NDArray[np.uint8], name: str) -> DecodedFile:
        """Read one file, the bytes of one, or pixels (H, W, C); `name` is that of the prediction.

        Raises:
            DataError: it cannot be read.
        """
        return _shown(name, self.preprocessing.decode(source, self.task.any_size))

    def decode_all(self, file: Path) -> list[DecodedFile]:
        """Read all examples of a file: one image, or one or several series.

        Raises:
            DataError: it cannot be read.
        """
        return [_shown(name, one) for name, one in self.preprocessing.decode_all(file, self.task.any_size)]

    @torch.inference_mode()
    def predict(self, images: Sequence[DecodedFile]) -> list[Prediction]:
        """Predictions for decoded files, in their order; images of several sizes are computed one by one."""
        device, predictions = next(self.network.parameters()).device, []
        sizes = {image.pixels.shape for image in images}
        for batch in [[image] for image in images] if len(sizes) > 1 else [images] if images else []:
            pixels = torch.from_numpy(np.stack([image.pixels for image in batch]))
            x = self.preprocessing(pixels.to(device))
            network, size = self.network, self.preprocessing.size
            output = sliding_window(network, x, (size[0], size[1])) if self.task.any_size else network(x)
            predictions += self.task.predictions(output, [image.frame for image in batch])
        return predictions


def _predict_files(inference: Inference, files: Sequence[Path]) -> Iterator[Prediction | FailedFile]:
    with quiet_pillow(), ThreadPoolExecutor(usable_cores(), "convscope-decode") as pool:
        decoded = list(pool.map(lambda file: _decoded(inference, file), files))
    readable = [example for result in decoded if not isinstance(result, str) for example in result]
    predictions = iter(inference.predict(readable))
    for file, result in zip(files, decoded, strict=True):
        if isinstance(result, str):
            yield FailedFile(str(file), result)
        else:
            yield from islice(predictions, len(result))


def _decoded(inference: Inference, file: Path) -> list[DecodedFile] | str:
    """The examples of a file, or why it cannot be read."""
    try:
        return inference.decode_all(file)
    except DataError as error:
        return str(error).removeprefix(f"{file}: ")


def _shown(name: str, decoded: DecodedInput) -> DecodedFile:
    """An example and the part of the file that it shows; a series is one row."""
    if len(decoded.whole) == 1:
        start, end = decoded.visible
        return DecodedFile(decoded.values, ViewTransform(name, (1, decoded.whole[0]), start, 0.0, end - start, 1.0))
    left, top, right, bottom = decoded.visible
    size = (decoded.whole[0], decoded.whole[1])
    return DecodedFile(decoded.values, ViewTransform(name, size, left, top, right - left, bottom - top))


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
