"""A network's answers for files, as a table, CSV or JSON lines; files without one go to the error output."""

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from convscope.api import Prediction, Refused, Task
from convscope.cli.show import table_of

Answers = Iterator[Prediction | Refused]


def answered(answers: Answers, refused: list[Refused], pictures: Path | None = None) -> Iterator[Prediction]:
    """The answers alone, what is a picture in them written to a folder; refusals are told at once and gathered."""
    if pictures is not None:
        pictures.mkdir(parents=True, exist_ok=True)
    for answer in answers:
        if isinstance(answer, Refused):
            refused.append(answer)
            print(f"convscope: {answer.file}: {answer.why}", file=sys.stderr)
            continue
        if pictures is not None:
            answer.saved(pictures)
        yield answer


def as_table(task: Task, answers: Iterator[Prediction], top: int) -> None:
    """File, then the answer in the task's words: of classes the `top` likeliest."""
    rows = [[answer.file, *answer.cells(top)] for answer in answers]
    if rows:
        table_of(["file", *task.headings(top)], rows)


def as_csv(task: Task, answers: Iterator[Prediction]) -> None:
    """File, and the task's columns."""
    lines = csv.writer(sys.stdout)
    lines.writerow(["file", *task.columns])
    for answer in answers:
        lines.writerow([answer.file, *answer.row()])


def as_json_lines(answers: Iterator[Prediction]) -> None:
    """One object per file."""
    for answer in answers:
        print(json.dumps(answer.record()), flush=True)
