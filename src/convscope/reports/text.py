"""Events as lines of plain text, for logs, pipes and notebooks."""

from collections.abc import Sequence

from convscope.durations import format_seconds
from convscope.energy import energy_sentence
from convscope.printable import printable
from convscope.reports.data_table import Fields, class_table, counted, data_rows, remark_rows
from convscope.reports.report import overfitting_sentence
from convscope.runs.events import (
    DataLoaded,
    Event,
    LayersMeasured,
    PlanReady,
    PretrainedLoaded,
    ProblemFound,
    TrainingFinished,
    data_fields,
)
from convscope.tasks import TASKS
from convscope.training import Epoch, Note, Step

NO_REPORT = "not written; pip install 'convscope[report]', then: convscope report {run}"
PRECISION = (
    "Epochs were scored in {}, in which they trained; the final score is computed in float32, as predictions are, and "
    "can differ by a few images."
)
SHOWN = {name for task in TASKS.values() for name in task.shown}  # of the scores; the others are in events.jsonl


def as_lines(event: Event) -> list[str]:
    """Format an event as lines of text, printable; none for a single step."""
    return [printable(line) for line in _lines(event)]


def _lines(event: Event) -> list[str]:
    match event:
        case DataLoaded():
            return data_lines(data_fields(event))
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
        case ProblemFound():
            return [f"problem: {event.text}"]
        case Step() | LayersMeasured():
            return []


def data_lines(fields: Fields) -> list[str]:
    """Return the data table as lines: properties, classes, skipped files and notes."""
    rows = [f"{name}: {value}" for name, value in data_rows(fields)]
    remarks = [f"{name}: {value}" for name, value in remark_rows(fields)]
    return [*rows, *aligned_numbers(class_table(fields)), *remarks]


def aligned_numbers(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table as lines of plain text, the first column left-aligned, the others right-aligned; () is "..."."""
    widths = [max(len(row[column]) for row in rows if row) for column in range(len(rows[0]))]
    return [
        "  "
        + "  ".join(cell.rjust(w) if i else cell.ljust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True)))
        if row
        else "  ..."
        for row in rows
    ]


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
            f"{' x '.join(map(str, recipe.data.size))}, augmentation {recipe.augment.policy}{flips}",
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
        *([PRECISION.format(event.epoch_precision)] if event.epoch_precision != "float32" else []),
        f"validation {task.primary} {task.format_score(event.scores[task.primary])} (epoch {event.epoch}) "
        f"after {format_seconds(event.seconds)}",
        *features_lines(event),
        *([energy_sentence(event.energy)] if event.energy else []),
        f"report: {event.report or NO_REPORT.format(run=event.run)}",
        f"next: convscope explore {event.run}   convscope evaluate {event.run} --split test   "
        f"convscope predict {event.run} FILES",
    ]


def features_lines(event: TrainingFinished) -> list[str]:
    """Compare with simple classifiers on the frozen features, in a sentence; none where there are no features."""
    score = TASKS[event.task].format_score
    known = {"linear probe": event.probe, "nearest neighbours": event.neighbours}
    figures = ", ".join(f"{name} {score(value)}" for name, value in known.items() if value is not None)
    return [f"on the frozen features: {figures}"] if figures else []
