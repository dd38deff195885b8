"""A network's answers for files, as a table, CSV or JSON lines; files without one go to the error output."""

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from convscope.api import FailedFile, Prediction, Task
from convscope.cli.show import table_of

Predictions = Iterator[Prediction | FailedFile]


def readable_predictions(
    predictions: Predictions, failed: list[FailedFile], pictures: Path | None = None
) -> Iterator[Prediction]:
    """The answers alone, what is a picture in them written to a folder; refusals are told at once and gathered."""
    if pictures is not None:
        pictures.mkdir(parents=True, exist_ok=True)
    for answer in predictions:
        if isinstance(answer, FailedFile):
            failed.append(answer)
            print(f"convscope: {answer.file}: {answer.why}", file=sys.stderr)
            continue
        if pictures is not None:
            answer.save_files(pictures)
        yield answer


def as_table(task: Task, predictions: Iterator[Prediction], top: int) -> None:
    """File, then the answer in the task's words: of classes the `top` likeliest."""
    rows = [[answer.file, *answer.display(top)] for answer in predictions]
    if rows:
        table_of(["file", *task.headings(top)], rows)


def as_csv(task: Task, predictions: Iterator[Prediction]) -> None:
    """File, and the task's columns."""
    lines = csv.writer(sys.stdout)
    lines.writerow(["file", *task.columns])
    for answer in predictions:
        lines.writerow([answer.file, *answer.csv_row()])


def as_json_lines(predictions: Iterator[Prediction]) -> None:
    """One object per file."""
    for answer in predictions:
        print(json.dumps(answer.to_dict()), flush=True)
