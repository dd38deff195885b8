"""Several runs side by side: scores, parameters and time, and warnings where they are not comparable."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from convscope.api.evaluate import scores_of
from convscope.bundle import load_config
from convscope.durations import format_seconds
from convscope.energy import two_digits
from convscope.errors import ConfigError
from convscope.runs.folder import RunFolder
from convscope.runs.predictions import load_predictions
from convscope.tables import html_notes, html_table, text_table

HEADINGS = ("run", "network", "accuracy", "95 % interval", "parameters", "epochs", "time", "energy")


@dataclass(frozen=True)
class ComparedRun:
    """One run: validation accuracy in [0, 1] with its 95 % interval, parameters, epochs, wall-clock seconds.

    `energy` is in watt-hours, None where a run has no record of it; `pretrained` says that it started from weights.
    """

    run: str
    network: str
    accuracy: float
    low: float
    high: float
    num_parameters: int
    epochs: int
    seconds: float
    energy: float | None = None
    pretrained: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


@dataclass(frozen=True, repr=False)
class Comparison:
    """Runs side by side.

    Attributes:
        runs: one row per run, the best first.
        warnings: what makes the runs less comparable, in sentences.
    """

    runs: tuple[ComparedRun, ...]
    warnings: tuple[str, ...]

    @property
    def best(self) -> ComparedRun:
        """The run with the highest validation accuracy."""
        return self.runs[0]

    @property
    def saving(self) -> str:
        """The energy of the best run with pretrained weights beside the best from scratch; "" without both."""
        first: dict[bool, ComparedRun] = {}
        for row in self.runs:
            if row.energy:
                first.setdefault(row.pretrained, row)
        if len(first) < 2:
            return ""
        ratio = two_digits((first[True].energy or 0) / (first[False].energy or 1))
        return f"{first[True].run}, from pretrained weights, used {ratio} times the energy of {first[False].run}"

    def rows(self) -> list[tuple[str, ...]]:
        """The rows of the table with the columns `HEADINGS`."""
        return [
            (
                row.run,
                row.network,
                f"{100 * row.accuracy:.2f} %",
                f"{100 * row.low:.1f} to {100 * row.high:.1f} %",
                f"{row.num_parameters:,}",
                str(row.epochs),
                format_seconds(row.seconds),
                "" if row.energy is None else f"{two_digits(row.energy)} Wh",
            )
            for row in self.runs
        ]

    def to_dicts(self) -> list[dict[str, Any]]:
        """One JSON object per run."""
        return [row.to_json() for row in self.runs]

    def __repr__(self) -> str:
        """A table, and the warnings."""
        notes = "".join(f"\n! {warning}" for warning in self.warnings)
        saved = f"\n{self.saving}" if self.saving else ""
        return f"Comparison\n{text_table(HEADINGS, self.rows())}{saved}{notes}"

    def _repr_html_(self) -> str:
        return html_table(HEADINGS, self.rows()) + html_notes([*([self.saving] if self.saving else []), *self.warnings])


def compare(runs: Sequence[str | PathLike[str]]) -> Comparison:
    """Compare runs by validation accuracy, best first, with warnings about comparability.

    The test split is not used: a network selected by its test score would have no unbiased score left.

    Args:
        runs: at least two runs or run folders.

    Raises:
        ConfigError: there are fewer than two, or one is not a classification run.
        RunError: one is not a run, or has no network yet.
    """
    if len(runs) < 2:
        raise ConfigError("compare: needs at least two runs; give their folders")
    folders = [RunFolder.open(Path(run)) for run in runs]
    rows = sorted((_row(folder) for folder in folders), key=lambda row: -row.accuracy)
    return Comparison(tuple(rows), tuple(_comparability_warnings(folders)))


def _row(folder: RunFolder) -> ComparedRun:
    folder.trained_model()
    task = folder.recipe().task_class
    if not task.single_class:
        raise ConfigError(
            f"compare: the task of {folder.path} is {task.name}, but accuracies are compared; give classification runs"
        )
    config = load_config(folder.model)
    found, interval = scores_of(load_predictions(folder, "validation", config.tta_views))
    assert interval is not None  # a classification has one
    low, high = interval
    return ComparedRun(
        run=str(folder.path),
        network=config.architecture.name,
        accuracy=found["accuracy"],
        low=low,
        high=high,
        num_parameters=config.num_parameters,
        epochs=len(folder.events("epoch")),
        seconds=folder.environment()["seconds"],
        energy=(folder.environment().get("energy") or {}).get("wh"),
        pretrained=bool(folder.recipe().transfer.checkpoint),
    )


def _comparability_warnings(folders: Sequence[RunFolder]) -> list[str]:
    """Return sentences on differences that make runs less comparable."""
    first, *others = folders
    images = {folder.path: folder.data()["splits"]["validation"] for folder in folders}
    return [
        f"{other.path} and {first.path} have different validation images, which alone changes the accuracy; "
        "train with the same data and seed"
        for other in others
        if images[other.path] != images[first.path]
    ]
