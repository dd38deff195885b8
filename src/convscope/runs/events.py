"""What a running training says, record by record; whoever listens decides what to do with it.

`Step` and `Epoch` come from the loop itself; the records here stand before and after it.
"""

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from convscope.data import Skipped, Summary
from convscope.files import to_plain
from convscope.runs.recipe import Recipe
from convscope.tasks import DEFAULT_TASK
from convscope.training import Epoch, Note, Step


@dataclass(frozen=True)
class DataLoaded:
    """What the data turned out to be, the files passed over, and where the decoded pixels lie and why."""

    summary: Summary
    skipped: tuple[Skipped, ...]
    store_location: str


@dataclass(frozen=True)
class PlanRow:
    """A part of a network that begins with trained weights: frozen until an epoch (None: to the end), then its rate."""

    part: str
    num_parameters: int
    frozen_until: int | None
    rate: float | None


@dataclass(frozen=True)
class PretrainedLoaded:
    """Whose trained weights the network begins with, what is done with them, part by part, and why."""

    network: str
    source: str
    licence: str
    why: str
    rows: tuple[PlanRow, ...]


@dataclass(frozen=True)
class PlanReady:
    """The resolved settings, just before the first step; `first_epoch` is not 0 in a resumed run."""

    recipe: Recipe
    run: Path
    num_parameters: int
    steps_per_epoch: int
    first_epoch: int


@dataclass(frozen=True)
class TrainingFinished:
    """The run is complete: validation scores of the network in ``model/`` and the epoch that it is from.

    `report` is None where the packages that render it are not installed.

    `overfitting` is the epoch from which the network learns its training images by heart, or None; `tta_note` says how
    often the network looks at an image before it answers, "" where it is once.
    """

    run: Path
    report: Path | None
    scores: dict[str, float]
    epoch: int
    overfitting: int | None
    seconds: float
    task: str = DEFAULT_TASK.name
    tta_note: str = ""


Event = DataLoaded | PretrainedLoaded | PlanReady | Step | Epoch | Note | TrainingFinished


def as_json(event: Event) -> dict[str, Any]:
    """An event as a JSON object whose ``event`` says which."""
    record = {"event": re.sub(r"(?<!^)(?=[A-Z])", "_", type(event).__name__).lower(), **asdict(event)}
    if isinstance(event, PlanReady):
        record["recipe"] = event.recipe.model_dump(mode="json")
    return {name: to_plain(value) for name, value in record.items()}
