"""Events of a training, in order; the consumer decides how to show or store them.

`Step`, `Epoch` and `Note` come from the training loop; the events here precede and follow it.
"""

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from convscope.datasets import Skipped, Summary
from convscope.files import to_plain
from convscope.runs.recipe import Recipe
from convscope.tasks import DEFAULT_TASK
from convscope.training import Epoch, Note, Step


@dataclass(frozen=True)
class DataLoaded:
    """The data are decoded: their summary, the skipped files, and where the decoded pixels are stored and why."""

    summary: Summary
    skipped: tuple[Skipped, ...]
    store_location: str


@dataclass(frozen=True)
class PlanRow:
    """A part of a pretrained network: the epoch until which it is frozen (None: to the end) and its learning rate."""

    part: str
    num_parameters: int
    frozen_until: int | None
    rate: float | None


@dataclass(frozen=True)
class PretrainedLoaded:
    """The pretrained weights are loaded: their source, notes on them, and the fine-tuning plan with its reason."""

    network: str
    source: str
    licence: str
    why: str
    rows: tuple[PlanRow, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlanReady:
    """The settings are resolved and training starts; `first_epoch` is not 0 in a resumed run."""

    recipe: Recipe
    run: Path
    num_parameters: int
    steps_per_epoch: int
    first_epoch: int


@dataclass(frozen=True)
class TrainingFinished:
    """The run is complete: the validation scores of the network in ``model/`` and its epoch.

    `report` is None where the packages that render it are not installed.

    `overfitting` is the epoch from which the network overfits, or None; `tta_note` is a sentence about test-time
    augmentation, "" where it is not used.
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
    """Return an event as a JSON object; its key ``event`` names the type."""
    record = {"event": re.sub(r"(?<!^)(?=[A-Z])", "_", type(event).__name__).lower(), **asdict(event)}
    if isinstance(event, PlanReady):
        record["recipe"] = event.recipe.model_dump(mode="json")
    return {name: to_plain(value) for name, value in record.items()}
