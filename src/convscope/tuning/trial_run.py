"""Train one trial in its run folder to the end of a rung; the next rung goes on from the checkpoint, to the bit."""

import json
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from convscope.devices import requested_device
from convscope.files import atomic_write
from convscope.pipeline.build import build_session
from convscope.pipeline.checkpointing import CheckpointWriter
from convscope.pipeline.monitor import Monitor
from convscope.pipeline.recording import forget_later, load_checkpoint, recorded_epochs
from convscope.runs.data_record import write_data
from convscope.runs.environment import add_session, environment
from convscope.runs.events import Event
from convscope.runs.folder import RunFolder
from convscope.runs.loaders import PreparedData
from convscope.runs.predictions import predict_split, store_predictions
from convscope.runs.recipe import Recipe
from convscope.runs.recipe_file import annotate

MOST_LOSS = 100.0  # in place of a loss that is not finite


@dataclass(frozen=True)
class TrialScore:
    """The main score and the loss on the validation images after so many epochs; `first`: the score after the first."""

    score: float
    loss: float
    first: float
    epochs: int


class TrialRunner:
    """Trains trials on the same images.

    Args:
        prepared: the images.
    """

    def __init__(self, prepared: PreparedData) -> None:
        self.prepared = prepared
        self._data: bytes | None = None

    def create(self, path: Path, recipe: Recipe, sources: Mapping[str, str]) -> None:
        """Create the run folder of a trial; that of a trial which was killed before it started is overwritten."""
        if (path / "recipe.toml").exists():
            return
        with RunFolder.create(path) as folder:
            if self._data is None:
                write_data(folder, self.prepared, recipe.task)
                self._data = folder.data_file.read_bytes()
            else:
                atomic_write(folder.data_file, self._data)
            device = requested_device(recipe.train.device)
            content = environment(device) | {"threads": recipe.train.threads}
            atomic_write(folder.environment_file, json.dumps(content, indent=1).encode())
            atomic_write(folder.recipe_file, annotate(recipe.to_toml(), sources).encode())

    def train(self, path: Path, epochs: int) -> Generator[Event, None, TrialScore]:
        """Train to a number of epochs in all, yield the events, and return the score.

        Raises:
            TrainingError: the loss or its gradient is not finite.
        """
        started = time.monotonic()
        folder = RunFolder.open(path)
        with folder.locked():
            session = build_session(self.prepared, folder.recipe(), started)
            load_checkpoint(folder, session)
            forget_later(folder, session)
            first = session.state.epoch
            if first < epochs:
                writer, monitor = CheckpointWriter(folder, session), Monitor(folder, self.prepared, session)
                yield from recorded_epochs(folder, session, writer, monitor, epochs)
            if session.last_evaluation is not None:
                store_predictions(folder, self.prepared, "validation", session.last_evaluation)
            elif not folder.has_predictions("validation"):  # killed between the state and the log
                predict_split(folder, self.prepared, "validation")
            used = session.energy.read(torch.get_num_threads())
            add_session(folder, first, time.monotonic() - started, used)
            return score_of(folder, session.task.primary)


def score_of(folder: RunFolder, primary: str) -> TrialScore:
    """Return the score of a trial from the events of its epochs."""
    epochs = folder.events("epoch")
    last = epochs[-1]["validation"]
    loss = last.get("loss")
    return TrialScore(
        last[primary], MOST_LOSS if loss is None else loss, epochs[0]["validation"][primary], epochs[-1]["epoch"]
    )
