"""Predictions for image files, from a run's folder or a saved model's."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import IO, Any, Self, overload

import torch
from torch import nn

from convscope.api.predict_parts import SharedWork, predict_in_processes
from convscope.bundle import (
    BundleConfig,
    FailedFile,
    Prediction,
    Source,
    find_sources,
    load_bundle,
    load_config,
    with_tta,
)
from convscope.bundle import predict as stream
from convscope.errors import ConfigError, DataError
from convscope.files import atomic_write, unique_stems
from convscope.modules import channels_last
from convscope.printable import spreadsheet_cell
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

    task: Task
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
class Predictor:
    """A loaded network that predicts files one by one, for more files than fit in memory."""

    model: nn.Module
    config: BundleConfig
    task: Task
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
        return cls(channels_last(network, torch.device("cpu")), config, config.build_task(), folder, processes)

    def stream(
        self,
        files: str | Path | Sequence[str | Path] | Iterator[Source],
        tta_views: str | None = None,
        out: str | Path | None = None,
        on_batch: Callable[[int, float], None] = lambda _images, _seconds: None,
    ) -> Iterator[Prediction | FailedFile]:
        """Yield one item per file, in order, with few in memory at a time.

        Args:
            files: as for `predict`, also archives of images and patterns such as ``"photos/**/*.jpg"``; or an iterator,
                as `bundle.find_sources` returns it.
            tta_views: as for `predict`.
            out: a folder for predictions that are images, one PNG per file, named after it; files of equal names also
                have their folders and endings in it, so none overwrites another.
            on_batch: called with the number of images of each batch, and the seconds to read and predict them.

        Raises:
            ConfigError: see `predict`; or an image would overwrite one of the files.
            DataError: a path does not exist, or `out` cannot be written.
        """
        given = [files] if isinstance(files, str | Path) else files
        found = find_sources(given) if isinstance(given, Sequence) else given
        if out is None:
            return self._items(found, tta_views, on_batch)
        known = list(found)
        items = self._items(known, tta_views, on_batch)
        return _with_images(items, [Path(str(one)) for one in known], Path(out))

    def _items(
        self, sources: Iterable[Source], tta_views: str | None, on_batch: Callable[[int, float], None]
    ) -> Iterator[Prediction | FailedFile]:
        sources = self.config.preprocessing.one_per_example(sources)
        if self.processes == 1:
            return stream(self.model, self.config, sources, tta_views, on_batch)
        with_tta(self.model, self.config, tta_views)  # so that wrong views are refused here
        return predict_in_processes(SharedWork(self.folder, tta_views, self.processes), sources, on_batch)


def predict(
    model: str | PathLike[str],
    files: str | Path | Sequence[str | Path],
    *,
    tta_views: str | None = None,
    processes: int = 1,
) -> Predictions:
    """Predictions for files and folders of files, with the preprocessing that the network was trained with.

    Args:
        model: the folder of a run or of a saved model.
        files: image files of any size and mode, and folders of them.
        tta_views: how many views of each image are averaged, one of `bundle.TTA_VIEWS`; None: as training chose.
        processes: that share the files.

    Raises:
        ConfigError: no such views, or the task's outputs cannot be averaged.
        RunError: there is no such run, or no network in it yet.
        ModelError: its network cannot be opened.
        DataError: a path does not exist.
    """
    predictor = Predictor.open(model, processes)
    return Predictions(predictor.task, tuple(predictor.stream(files, tta_views)))


def _with_images(
    items: Iterator[Prediction | FailedFile], files: Sequence[Path], folder: Path
) -> Iterator[Prediction | FailedFile]:
    """Write the images of the predictions as they arrive, and yield the predictions with the names of the images."""
    stems = [folder / stem for stem in unique_stems(files)]
    inputs = {file.resolve() for file in files}
    clash = next((stem for stem in stems if stem.with_name(f"{stem.name}.png").resolve() in inputs), None)
    if clash is not None:
        raise ConfigError(
            f"{clash}.png: is one of the images to predict and would be overwritten; choose another folder"
        )
    return _saved(items, stems, folder)


def _saved(
    items: Iterator[Prediction | FailedFile], stems: Sequence[Path], folder: Path
) -> Iterator[Prediction | FailedFile]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for item, stem in zip(items, stems, strict=True):
            path = None if isinstance(item, FailedFile) else item.save_image(stem)
            yield item if path is None or isinstance(item, FailedFile) else replace(item, saved=str(path))
    except OSError as error:
        raise DataError(f"{folder}: cannot be written ({error.strerror}); choose another folder") from error


def task_of(model: str | PathLike[str]) -> Task:
    """Return the task of a run or of a saved model.

    Raises:
        RunError: there is no such run, or no network in it yet.
        ModelError: its network cannot be opened.
    """
    return load_config(model_folder(Path(model))).build_task()


def write_csv(task: Task, predictions: Iterable[Prediction], file: IO[str]) -> None:
    """Write a heading and one line per prediction, each as soon as it is available.

    A text that a spreadsheet would run as a formula, such as =cmd(), gets a ' before it.
    """
    lines = csv.writer(file)
    lines.writerow(map(spreadsheet_cell, ["file", *task.columns]))
    for prediction in predictions:
        lines.writerow(map(spreadsheet_cell, [prediction.file, *prediction.csv_row()]))
