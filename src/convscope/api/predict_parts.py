"""Predictions in several processes: each has the network and predicts batches of files that it is given."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch

from convscope.bundle import load_bundle
from convscope.bundle import predict as stream
from convscope.devices import threads_each
from convscope.errors import DataError
from convscope.launching.child import Parent
from convscope.launching.parts import PartError, compute_parts, in_order
from convscope.modules import channels_last
from convscope.predictions import Prediction
from convscope.predictions.files import BATCH, FailedFile
from convscope.predictions.sources import Source

Predicted = list[Prediction | FailedFile]


@dataclass(frozen=True)
class SharedWork:
    """What every process needs: the model's folder, the views, and how many processes share the cores."""

    model: Path
    tta_views: str | None
    count: int


def predict_in_processes(
    work: SharedWork, sources: Iterable[Source], on_batch: Callable[[int, float], None]
) -> Iterator[Prediction | FailedFile]:
    """Yield one item per file, in order, as one process does; the files of a process that ends go to the others.

    Raises:
        DataError: several processes have ended at the same files.
    """
    files = iter(sources)
    batches = iter(lambda: list(islice(files, BATCH)), [])
    try:
        for predicted, images, seconds in in_order(predict_batches, (work,), batches, work.count):
            on_batch(images, seconds / work.count)
            yield from predicted
    except PartError as failed:
        names = [str(file) for file in failed.part]
        where = names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"
        raise DataError(f"{where}: {failed.reason} each time these files were predicted; leave them out") from failed


def predict_batches(parent: Parent, work: SharedWork) -> None:
    """Predict the batches that the parent sends."""
    if work.count > 1:
        torch.set_num_threads(threads_each(work.count))
    network, config = load_bundle(work.model)
    network = channels_last(network, torch.device("cpu"))

    def predicted(files: list[Source]) -> tuple[Predicted, int, float]:
        started = time.perf_counter()
        return list(stream(network, config, files, work.tta_views)), len(files), time.perf_counter() - started

    compute_parts(parent, predicted)
