"""Events as lines of plain text, for logs, pipes and notebooks."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from convscope.datasets import Skipped
from convscope.durations import format_seconds
from convscope.reports.report import data_rows, overfitting_sentence
from convscope.runs.events import DataLoaded, Event, PlanReady, PretrainedLoaded, TrainingFinished
from convscope.tasks import TASKS
from convscope.training import Epoch, Note, Step

NO_REPORT = "not written; pip install 'convscope[report]', then: convscope report {run}"
NAMED = 5  # files per reason; data.json lists all
SHOWN = {name for task in TASKS.values() for name in task.shown}  # of the scores; the others are in events.jsonl


def as_lines(event: Event) -> list[str]:
    """Format an event as lines of text; none for a single step."""
    match event:
        case DataLoaded():
            return [f"{name}: {value}" for name, value in dataset_rows(event)]
        case PretrainedLoaded():
            return pretrained_lines(event)
        case PlanReady():
            return [f"{name}: {value}" for name, value in plan_rows(event)]
        case Epoch():
            return [epoch_line(event)]
        case Note():
            return [event.text]
        case TrainingFinished():
            return finished_lines(event)
        case Step():
            return []


def dataset_rows(event: DataLoaded) -> list[tuple[str, str]]:
    """Return the rows of the dataset table, with skipped files and notes."""
    summary = event.summary
    rows = data_rows(asdict(summary))
    rows += [("skipped", sentence) for sentence in skipped_sentences(event.skipped)]
    rows += [("pixels", event.store_location)]
    return rows + [("note", note) for note in summary.notes]


def skipped_sentences(skipped: Iterable[Skipped]) -> list[str]:
    """Return one sentence per reason, with the names of at most `NAMED` files."""
    names: dict[str, list[str]] = {}
    for one in skipped:
        names.setdefault(one.why, []).append(one.name)
    return [
        f"{', '.join(files[:NAMED])}{f' and {len(files) - NAMED:,} more' if len(files) > NAMED else ''}: {why}"
        for why, files in names.items()
    ]


def counted(number: int, what: str) -> str:
    """Format a count with its noun, in the plural where needed.

    >>> counted(1, "epoch"), counted(2000, "file")
    ('1 epoch', '2,000 files')
    """
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def plan_rows(event: PlanReady) -> list[tuple[str, str]]:
    """Return the rows of the training plan."""
    recipe = event.recipe
    steps = counted(event.steps_per_epoch, "step")
    duration = f"{counted(recipe.train.epochs, 'epoch')} of {steps}"
    if recipe.train.budget:
        duration = f"{format_seconds(recipe.train.budget)} in total, epochs of {steps}"
    options = "".join(f", {name} {value}" for name, value in recipe.model.options.items())
    flips = ", with left-right flips" if recipe.augment.mirror and recipe.augment.policy != "none" else ""
    rows = [
        ("task", recipe.task),
        ("network", f"{recipe.model.name}{options}: {event.num_parameters:,} parameters"),
        (
            "input size",
            f"{recipe.data.size[0]} x {recipe.data.size[1]}, augmentation {recipe.augment.policy}{flips}",
        ),
        ("training", f"{duration}, batches of {recipe.train.batch}"),
        ("optimiser", f"{recipe.optimiser.name}, learning rate {recipe.optimiser.rate:.3g}, {recipe.schedule.name}"),
        ("run", str(event.run)),
    ]
    if not event.first_epoch:
        return rows
    last = event.first_epoch >= recipe.train.epochs and not recipe.train.budget
    resumed = f"after epoch {event.first_epoch}{', the last one: only the report is rewritten' if last else ''}"
    return [*rows, ("resumed", resumed)]


def pretrained_lines(event: PretrainedLoaded) -> list[str]:
    """Return the source of the weights, the reason for the plan, and the plan as a table."""
    return [
        f"pretrained weights: {event.network} from {event.source} (licence: {event.licence})",
        *(f"note: {note}" for note in event.notes),
        f"plan: {event.why}",
        *aligned([PLAN_HEADINGS, *plan_cells(event)]),
    ]


PLAN_HEADINGS = ("stage", "parameters", "frozen until", "learning rate")


def plan_cells(event: PretrainedLoaded) -> list[tuple[str, ...]]:
    """Return the plan's rows as text."""
    return [
        (
            row.part,
            f"{row.num_parameters:,}",
            "the end" if row.frozen_until is None else f"epoch {row.frozen_until}" if row.frozen_until else "never",
            "" if row.rate is None else f"{row.rate:.3g}",
        )
        for row in event.rows
    ]


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table as lines of plain text; the second column is right-aligned."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  "
        + "  ".join(
            cell.rjust(w) if i == 1 else cell.ljust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def epoch_line(event: Epoch) -> str:
    """Return the losses and scores of one epoch."""
    scores = "  ".join(f"{name} {value:.4f}" for name, value in event.validation.items() if name in SHOWN)
    train, validation = event.train["loss"], event.validation["loss"]
    return (
        f"epoch {event.epoch:3d}  loss {train:.4f} train, {validation:.4f} validation  {scores}  "
        f"lr {event.learning_rate:.2g}  {event.seconds:.1f} s"
    )


def finished_lines(event: TrainingFinished) -> list[str]:
    """Return the result, the location of the report, and the next commands."""
    task = TASKS[event.task]
    return [
        *([overfitting_sentence(event.overfitting)] if event.overfitting else []),
        *([event.tta_note] if event.tta_note else []),
        f"validation {task.primary} {task.format_score(event.scores[task.primary])} (epoch {event.epoch}) "
        f"after {format_seconds(event.seconds)}",
        f"report: {event.report or NO_REPORT.format(run=event.run)}",
        f"next: convscope explore {event.run}   convscope evaluate {event.run} --split test   "
        f"convscope predict {event.run} FILES",
    ]
