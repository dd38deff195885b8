"""``convscope predict``"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convscope.cli.options import ViewsOption
from convscope.printable import printable

if TYPE_CHECKING:
    from convscope.api import FailedFile, Prediction


def predict(
    run: Annotated[Path, typer.Argument(help="The folder of a run or of a saved model.", show_default=False)],
    files: Annotated[list[Path], typer.Argument(help="Image files, or folders of them.", show_default=False)],
    csv: Annotated[
        bool,
        typer.Option("--csv", help="Print CSV: file, then the task's columns; for classes: label, confidence, scores."),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per file and line.")] = False,
    top: Annotated[int, typer.Option(help="Number of classes per file in the table.", min=1)] = 3,
    views: ViewsOption = None,
    out: Annotated[Path | None, typer.Option(help="Folder for predictions that are images: masks as PNG.")] = None,
) -> None:
    """Predict image files with a trained network.

    Averaging several views per image may reduce errors, but takes several times as long. It is the default where it
    reduced the validation errors in training. `--views 1` is faster; measure its effect with `convscope evaluate RUN
    --views 1`.

    Unreadable files are reported on stderr and skipped; the exit code is then 1.

    Example: `convscope predict runs/digits-1 new_images --csv > predictions.csv`
    """
    from convscope.api import Predictor, write_csv
    from convscope.cli.show import print_json_lines, table_of

    predictor = Predictor.open(run)
    failed: list[FailedFile] = []
    predictions = _readable(predictor.stream(files, views, out), failed)
    if csv:
        write_csv(predictor.task, predictions, sys.stdout)
    elif json:
        print_json_lines(prediction.to_dict() for prediction in predictions)
    elif rows := [[prediction.file, *prediction.display(top)] for prediction in predictions]:
        table_of(["file", *predictor.task.headings(top)], rows)
    if failed:
        raise typer.Exit(1)


def _readable(items: "Iterator[Prediction | FailedFile]", failed: "list[FailedFile]") -> "Iterator[Prediction]":
    """Yield the predictions; report failed files and append them to `failed`."""
    from convscope.api import FailedFile

    for item in items:
        if isinstance(item, FailedFile):
            failed.append(item)
            print(f"convscope: {printable(f'{item.file}: {item.why}')}", file=sys.stderr)
        else:
            yield item
