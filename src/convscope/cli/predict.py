"""``convscope predict``"""

from pathlib import Path
from typing import Annotated

import typer

from convscope.cli.options import ViewsOption


def predict(
    run: Annotated[Path, typer.Argument(help="A run's folder, or a saved model's.", show_default=False)],
    files: Annotated[list[Path], typer.Argument(help="Image files, or folders of them.", show_default=False)],
    csv: Annotated[
        bool,
        typer.Option("--csv", help="Print CSV: file, then what the task gives; of classes label, confidence, each."),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per file and line.")] = False,
    top: Annotated[int, typer.Option(help="How many classes the table shows per file.", min=1)] = 3,
    views: ViewsOption = None,
    out: Annotated[Path | None, typer.Option(help="A folder for answers that are pictures: masks as PNG.")] = None,
) -> None:
    """Answer for image files with a trained network.

    Several looks at each image may make fewer mistakes, and take several times as long. Where training found that
    they do, they are what you get; `--views 1` is faster, and `convscope evaluate RUN --views 1` says what it costs.

    Files that cannot be read are named on the error output and the others are answered; the exit code is then 1.
    """
    from convscope.api import FailedFile, task_of
    from convscope.api import predict as answers_for
    from convscope.cli.predictions import as_csv, as_json_lines, as_table, readable_predictions

    _, predictions = answers_for(run, files, views)
    failed: list[FailedFile] = []
    sound = readable_predictions(predictions, failed, out)
    if csv:
        as_csv(task_of(run), sound)
    elif json:
        as_json_lines(sound)
    else:
        as_table(task_of(run), sound, top)
    if failed:
        raise typer.Exit(1)
