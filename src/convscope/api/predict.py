"""Predictions for image files, from a run's folder or a saved model's."""

import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Self, overload

import torch
from torch import nn

from convscope.api.predict_parts import SharedWork, predict_in_processes
from convscope.bundle import BundleConfig, load_bundle, load_config, with_tta
from convscope.bundle import predict as stream
from convscope.bundle.bundle import WEIGHTS_FILE
from convscope.errors import ConfigError
from convscope.exported import is_exported
from convscope.exported.runtimes import Runtime, exported_of
from convscope.files import atomic_write
from convscope.modules import channels_last
from convscope.predictions import Answers, Prediction
from convscope.predictions.files import FailedFile
from convscope.predictions.predictor import FilePredictor
from convscope.predictions.sources import Source
from convscope.predictions.table import write_csv
from convscope.runs.folder import model_folder
from convscope.tables import html_table
from convscope.tasks import Task

SHOWN = 5  # files in what a console shows
SHOWN_IN_NOTEBOOK = 50
TOP = 3  # classes shown per file


@dataclass(frozen=True, repr=False)
class Predictions(Sequence[Prediction | FailedFile]):
    """One item per file, in the order of the files: a prediction, or the reason why the file could not be read.

    Attributes:
        task: the task of the network.
        items: the predictions and the failed files.
    """

    task: Answers
    items: tuple[Prediction | FailedFile, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, labels or numbers, in the order of the network's outputs."""
        return self.task.classes

    @property
    def failed(self) -> tuple[FailedFile, ...]:
        """The files that could not be read."""
        return tuple(item for item in self.items if isinstance(item, FailedFile))

    def to_dicts(self) -> list[dict[str, Any]]:
        """One JSON object per file; a failed file has "file" and "error"."""
        return [item.to_dict() for item in self.items]

    def to_csv(self, path: str | Path) -> Path:
        """Write the predictions as CSV: the file, then the task's columns; failed files are left out."""
        text = io.StringIO(newline="")
        write_csv(self.task, (item for item in self.items if not isinstance(item, FailedFile)), text)
        atomic_write(Path(path), text.getvalue().encode(errors="surrogateescape"))
        return Path(path)

    @overload
    def __getitem__(self, index: int) -> Prediction | FailedFile: ...
    @overload
    def __getitem__(self, index: slice) -> "Predictions": ...
    def __getitem__(self, index: int | slice) -> "Prediction | FailedFile | Predictions":
        """The item of a file, or the items of some files."""
        return Predictions(self.task, self.items[index]) if isinstance(index, slice) else self.items[index]

    def __len__(self) -> int:
        """The number of files."""
        return len(self.items)

    def __repr__(self) -> str:
        """The number of files, and the first predictions."""
        failed = f", {len(self.failed):,} failed" if self.failed else ""
        lines = [f"Predictions({len(self):,} file{'' if len(self) == 1 else 's'}{failed})"]
        lines += [f"  {': '.join((row[0], ', '.join(filter(None, row[1:]))))}" for row in self._rows(SHOWN)]
        if len(self) > SHOWN:
            lines.append(f"  ... and {len(self) - SHOWN:,} more")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        more = f"{SHOWN_IN_NOTEBOOK} of {len(self):,} files" if len(self) > SHOWN_IN_NOTEBOOK else ""
        return html_table(["file", *self.task.headings(TOP)], self._rows(SHOWN_IN_NOTEBOOK), more)

    def _rows(self, most: int) -> list[list[str]]:
        return [
            [item.file, f"failed: {item.why}"] if isinstance(item, FailedFile) else [item.file, *item.display(TOP)]
            for item in self.items[:most]
        ]


@dataclass(frozen=True, eq=False)
class Predictor(FilePredictor):
    """The network of a run or of a saved model, in PyTorch."""

    task: Task
    model: nn.Module
    config: BundleConfig
    folder: Path = Path()
    processes: int = 1

    @classmethod
    def open(cls, model: str | PathLike[str], processes: int = 1) -> Self:
        """Load the network of a run or a saved model on the CPU; `stream` computes in several processes if asked.

        Raises:
            RunError: there is no such run, or no network in it yet.
            ModelError: its network cannot be opened.
        """
        folder = model_folder(Path(model))
        network, config = load_bundle(folder)
        return cls(config.build_task(), channels_last(network, torch.device("cpu")), config, folder, processes)

    @property
    def digest(self) -> str:
        """Of the weights and the configuration."""
        digest = hashlib.blake2b(self.config.model_dump_json().encode(), digest_size=12)
        for value in self.model.state_dict().values():
            digest.update(value.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()

    def items(
        self, sources: Iterable[Source], tta_views: str | None, on_batch: Callable[[int, float], None]
    ) -> Iterator[Prediction | FailedFile]:
        """Yield one item per source; see `FilePredictor.stream`."""
        if self.processes == 1:
            return stream(self.model, self.config, sources, tta_views, on_batch)
        with_tta(self.model, self.config, tta_views)  # so that wrong views are refused here
        one_each = self.config.preprocessing.one_per_example(sources)
        return predict_in_processes(SharedWork(self.folder, tta_views, self.processes), one_each, on_batch)


def open_predictor(
    model: str | PathLike[str], processes: int = 1, runtime: Runtime = "auto", tta_views: str | None = None
) -> FilePredictor:
    """Load the network of a run or a saved model, or an exported file.

    Args:
        model: the folder, or the .onnx file.
        processes: that share the files, in PyTorch.
        runtime: "torch", "onnx" for the file that `export` wrote into the folder, or "auto": the one that `export`
            measured as the faster one on this machine.
        tta_views: that are asked for; only PyTorch computes other views than training chose.

    Raises:
        RunError: there is no such run, or no network in it yet.
        ModelError: its network or the file cannot be opened.
        ConfigError: the runtime is not there, or cannot do what is asked for.
    """
    path, only_torch = Path(model), processes > 1 or tta_views is not None
    if is_exported(path):
        from convscope.exported import ExportedPredictor

        return ExportedPredictor.for_request(path, processes, runtime)
    if runtime == "onnx" and only_torch:
        raise ConfigError("--runtime onnx: several processes and other views need PyTorch; leave out one of both")
    found = None if only_torch else exported_of(path, model_folder(path) / WEIGHTS_FILE, runtime)
    if found is None:
        return Predictor.open(model, processes)
    from convscope.exported import ExportedPredictor

    return ExportedPredictor(found.answers_kind, found)


def predict(
    model: str | PathLike[str],
    files: str | Path | Sequence[str | Path],
    *,
    tta_views: str | None = None,
    processes: int = 1,
    runtime: Runtime = "auto",
) -> Predictions:
    """Predictions for files and folders of files, with the preprocessing that the network was trained with.

    Args:
        model: the folder of a run or of a saved model, or an exported .onnx file.
        files: image files of any size and mode, and folders of them.
        tta_views: how many views of each image are averaged, one of `bundle.TTA_VIEWS`; None: as training chose.
        processes: that share the files.
        runtime: see `open_predictor`.

    Raises:
        ConfigError: no such views, a runtime that is not there, or the task's outputs cannot be averaged.
        RunError: there is no such run, or no network in it yet.
        ModelError: its network cannot be opened.
        DataError: a path does not exist.
    """
    predictor = open_predictor(model, processes, runtime, tta_views)
    return Predictions(predictor.task, tuple(predictor.stream(files, tta_views)))


def task_of(model: str | PathLike[str]) -> Task:
    """Return the task of a run or of a saved model.

    Raises:
        RunError: there is no such run, or no network in it yet.
        ModelError: its network cannot be opened.
    """
    return load_config(model_folder(Path(model))).build_task()
