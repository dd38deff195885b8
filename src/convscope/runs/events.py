"""Events of a training, in order; the consumer decides how to show or store them.

`Step`, `Epoch` and `Note` come from the training loop; the events here precede and follow it.
"""

import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from convscope.datasets import INPUT_KINDS, Skipped, Summary
from convscope.files import to_plain
from convscope.runs.recipe import Recipe
from convscope.tasks import DEFAULT_TASK
from convscope.training import Epoch, LayerReport, Note, Step


@dataclass(frozen=True)
class DataLoaded:
    """The data are read: their summary, the skipped files, and how the network gets them."""

    summary: Summary
    skipped: tuple[Skipped, ...]
    task: str
    seed: int
    """Of the splits that are cut."""
    input_size: tuple[int, ...]
    """(H, W) of the network's input."""
    channels: int
    """Of the network's input."""
    store_location: str | None
    """Where the decoded pixels are stored and why; None if they are not decoded."""


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
class LayersMeasured:
    """Statistics of every layer after an epoch: gradients of its last step, weights, and in some epochs activations.

    `input_mean` and `input_std` are those of the images for which activations were measured; None in other epochs.
    """

    epoch: int
    step: int
    layers: tuple[LayerReport, ...]
    input_mean: float | None = None
    input_std: float | None = None


@dataclass(frozen=True)
class ProblemFound:
    """A check of `convscope.diagnosis` found a problem while the network trains; once per kind."""

    epoch: int
    step: int
    kind: str
    text: str


@dataclass(frozen=True)
class TrainingFailed:
    """Training ended with an error, such as a loss that is not finite."""

    epoch: int
    step: int
    text: str


@dataclass(frozen=True)
class TrainingFinished:
    """The run is complete: the validation scores of the network in ``model/`` and its epoch.

    `report` is None where the packages that render it are not installed.

    `overfitting` is the epoch from which the network overfits, or None; `tta_note` is a sentence about test-time
    augmentation, "" where it is not used. `epoch_precision` is the number format in which epochs were scored; `scores`
    are always computed in float32, as predictions are. `probe` and `neighbours` are the validation scores of a linear
    layer and of the nearest neighbours on the frozen features; None where there are none. `energy` is that of
    ``environment.json``.
    """

    run: Path
    report: Path | None
    scores: dict[str, float]
    epoch: int
    overfitting: int | None
    seconds: float
    task: str = DEFAULT_TASK.name
    tta_note: str = ""
    epoch_precision: str = "float32"
    probe: float | None = None
    neighbours: float | None = None
    energy: dict[str, Any] = field(default_factory=dict)


Event = (
    DataLoaded | PretrainedLoaded | PlanReady | Step | Epoch | Note | LayersMeasured | ProblemFound | TrainingFinished
)


def data_fields(event: DataLoaded) -> dict[str, Any]:
    """Return the summary of the data as plain fields, the same for ``convscope data --json``, events and data.json.

    They are described in docs/reference/data-json.md.
    """
    summary = event.summary
    return {
        "source": summary.source,
        "layout": summary.layout,
        "because": summary.because,
        "task": event.task,
        "target_kind": summary.target_kind,
        "input_kind": summary.input_kind,
        "images": summary.images,
        "classes": _class_fields(summary),
        "imbalance": round(summary.imbalance, 3),
        "splits": {
            **summary.images_per_split,
            "from": "data" if summary.given else "cut",
            "cut": list(summary.cut),
            "seed": event.seed if summary.cut else None,
        },
        "size": {
            side: {"min": spread.least, "median": spread.median, "max": spread.most}
            for side, spread in zip(INPUT_KINDS[summary.input_kind].sides, summary.sides, strict=True)
        },
        "channels": summary.channels,
        "modes": dict(summary.modes),
        "input": {"size": list(event.input_size), "channels": event.channels},
        "pixels": event.store_location,
        "skipped": [{"name": one.name, "why": one.why} for one in event.skipped],
        "notes": list(summary.notes),
    }


def _class_fields(summary: Summary) -> list[dict[str, Any]]:
    """Return one object per class, label or number, with its images in all and by split, and its figures."""
    return [
        {
            "name": name,
            "images": sum(counts[index] for counts in summary.counts.values()),
            **{split: counts[index] for split, counts in summary.counts.items()},
            **{figure: values[index] for figure, values in summary.figures.items()},
        }
        for index, name in enumerate(summary.classes)
    ]


def as_json(event: Event | TrainingFailed) -> dict[str, Any]:
    """Return an event as a JSON object; its key ``event`` names the type."""
    fields = data_fields(event) if isinstance(event, DataLoaded) else asdict(event)
    record = {"event": re.sub(r"(?<!^)(?=[A-Z])", "_", type(event).__name__).lower(), **fields}
    if isinstance(event, PlanReady):
        record["recipe"] = event.recipe.model_dump(mode="json")
    return {name: to_plain(value) for name, value in record.items()}
