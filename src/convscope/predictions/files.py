"""Predictions for files, one after the other, with any program that computes them."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.inputs.opening import quiet_pillow
from convscope.datasets.store.resources import usable_cores
from convscope.errors import DataError
from convscope.predictions.prediction import Prediction, ViewTransform
from convscope.predictions.sources import FileContent, Source

BATCH = 64


@dataclass(frozen=True)
class FailedFile:
    """A file that could not be read, and why."""

    file: str
    why: str

    def to_dict(self) -> dict[str, str]:
        """As a JSON object."""
        return {"file": self.file, "error": self.why}


@dataclass(frozen=True, eq=False)
class DecodedFile:
    """A file's pixels (C, H, W) uint8, or a series (C, L) float32, and the part of the file that they show."""

    pixels: NDArray[Any]
    frame: ViewTransform


class FileInference(Protocol):
    """A network with the steps from the bytes of a file to its prediction."""

    @property
    def noun(self) -> str:
        """What a file is, such as image."""

    def decode(self, source: Path | bytes | NDArray[np.uint8], name: str) -> DecodedFile:
        """Read one file, the bytes of one, or pixels (H, W, C); `name` is that of the prediction.

        Raises:
            DataError: it cannot be read.
        """

    def decode_all(self, file: Path) -> list[DecodedFile]:
        """Read all examples of a file.

        Raises:
            DataError: it cannot be read.
        """

    def predict(self, images: Sequence[DecodedFile]) -> list[Prediction]:
        """Predictions for decoded files, in their order.

        Raises:
            ModelError: the network's output is not finite.
        """


def predict_files(
    inference: FileInference,
    files: Iterable[Source],
    on_batch: Callable[[int, float], None] = lambda _n, _seconds: None,
) -> Iterator[Prediction | FailedFile]:
    """Yield one result per file, in order; a file that cannot be read gives a `FailedFile`.

    A file of several series gives one result for each, named ``file:0`` and so on.

    Args:
        inference: reads files and predicts them.
        files: files, or their bytes; read as they are needed, in threads.
        on_batch: called with the number of files of each batch, and the seconds to read and predict them.

    Raises:
        ModelError: while iterating: the network's output is not finite.
    """
    sources = iter(files)
    batches = iter(lambda: list(islice(sources, BATCH)), [])
    return chain.from_iterable(_predict_batch(inference, batch, on_batch) for batch in batches)


def _predict_batch(
    inference: FileInference, files: Sequence[Source], on_batch: Callable[[int, float], None]
) -> Iterator[Prediction | FailedFile]:
    start = time.perf_counter()
    with quiet_pillow(), ThreadPoolExecutor(usable_cores(), "convscope-decode") as pool:
        decoded = list(pool.map(lambda file: _decoded(inference, file), files))
    readable = [example for result in decoded if not isinstance(result, str) for example in result]
    predictions = iter(inference.predict(readable))
    on_batch(len(files), time.perf_counter() - start)
    for file, result in zip(files, decoded, strict=True):
        if isinstance(result, str):
            yield FailedFile(str(file), result)
        else:
            yield from islice(predictions, len(result))


def _decoded(inference: FileInference, file: Source) -> list[DecodedFile] | str:
    """The examples of a file, or why it cannot be read."""
    try:
        if isinstance(file, FileContent):
            return [inference.decode(file.content, str(file))]
        return inference.decode_all(file)
    except DataError as error:
        place = inference.noun if isinstance(file, FileContent) else file
        return str(error).removeprefix(f"{place}: ")
