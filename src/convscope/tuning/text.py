"""Events of a search as lines of text."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from convscope.durations import format_seconds
from convscope.files import to_plain
from convscope.reports.text import as_lines as training_lines
from convscope.runs.events import DataLoaded, PlanReady
from convscope.runs.events import as_json as training_json
from convscope.tables import text_table
from convscope.tasks import Task
from convscope.training import Epoch
from convscope.tuning.events import (
    NetworkRefused,
    SearchEvent,
    SearchFinished,
    SearchReady,
    TrainingStarted,
    TrialEnded,
    TrialStarted,
    TrialStopped,
)
from convscope.tuning.folder import DEFAULT, SearchFolder
from convscope.tuning.parameter import Parameter
from convscope.tuning.space import Space
from convscope.tuning.summary import SearchSummary, cells_of

OWN = (SearchReady, TrialStarted, TrialEnded, TrialStopped, NetworkRefused, TrainingStarted, SearchFinished)


class EventText:
    """Turns the events of one search into text; trials are described by the parameters of `SearchReady`."""

    def __init__(self) -> None:
        self.space = Space(())
        self.task: type[Task] | None = None
        self.in_full = False

    def lines(self, event: SearchEvent) -> list[str]:
        """Return the lines for an event, none for single steps and for epochs of trials."""
        match event:
            case SearchReady():
                self.space, self.task = Space(event.parameters), event.task
                return ready_lines(event)
            case TrialEnded():
                return [self.trial_line(event)]
            case TrialStopped():
                return [f"trial {event.number}: stopped; {event.reason}"]
            case TrainingStarted():
                self.in_full = True
                return [self.training_line(event)]
            case SearchFinished():
                return finished_lines(event)
            case TrialStarted() | NetworkRefused() | DataLoaded() | PlanReady() | Epoch():
                return []
        return training_lines(event) if self.in_full else []

    def trial_line(self, event: TrialEnded) -> str:
        """Return the line of a trial at the end of a rung."""
        cells = cells_of(self.space, event.values)
        values = ", ".join(f"{name} {value}" for name, value in cells.items())
        epochs = f"{event.epochs} epoch{'s' if event.epochs > 1 else ''}"
        best = (
            "best so far" if event.best == event.number else f"best: trial {event.best}, {self.score(event.best_score)}"
        )
        return f"trial {event.number}: {self.score(event.score)} after {epochs} ({values}); {best}"

    def training_line(self, event: TrainingStarted) -> str:
        """Return the line of a training in full."""
        what = "the default recipe" if event.what == DEFAULT else f"the winner, trial {event.number},"
        return f"training {what} in full: {event.folder}"

    def score(self, score: float) -> str:
        """Return a score as text."""
        return self.task.format_score(score) if self.task else f"{score:.4f}"


def of_search(events: Iterable[SearchEvent]) -> Iterator[SearchEvent]:
    """Return the events without the steps and epochs of trials."""
    in_full = False
    for event in events:
        in_full = in_full or isinstance(event, TrainingStarted)
        if in_full or isinstance(event, OWN):
            yield event


def ready_lines(event: SearchReady) -> list[str]:
    """Return the data, the limits and the space."""
    limits = [] if event.budget is None else [f"{format_seconds(event.budget)} in all"]
    limits += [] if event.search_seconds is None else [f"trials for {format_seconds(event.search_seconds)}"]
    limits += [] if event.trials is None else [f"at most {event.trials} trials"]
    rungs = " and ".join(map(str, event.rungs.epochs[:-1]))
    share = f", on {100 * event.rungs.share:.0f} % of the training images" if event.rungs.share < 1 else ""
    lines = [
        f"search: {event.source}, {event.images:,} images; {', '.join(limits)}",
        f"rungs: the best third goes on after {rungs} of {event.rungs.epochs[-1]} epochs{share}",
        *(f"  {name}: {values}" for name, values in space_rows(event.parameters)),
    ]
    if event.removed:
        lines.append(f"the log ended with {event.removed} bytes of an incomplete line, which were removed")
    if event.resumed:
        lines.append(f"continuing with {event.resumed} trials of earlier sessions")
    return lines


def space_rows(parameters: Sequence[Parameter]) -> list[tuple[str, str]]:
    """Return the name and range of each parameter."""
    return [(one.title, one.values if one.kind == "choice" else _range(one)) for one in parameters]


def _range(one: Parameter) -> str:
    return f"{one.values.replace(':', ' to ')}{' (log)' if one.log else ''}"


def finished_lines(event: SearchFinished) -> list[str]:
    """Return the table of the best networks, and what the search found."""
    summary = SearchSummary.read(SearchFolder(event.folder))
    report = [f"report: {event.report}"] if event.report else []
    table = text_table(summary.headings(), summary.rows()).splitlines()
    return ["", *table, "", *summary.sentences(), *report, f"total time: {format_seconds(event.seconds)}"]


def as_json(event: SearchEvent) -> dict[str, Any]:
    """Return an event as a JSON object; its key ``event`` names the type."""
    if not isinstance(event, OWN):
        return training_json(event)
    fields = asdict(event)
    if isinstance(event, SearchReady):
        fields["task"] = event.task.name
    name = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in type(event).__name__)
    return {"event": name.lstrip("_"), **to_plain(fields)}
