"""Several runs side by side: scores, weights and time, and whether they may be compared at all."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from convscope.api.evaluate import scores
from convscope.bundle import load_config
from convscope.errors import ConfigError
from convscope.runs.folder import RunFolder
from convscope.runs.predictions import load_predictions


@dataclass(frozen=True)
class ComparedRun:
    """One run's row: validation accuracy in [0, 1] with its 95 % interval, weights, epochs, wall-clock seconds."""

    run: str
    network: str
    accuracy: float
    low: float
    high: float
    num_parameters: int
    epochs: int
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


def compare(runs: Sequence[str | Path]) -> tuple[list[ComparedRun], tuple[str, ...]]:
    """Rows of the runs, best first, and what stands against comparing them.

    The scores are those of the validation images: comparing by the test set would choose by it.

    Args:
        runs: two run folders or more.

    Raises:
        ConfigError: when there are fewer than two.
        RunError: when one is no run, or has no network yet.
    """
    if len(runs) < 2:
        raise ConfigError("compare: takes two runs or more; name their folders")
    folders = [RunFolder.open(Path(run)) for run in runs]
    rows = sorted((_row(folder) for folder in folders), key=lambda row: -row.accuracy)
    return rows, tuple(_comparability_warnings(folders))


def _row(folder: RunFolder) -> ComparedRun:
    folder.trained_model()
    task = folder.recipe().task_class
    if not task.single_class:
        raise ConfigError(f"compare: {folder.path} is of the task {task.name}; accuracies of classes are compared")
    config = load_config(folder.model)
    found = scores(load_predictions(folder, "validation", config.tta_views))
    low, high = found["interval"]
    return ComparedRun(
        run=str(folder.path),
        network=config.architecture.name,
        accuracy=found["accuracy"],
        low=low,
        high=high,
        num_parameters=config.num_parameters,
        epochs=len(folder.events("epoch")),
        seconds=folder.environment()["seconds"],
    )


def _comparability_warnings(folders: Sequence[RunFolder]) -> list[str]:
    """Sentences on what differs between the runs that should not."""
    first, *others = folders
    images = {folder.path: folder.data()["splits"]["validation"] for folder in folders}
    return [
        f"{other.path} was validated on other images than {first.path}: their accuracies differ by chance too; "
        "train with the same data and seed"
        for other in others
        if images[other.path] != images[first.path]
    ]
