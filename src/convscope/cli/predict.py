"""``convscope predict``"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convscope.cli.options import RuntimeOption, SelfTestOption, ViewsOption, with_options
from convscope.cli.progress import Rate
from convscope.errors import ConfigError
from convscope.printable import printable

if TYPE_CHECKING:
    from convscope.predictions import Prediction
    from convscope.predictions.files import FailedFile
    from convscope.predictions.predictor import FilePredictor

TABLES = (".csv", ".jsonl", ".parquet")
STDIN = "-"


@dataclass(frozen=True)
class PredictOptions:
    """What ``convscope predict`` accepts."""

    run: Annotated[
        Path,
        typer.Argument(help="The folder of a run or of a saved model, or an exported .onnx file.", show_default=False),
    ]
    files: Annotated[
        list[str],
        typer.Argument(
            help="Image files, folders or archives of them, patterns such as 'a/**/*.jpg', or - for names on stdin.",
            show_default=False,
        ),
    ]
    csv: Annotated[
        bool,
        typer.Option("--csv", help="Print CSV: file, then the task's columns; for classes: label, confidence, scores."),
    ] = False
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per file and line.")] = False
    top: Annotated[int, typer.Option(help="Number of classes per file in the table.", min=1)] = 3
    views: ViewsOption = None
    processes: Annotated[int, typer.Option(help="Processes that share the files.", min=1)] = 1
    runtime: RuntimeOption = "auto"
    out: Annotated[
        Path | None,
        typer.Option(
            help="A .csv, .jsonl or .parquet file for any number of predictions, continued if interrupted; or a folder "
            "for predictions that are images: masks as PNG."
        ),
    ] = None
    no_self_test: SelfTestOption = False


@with_options(PredictOptions)
def predict(options: PredictOptions) -> None:
    """Predict image files with a trained network.

    Averaging several views per image may reduce errors, but takes several times as long. It is the default where it
    reduced the validation errors in training. `--views 1` is faster; measure its effect with `convscope evaluate RUN
    --views 1`.

    Unreadable files are reported on stderr and skipped; the exit code is then 1.

    Example: `convscope predict runs/digits-1 new_images --csv > predictions.csv`

    An exported file is predicted by ONNX Runtime alone, also where PyTorch is not installed.

    Example: `convscope predict runs/digits-1 archive.zip --out predictions.parquet`, again after an interruption
    """
    from convscope.cli.printing import print_json_lines, table_of
    from convscope.predictions.sources import count_sources, find_sources, names_of
    from convscope.predictions.table import write_csv

    files, out = options.files, options.out
    if STDIN in files and files != [STDIN]:
        raise ConfigError("predict: - reads the names from stdin; give it alone")
    sources = names_of(sys.stdin) if files == [STDIN] else find_sources(files)
    predictor, rate = _opened(options), Rate()
    if out is not None and out.suffix.lower() in TABLES:
        if options.csv or options.json:
            raise ConfigError(f"--out {out}: the ending chooses the format; remove --csv and --json")
        total = None if files == [STDIN] else count_sources(files)
        raise typer.Exit(1 if _write(predictor, sources, out, options.views, rate.of(total)) else 0)
    failed: list[FailedFile] = []
    predictions = _readable(predictor.stream(sources, options.views, out, rate.add), failed)
    if options.csv:
        write_csv(predictor.task, predictions, sys.stdout)
    elif options.json:
        print_json_lines(prediction.to_dict() for prediction in predictions)
    elif rows := [[prediction.file, *prediction.display(options.top)] for prediction in predictions]:
        table_of(["file", *predictor.task.headings(options.top)], rows)
        print(f"predict: {rate.summary()}", file=sys.stderr)
    if failed:
        raise typer.Exit(1)


def _opened(options: PredictOptions) -> "FilePredictor":
    """The network; an exported file is opened without PyTorch."""
    from convscope.exported import is_exported

    if is_exported(options.run):
        from convscope.exported import ExportedPredictor

        return ExportedPredictor.for_request(options.run, options.processes, options.runtime)
    from convscope.api import open_predictor

    return open_predictor(options.run, options.processes, options.runtime, options.views)


def _write(predictor: "FilePredictor", sources: "Iterator[Any]", out: Path, views: str | None, rate: Rate) -> int:
    """Write a table of predictions; return the number of files that could not be read."""
    from convscope.predictions.table import write_predictions

    with rate:
        written = write_predictions(predictor, sources, out, views, rate.step, rate.add)
    resumed = f", {written.resumed:,} of them before" if written.resumed else ""
    failures = f", {written.failed:,} could not be read" if written.failed else ""
    print(f"{written.path}: {written.predicted:,} predictions{resumed}{failures}")
    if rate.images:
        print(f"predict: {rate.summary()}", file=sys.stderr)
    return written.failed


def _readable(items: "Iterator[Prediction | FailedFile]", failed: "list[FailedFile]") -> "Iterator[Prediction]":
    """Yield the predictions; report failed files and append them to `failed`."""
    from convscope.predictions.files import FailedFile

    for item in items:
        if isinstance(item, FailedFile):
            failed.append(item)
            print(f"convscope: {printable(f'{item.file}: {item.why}')}", file=sys.stderr)
        else:
            yield item
