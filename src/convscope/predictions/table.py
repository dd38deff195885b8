"""Predictions written to one file, for any number of images; an interrupted call continues where it stopped.

Until all images are predicted, `FILE.partial` has one JSON line per image. Then the file is written from it, in
constant memory, and the partial one is deleted.
"""

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

from convscope.errors import ConfigError, DataError, did_you_mean
from convscope.extras import extra
from convscope.predictions.files import FailedFile
from convscope.predictions.prediction import Answers, Prediction
from convscope.predictions.predictor import FilePredictor
from convscope.predictions.sources import Source
from convscope.printable import printable, spreadsheet_cell

FORMAT = 1
ROWS = 4096  # of a group in a Parquet file


@dataclass(frozen=True)
class Written:
    """The result of `write_predictions`.

    Attributes:
        path: the file.
        predicted: images with a prediction, also of earlier calls.
        failed: files that could not be read.
        resumed: images of earlier calls.
    """

    path: Path
    predicted: int
    failed: int
    resumed: int


def write_predictions(
    predictor: FilePredictor,
    sources: Iterable[Source],
    path: Path,
    tta_views: str | None = None,
    on_item: Callable[[FailedFile | None], None] = lambda _failed: None,
    on_batch: Callable[[int, float], None] = lambda _images, _seconds: None,
) -> Written:
    """Predict images and write a .csv, .jsonl or .parquet file.

    Args:
        predictor: the network.
        sources: the images, in an order that a later call repeats.
        path: the file.
        tta_views: as for `predict`.
        on_item: called after each image, also those of earlier calls, with its error if it could not be read.
        on_batch: see `Predictor.stream`.

    Raises:
        ConfigError: the ending is unknown, or `tta_views` is.
        DataError: the file cannot be written, or an earlier call had another model or other images.
    """
    write = WRITERS.get(path.suffix.lower())
    if write is None:
        raise ConfigError(f"{path}: ends in {path.suffix or 'nothing'}{did_you_mean(path.suffix, WRITERS)}")
    partial, images = path.with_name(f"{path.name}.partial"), iter(sources)
    head = {"format": FORMAT, "model": predictor.digest, "views": tta_views}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("a+b") as lines:
            earlier = _resume(partial, lines, head, images, on_item)
            predicted, failures = earlier.predicted, earlier.failed
            for item in islice(predictor.stream(earlier.rest, tta_views, on_batch=on_batch), earlier.again, None):
                failed = item if isinstance(item, FailedFile) else None
                lines.write(_line(_record(item)))
                lines.flush()
                predicted, failures = predicted + (failed is None), failures + (failed is not None)
                on_item(failed)
        finished = path.with_name(f".{path.name}.{os.getpid()}")
        write(predictor, partial, finished)
        finished.replace(path)
        partial.unlink()
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror}); choose another folder") from error
    return Written(path, predicted, failures, earlier.predicted + earlier.failed)


def write_csv(task: Answers, predictions: Iterable[Prediction], file: IO[str]) -> None:
    """Write a heading and one line per prediction, each as soon as it is available.

    A text that a spreadsheet would run as a formula, such as =cmd(), gets a ' before it.
    """
    lines = csv.writer(file)
    lines.writerow(map(spreadsheet_cell, ["file", *task.columns]))
    for prediction in predictions:
        lines.writerow(map(spreadsheet_cell, [prediction.file, *prediction.csv_row()]))


def _record(item: Any) -> dict[str, Any]:
    if isinstance(item, FailedFile):
        return item.to_dict()
    return {"file": item.file, "row": item.csv_row(), "record": item.to_dict()}


def _line(record: dict[str, Any]) -> bytes:
    return json.dumps(record).encode() + b"\n"


@dataclass(frozen=True)
class _Earlier:
    """What earlier calls left.

    Attributes:
        predicted: images with a prediction.
        failed: files that could not be read.
        rest: the images that come next.
        again: predictions of `rest` that are there already: of a file of several series, some may be missing.
    """

    predicted: int
    failed: int
    rest: Iterator[Source]
    again: int


def _resume(
    partial: Path, lines: IO[bytes], head: dict[str, Any], images: Iterator[Source],
    on_item: Callable[[FailedFile | None], None],
) -> _Earlier:  # fmt: skip
    """Skip the images that the partial file has."""
    lines.seek(0)
    first = lines.readline()
    if not first.endswith(b"\n"):
        lines.truncate(0)
        lines.write(_line(head))
        return _Earlier(0, 0, images, 0)
    if first != _line(head):
        raise DataError(f"{partial}: begun with another model or other --views; delete it to start again")
    predicted, failed, end = 0, 0, lines.tell()
    source: Source | None = None
    series = 0  # read of the file, if it has several
    for line in lines:
        if not line.endswith(b"\n"):
            break
        record = json.loads(line)
        name, error = record["file"], record.get("error")
        if series and name == f"{source}:{series}":
            series += 1
        else:
            source = next(images, None)
            series = int(name == f"{source}:0")
            if source is None or name not in (str(source), f"{source}:0"):
                now = "no more files" if source is None else printable(str(source))
                raise DataError(
                    f"{partial}: begun with other files ({printable(name)}, now {now}); delete it to start again"
                )
        on_item(None if error is None else FailedFile(name, error))
        predicted, failed, end = predicted + (error is None), failed + (error is not None), end + len(line)
    lines.truncate(end)
    lines.seek(end)
    rest = chain([source], images) if source is not None and series else images
    return _Earlier(predicted, failed, rest, series)


def _records(partial: Path) -> Iterator[dict[str, Any]]:
    with partial.open("rb") as lines:
        next(lines)
        yield from map(json.loads, lines)


def _write_csv(predictor: FilePredictor, partial: Path, path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        table = csv.writer(file)
        table.writerow(map(spreadsheet_cell, ["file", *predictor.task.columns]))
        for record in _records(partial):
            if "row" in record:
                table.writerow(map(spreadsheet_cell, [record["file"], *record["row"]]))


def _write_json_lines(_predictor: FilePredictor, partial: Path, path: Path) -> None:
    with path.open("wb") as file:
        for record in _records(partial):
            file.write(_line(record.get("record", record)))


def _write_parquet(predictor: FilePredictor, partial: Path, path: Path) -> None:
    with extra("parquet", "predict --out"):
        import pyarrow as pa
        from pyarrow import parquet
    first: list[Any] = next((record["row"] for record in _records(partial) if "row" in record), [])
    cells = [pa.string() if isinstance(cell, str) else pa.float64() for cell in first]
    columns = _unique(["file", *(predictor.task.columns if first else []), "error"])
    schema = pa.schema(list(zip(columns, [pa.string(), *cells, pa.string()], strict=True)))
    none = [None] * len(cells)
    records = _records(partial)
    with parquet.ParquetWriter(path, schema) as writer:
        while group := list(islice(records, ROWS)):
            rows = [[printable(one["file"]), *one.get("row", none), one.get("error")] for one in group]
            arrays = [
                pa.array(list(column), kind) for column, kind in zip(zip(*rows, strict=True), schema.types, strict=True)
            ]
            writer.write_batch(pa.record_batch(arrays, schema=schema))


def _unique(names: list[str]) -> list[str]:
    """Names with an underscore after one that is taken: a class may be called file."""
    found: list[str] = []
    for name in names:
        while name in found:
            name += "_"
        found.append(name)
    return found


WRITERS: dict[str, Callable[[FilePredictor, Path, Path], None]] = {
    ".csv": _write_csv, ".jsonl": _write_json_lines, ".parquet": _write_parquet,
}  # fmt: skip
"""By the ending of the file."""
