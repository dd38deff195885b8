"""How a network's score drops as its images are translated, rotated and scaled."""

import json
import math
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from convscope.bundle import load_bundle
from convscope.charts import lines, standalone_svg
from convscope.datasets import TARGET_KINDS
from convscope.datasets.augment.geometric import warp
from convscope.devices import inference_device, use_cores
from convscope.errors import ConfigError
from convscope.extras import require
from convscope.files import atomic_write
from convscope.progress import Progress
from convscope.runs.evaluation import evaluate_batches
from convscope.runs.batching import batch_settings
from convscope.runs.folder import RunFolder
from convscope.runs.loaders import reload
from convscope.tables import html_table, text_table

AMOUNTS: dict[str, tuple[float, ...]] = {
    "shift": (0.0, 0.03, 0.06, 0.12, 0.25),
    "rotate": (-90.0, -45.0, -20.0, -10.0, 0.0, 10.0, 20.0, 45.0, 90.0),
    "scale": (0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0),
}
"""To the right, in shares of the width; degrees; factors."""
UNITS = {"shift": "share of the width", "rotate": "degrees", "scale": "factor"}


@dataclass(frozen=True)
class RobustnessScore:
    """The score of the validation images when all are moved alike."""

    move: str
    amount: float
    score: float


class TransformedInput(nn.Module):
    """A network that sees every image moved by one (2, 3) matrix; borders are mirrored."""

    def __init__(self, model: nn.Module, matrix: Tensor) -> None:
        super().__init__()
        self.model, self.matrix = model, matrix

    def forward(self, x: Tensor) -> Tensor:
        answer: Tensor = self.model(warp(x, self.matrix.expand(len(x), 2, 3)))
        return answer


@dataclass(frozen=True, repr=False)
class Robustness:
    """The scores of transformed validation images.

    Attributes:
        run: the run's folder.
        primary: the name of the score.
        scores: one per kind and amount of transformation.
        chart: the SVG file with a curve per kind.
    """

    run: Path
    primary: str
    scores: tuple[RobustnessScore, ...]
    chart: Path

    def to_dicts(self) -> list[dict[str, Any]]:
        """One JSON object per score."""
        return [asdict(one) for one in self.scores]

    def rows(self) -> list[tuple[str, str, str]]:
        """Transformation, amount, and score."""
        return [(one.move, f"{one.amount:g}", f"{one.score:.4f}") for one in self.scores]

    def headings(self) -> tuple[str, str, str]:
        """The names of the columns."""
        return ("transformation", "amount", self.primary)

    def __repr__(self) -> str:
        """A table."""
        return f"Robustness({str(self.run)!r})\n{text_table(self.headings(), self.rows())}"

    def _repr_html_(self) -> str:
        return self.chart.read_text(encoding="utf-8") + html_table(self.headings(), self.rows())


def robustness(run: str | PathLike[str], *, on_progress: Progress | None = None) -> Robustness:
    """Scores of the validation images under growing translation, rotation and scaling; written into the run too.

    Raises:
        ConfigError: the answer moves with the image, as masks and boxes do, or may change, as numbers may.
        RunError: when there is no such run, or it has no network yet.
    """
    require("report", "robustness")
    folder = RunFolder.open(Path(run))
    folder.trained_model()
    recipe = folder.recipe()
    if not TARGET_KINDS[recipe.task_class.target_kind].invariant:
        raise ConfigError(
            f"robustness: the task of {folder.path} is {recipe.task}, whose targets change with the image; "
            "give a run of classify or multilabel"
        )
    use_cores(recipe.train.threads or None)
    device = inference_device(recipe.train.device)
    prepared = reload(folder, ("validation",), on_progress)
    batches = prepared.batches("validation", batch_settings(prepared, recipe, device, training=False))
    model, config = load_bundle(folder.model, device)
    task = config.build_task()
    found = []
    for move, amounts in AMOUNTS.items():
        for amount in amounts:
            scorer = evaluate_batches(
                TransformedInput(model, matrix_of(move, amount, recipe.data.size[1])), batches, task.meter()
            )
            found.append(RobustnessScore(move, amount, scorer.scores()[task.primary]))
    atomic_write(folder.robustness_file, json.dumps([asdict(one) for one in found], indent=1).encode())
    atomic_write(folder.robustness_chart, standalone_svg(chart(found, task.primary)).encode())
    return Robustness(folder.path, task.primary, tuple(found), folder.robustness_chart)


def matrix_of(move: str, amount: float, width: int) -> Tensor:
    """(2, 3): from a place in the moved image to the place in the image that it shows, in pixels from the middle."""
    if move == "shift":
        return torch.tensor([[1.0, 0.0, -amount * width], [0.0, 1.0, 0.0]])
    if move == "scale":
        return torch.tensor([[1 / amount, 0.0, 0.0], [0.0, 1 / amount, 0.0]])
    cos, sin = math.cos(math.radians(amount)), math.sin(math.radians(amount))
    return torch.tensor([[cos, -sin, 0.0], [sin, cos, 0.0]])


def chart(found: list[RobustnessScore], primary: str) -> str:
    """A curve for each kind of move, as SVG."""
    of_each = {move: [one for one in found if one.move == move] for move in AMOUNTS}
    return lines(
        {
            f"{move}, {UNITS[move]}": ([one.amount for one in some], [one.score for one in some])
            for move, some in of_each.items()
        },
        primary,
    )
