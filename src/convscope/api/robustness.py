"""Scores of a network under translation, rotation and scaling of its images."""

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
from convscope.runs.batching import batch_settings
from convscope.runs.evaluation import evaluate_batches
from convscope.runs.folder import RunFolder
from convscope.runs.loaders import reload
from convscope.runs.pixel_settings import images_only
from convscope.tables import html_table, text_table

AMOUNTS: dict[str, tuple[float, ...]] = {
    "shift": (0.0, 0.03, 0.06, 0.12, 0.25),
    "rotate": (-90.0, -45.0, -20.0, -10.0, 0.0, 10.0, 20.0, 45.0, 90.0),
    "scale": (0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0),
}
"""Translation to the right as a fraction of the width; rotation in degrees; scale factors."""
UNITS = {"shift": "share of the width", "rotate": "degrees", "scale": "factor"}


@dataclass(frozen=True)
class RobustnessScore:
    """The validation score with one transformation applied to every image."""

    move: str
    amount: float
    score: float


class TransformedInput(nn.Module):
    """A network that receives every image transformed by one (2, 3) matrix; borders are reflected."""

    def __init__(self, model: nn.Module, matrix: Tensor) -> None:
        super().__init__()
        self.model, self.matrix = model, matrix

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.model(warp(x, self.matrix.expand(len(x), 2, 3)))
        return output


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
    """Score the validation images under increasing translation, rotation and scaling, and store the scores in the run.

    Raises:
        ConfigError: the targets change with the image, as masks, boxes and possibly numbers do.
        RunError: there is no such run, or it has no network yet.
    """
    require("report", "robustness")
    folder = RunFolder.open(Path(run))
    folder.trained_model()
    recipe = folder.recipe()
    images_only(folder.data()["preprocessing"]["kind"], "convscope robustness", folder.path)
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
    scores = []
    for move, amounts in AMOUNTS.items():
        for amount in amounts:
            scorer = evaluate_batches(
                TransformedInput(model, matrix_of(move, amount, recipe.data.size[1])), batches, task.meter()
            )
            scores.append(RobustnessScore(move, amount, scorer.scores()[task.primary]))
    atomic_write(folder.robustness_file, json.dumps([asdict(one) for one in scores], indent=1).encode())
    atomic_write(folder.robustness_chart, standalone_svg(chart(scores, task.primary)).encode())
    return Robustness(folder.path, task.primary, tuple(scores), folder.robustness_chart)


def matrix_of(move: str, amount: float, width: int) -> Tensor:
    """Return the (2, 3) matrix from positions in the transformed image to positions in the original.

    Positions are in pixels relative to the centre.
    """
    if move == "shift":
        return torch.tensor([[1.0, 0.0, -amount * width], [0.0, 1.0, 0.0]])
    if move == "scale":
        return torch.tensor([[1 / amount, 0.0, 0.0], [0.0, 1 / amount, 0.0]])
    cos, sin = math.cos(math.radians(amount)), math.sin(math.radians(amount))
    return torch.tensor([[cos, -sin, 0.0], [sin, cos, 0.0]])


def chart(scores: list[RobustnessScore], primary: str) -> str:
    """Draw one curve per transformation, as SVG."""
    by_transformation = {move: [one for one in scores if one.move == move] for move in AMOUNTS}
    return lines(
        {
            f"{move}, {UNITS[move]}": ([one.amount for one in some], [one.score for one in some])
            for move, some in by_transformation.items()
        },
        primary,
    )
