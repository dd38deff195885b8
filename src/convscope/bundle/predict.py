"""Predictions for files, with the preprocessing that the network was trained with."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from convscope.bundle.bundle import BundleConfig
from convscope.bundle.sliding_window import sliding_window
from convscope.bundle.tta import with_tta
from convscope.datasets.inputs.kind import DecodedInput
from convscope.errors import ModelError
from convscope.predictions import Prediction, ViewTransform
from convscope.predictions.files import DecodedFile, FailedFile, predict_files
from convscope.predictions.sources import Source, find_sources


def predict(
    model: nn.Module,
    config: BundleConfig,
    files: Iterable[Source],
    tta_views: str | None = None,
    on_batch: Callable[[int, float], None] = lambda _images, _seconds: None,
) -> Iterator[Prediction | FailedFile]:
    """Yield one result per file, in order; a file that cannot be read gives a `FailedFile`.

    A file of several series gives one result for each, named ``file:0`` and so on.

    Args:
        model: from `load_bundle`, in evaluation mode.
        config: from `load_bundle`.
        files: image files of any size and mode, or their bytes; read as they are needed.
        tta_views: test-time augmentation, one of `TTA_VIEWS`; None: the bundle's default.
        on_batch: called with the number of images of each batch, and the seconds to read and predict them.

    Raises:
        ConfigError: `tta_views` is unknown, or the task's predictions cannot be averaged.
        ModelError: while iterating: the network's output is not finite.
    """
    inference = Inference(model, config, tta_views)
    return predict_files(inference, inference.preprocessing.one_per_example(files), on_batch)


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

    @property
    def noun(self) -> str:
        """What a file is, such as image."""
        return self.preprocessing.nouns[0]

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
        """Predictions for decoded files, in their order; images of several sizes are computed one by one.

        Raises:
            ModelError: the network's output is not finite.
        """
        device, predictions = next(self.network.parameters()).device, []
        sizes = {image.pixels.shape for image in images}
        for batch in [[image] for image in images] if len(sizes) > 1 else [images] if images else []:
            pixels = torch.from_numpy(np.stack([image.pixels for image in batch]))
            x = self.preprocessing(pixels.to(device))
            network, size = self.network, self.preprocessing.size
            output = sliding_window(network, x, (size[0], size[1])) if self.task.any_size else network(x)
            frames = [image.frame for image in batch]
            _require_finite(output, frames)
            predictions += self.task.predictions(output, frames)
        return predictions


def _require_finite(output: Tensor, frames: Sequence[ViewTransform]) -> None:
    finite = output.flatten(1).isfinite().all(1).tolist()
    if not all(finite):
        raise ModelError(
            f"{frames[finite.index(False)].file}: the network's output for it is not a finite number; "
            "check the weights, or train the model again"
        )


def _shown(name: str, decoded: DecodedInput) -> DecodedFile:
    """An example and the part of the file that it shows; a series is one row, a volume its last slice."""
    if len(decoded.whole) == 1:
        start, end = decoded.visible
        return DecodedFile(decoded.values, ViewTransform(name, (1, decoded.whole[0]), start, 0.0, end - start, 1.0))
    rank = len(decoded.whole)
    (left, top), (right, bottom) = decoded.visible[:2], decoded.visible[rank : rank + 2]
    size = (decoded.whole[-2], decoded.whole[-1])
    return DecodedFile(decoded.values, ViewTransform(name, size, left, top, right - left, bottom - top))


def image_files(paths: Sequence[Path]) -> list[Path]:
    """The given files and, sorted, the files inside given folders; hidden files are skipped.

    Raises:
        DataError: a path does not exist, or there is no file.
    """
    return [source for source in find_sources(paths) if isinstance(source, Path)]
