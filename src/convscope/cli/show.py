"""Output of a running training: tables and bars on a terminal, plain lines or JSON lines elsewhere."""

import json
import sys
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from convscope.api import (
    DataLoaded,
    Epoch,
    Event,
    Note,
    PlanReady,
    PretrainedLoaded,
    ProblemFound,
    RunFolder,
    Step,
    TrainingFinished,
    as_json,
    as_lines,
    class_table,
    data_fields,
    data_lines,
    data_rows,
    log_to_tensorboard,
    plan_rows,
    remark_rows,
)
from convscope.errors import ConfigError
from convscope.printable import printable
from convscope.progress import Progress as OnProgress

BAR_WIDTH = 52  # of name, bar, percentage and time left, with the spaces between them


def show_json(events: Iterable[Event]) -> None:
    """Print one JSON object per event and line."""
    for event in events:
        print(json.dumps(as_json(event)), flush=True)


def show_lines(events: Iterable[Event]) -> None:
    """Print plain lines, none for single steps."""
    for event in events:
        for line in as_lines(event):
            print(line, flush=True)


def watch(
    events: Callable[[OnProgress | None], Generator[Event]], run: Path, as_json_lines: bool, log: str | None
) -> None:
    """Show a training as it runs; when it is interrupted, print how to continue.

    Args:
        events: starts the training with a progress callback for decoding, or None, and returns its events.
        run: the run's folder.
        as_json_lines: print JSON objects instead of text.
        log: None or "tensorboard".
    """
    if log not in (None, "tensorboard"):
        raise ConfigError(f"--log {log}: unknown; choose tensorboard")
    screen = Screen() if sys.stdout.isatty() and not as_json_lines else None
    show = show_json if as_json_lines else screen.show if screen else show_lines
    try:
        with closing(events(screen.on_progress if screen else None)) as stream:
            show(log_to_tensorboard(stream) if log else stream)
    except BaseException as stop:
        if not isinstance(stop, Exception) and RunFolder(run).recipe_file.exists():
            print(
                f"convscope: stopped; at most the current epoch is lost. Continue with: convscope train --resume {run}",
                file=sys.stderr,
            )
        raise


class Screen:
    """Output on a terminal: progress bars for decoding and training, with text above them."""

    def __init__(self) -> None:
        self.console = Console(highlight=False, markup=False, emoji=False)
        self.bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            TextColumn("{task.fields[details]}"),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=self.console,
            transient=True,
        )
        self.decoding = self.bars.add_task("reading images", total=None, visible=False, details="")
        self.training = self.bars.add_task("training", total=None, visible=False, details="")
        self.plan: PlanReady | None = None
        self.scores: list[str] = []
        self.images = 0

    def on_progress(self, done: int, total: int | None) -> None:
        """Update the bar of decoded images."""
        self.bars.update(self.decoding, completed=done, total=total, visible=total is None or done < total)

    def show(self, events: Iterable[Event]) -> None:
        """Show events as they arrive."""
        with self.bars:
            for event in events:
                self._show_event(event)

    def _show_event(self, event: Event) -> None:
        match event:
            case DataLoaded():
                data_tables(self.console, data_fields(event))
            case PretrainedLoaded():
                self._lines(event)
            case PlanReady():
                two_columns(self.console, "Training plan", plan_rows(event))
                self.plan = event
                self.bars.reset(self.training, total=1.0, visible=True)
            case Step():
                self._step(event)
            case TrainingFinished():
                self.bars.update(self.training, visible=False, refresh=True)
                self._lines(event, style="bold")
            case Epoch():
                self.scores = [f"{name} {value:.3f}" for name, value in event.validation.items() if name != "loss"]
                self._lines(event)
            case Note() | ProblemFound():
                self._lines(event, style="yellow")

    def _lines(self, event: Event, style: str | None = None) -> None:
        for line in as_lines(event):
            self.console.print(line, style=style, soft_wrap=True)

    def _step(self, event: Step) -> None:
        assert self.plan is not None  # it comes before the first step
        train, task = self.plan.recipe.train, self.bars.tasks[self.training]
        seconds = task.elapsed or 0.0
        self.images += event.images
        parts = [f"epoch {event.epoch}", *([] if event.loss is None else [f"loss {event.loss:.3f}"]), *self.scores[:1]]
        parts += [f"{self.images / seconds:,.0f} images/s"] if seconds else []
        parts += [f"lr {event.learning_rate:.1e}", *self.scores[1:]]
        done = seconds / train.budget if train.budget else event.step / (train.epochs * self.plan.steps_per_epoch)
        details = fitting(parts, self.console.width - BAR_WIDTH)
        self.bars.update(self.training, completed=min(done, 1.0), details=details)


def fitting(parts: Sequence[str], width: int) -> str:
    """Join the parts that fit in a width, the first ones first: a line that is too long is cut within a number."""
    line = ""
    for part in parts:
        longer = f"{line}  {part}" if line else part
        if len(longer) <= width:
            line = longer
    return line


def show_data(fields: Mapping[str, Any]) -> None:
    """Print the data table: on a terminal with columns, elsewhere as plain lines."""
    if sys.stdout.isatty():
        data_tables(Console(highlight=False, markup=False, emoji=False), fields)
        return
    for line in data_lines(fields):
        print(line)


def data_tables(console: Console, fields: Mapping[str, Any]) -> None:
    """Print the properties of the data, the classes, the skipped files and the notes."""
    two_columns(console, "Dataset", data_rows(fields))
    headings, *rows = class_table(fields)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for index, heading in enumerate(headings):
        table.add_column(heading, justify="right" if index else "left", overflow="fold")
    for row in rows:
        table.add_row(*(row or ("...",)))
    console.print(table)
    if remarks := remark_rows(fields):
        two_columns(console, "", remarks, "yellow")


def two_columns(console: Console, title: str, rows: list[tuple[str, str]], style: str | None = None) -> None:
    """Print names and values."""
    table = Table(title=title or None, title_justify="left", show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold", style=style)
    for name, value in rows:
        table.add_row(name, printable(value))
    console.print(table)
