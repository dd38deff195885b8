"""Output of a running search: on a terminal a live table and the best score so far, elsewhere lines or JSON lines."""

import json
import sys
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from convscope.api import (
    EventText,
    SearchEvent,
    SearchFinished,
    SearchReady,
    TrialEnded,
    format_seconds,
    of_search,
    search_columns,
    search_event_json,
    trial_cells,
)
from convscope.progress import Progress

SHOWN = 8  # trials in the live table
BARS = "▁▂▃▄▅▆▇█"
CURVE = 48  # characters of the curve of the best score


def watch(events: Callable[[Progress | None], Generator[SearchEvent]], folder: Path, as_json_lines: bool) -> None:
    """Show a search as it runs; when it is interrupted, print how to continue.

    Args:
        events: starts the search with a progress callback for decoding, or None, and returns its events.
        folder: of the search.
        as_json_lines: print JSON objects instead of text.
    """
    show = show_json if as_json_lines else SearchScreen().show if sys.stdout.isatty() else show_lines
    try:
        with closing(events(None)) as stream:
            show(stream)
    except BaseException as stop:
        if not isinstance(stop, Exception) and (folder / "search.jsonl").exists():
            print(
                "convscope: stopped; at most the current epoch is lost. "
                f"Continue with: convscope tune --resume {folder}",
                file=sys.stderr,
            )
        raise


def show_json(events: Iterable[SearchEvent]) -> None:
    """Print one JSON object per event and line; steps and epochs are those of the two trainings in full only."""
    for event in of_search(events):
        print(json.dumps(search_event_json(event)), flush=True)


def show_lines(events: Iterable[SearchEvent]) -> None:
    """Print plain lines, none for single steps."""
    text = EventText()
    for event in events:
        for line in text.lines(event):
            print(line, flush=True)


class SearchScreen:
    """Output on a terminal: a table of the best trials and the best score so far, below the lines that stay."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, markup=False, emoji=False)
        self.text = EventText()
        self.ready: SearchReady | None = None
        self.trials: dict[int, TrialEnded] = {}
        self.curve: list[float] = []
        self.started = time.monotonic()

    def show(self, events: Iterable[SearchEvent]) -> None:
        """Show events as they arrive."""
        with Live(console=self.console, refresh_per_second=4, transient=True, get_renderable=self.render) as live:
            for event in events:
                if isinstance(event, SearchFinished):
                    live.stop()
                self.take(event)

    def take(self, event: SearchEvent) -> None:
        """Add an event to what is shown."""
        lines = self.text.lines(event)
        if isinstance(event, SearchReady):
            self.ready = event
        elif isinstance(event, TrialEnded):
            self.trials[event.number] = event
            self.curve.append(event.best_score)
            return
        for line in lines:
            self.console.print(line, soft_wrap=True)

    def render(self) -> Group:
        """Return the live part: time, curve, and the best trials."""
        if self.ready is None:
            return Group(Text("reading the data"))
        elapsed = format_seconds(time.monotonic() - self.started)
        limit = "" if self.ready.budget is None else f" of {format_seconds(self.ready.budget)}"
        parts: list[Text | Table] = [Text(f"{elapsed}{limit}, {len(self.trials)} networks")]
        if self.curve and not self.text.in_full:
            parts.append(Text(f"best so far  {spark(self.curve)}  {self.text.score(self.curve[-1])}"))
            parts.append(self.table())
        return Group(*parts)

    def table(self) -> Table:
        """Return the best trials."""
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        names = search_columns(self.text.space)
        for name in ("trial", *names, "epochs", "score", "time"):
            table.add_column(name, no_wrap=True)
        for one in sorted(self.trials.values(), key=lambda one: (-one.score, -one.rung, one.number))[:SHOWN]:
            cells = trial_cells(self.text.space, one.values)
            values = [cells.get(name, "") for name in names]
            table.add_row(
                str(one.number), *values, str(one.epochs), self.text.score(one.score), format_seconds(one.seconds)
            )
        return table


def spark(values: list[float]) -> str:
    """Return a curve of characters, the last `CURVE` values.

    >>> spark([0.0, 0.5, 1.0])
    '▁▅█'
    """
    shown = values[-CURVE:]
    low, high = min(shown), max(shown)
    scale = (len(BARS) - 1) / (high - low) if high > low else 0.0
    return "".join(BARS[round((value - low) * scale)] for value in shown)
