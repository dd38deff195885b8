"""The entry point: registers the commands and handles errors.

Each command is in its own module and imports its dependencies when called, so ``--help`` does not import PyTorch.
"""

import signal
import sys
from io import TextIOWrapper
from types import FrameType

import typer

from convscope.cli import (
    arithmetic,
    augment,
    compare,
    convolve,
    crop,
    data,
    diagnose,
    doctor,
    evaluate,
    explain,
    explore,
    export,
    features,
    inspect,
    learn,
    predict,
    report,
    robustness,
    serve,
    train,
    tune,
)
from convscope.errors import ConvscopeError
from convscope.printable import printable

app = typer.Typer(
    name="convscope",
    help="From a folder of images to a convolutional network that you understand and can ship.\n\n"
    "Start with: convscope train digits\n\n"
    "Then: `convscope explore runs/digits-1`. Options of a command: `convscope train --help`",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
COMMANDS = (
    data.data,
    train.train,
    tune.tune,
    evaluate.evaluate,
    predict.predict,
    diagnose.diagnose,
    report.report,
    compare.compare,
    features.features,
    inspect.inspect,
    convolve.convolve,
    augment.augment,
    crop.crop,
    robustness.robustness,
    explore.explore,
    export.export,
    serve.serve,
    learn.learn,
    doctor.doctor,
)
for command in COMMANDS:
    app.command()(command)
app.add_typer(explain.app, name="explain")
app.add_typer(arithmetic.app, name="arithmetic")


class Terminated(BaseException):
    """Raised on SIGTERM, so that files are closed and threads end."""


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise Terminated


def _keep_names_that_are_not_utf8() -> None:
    """Let CSV on stdout contain the bytes of such names; all other output is `printable`."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")


def main() -> None:
    """Run the command line; a `ConvscopeError` is printed as one line, with exit code 2."""
    signal.signal(signal.SIGTERM, _terminate)
    _keep_names_that_are_not_utf8()
    try:
        app()
    except ConvscopeError as error:
        print(f"convscope: {printable(str(error))}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except Terminated:
        sys.exit(143)
