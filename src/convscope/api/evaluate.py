"""A network's scores on one of the run's splits; each evaluation on the test split is recorded in the run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import Any

from torch import nn

from convscope.bundle import load_config, with_tta
from convscope.errors import ConfigError, RunError, did_you_mean
from convscope.files import append_line
from convscope.progress import Progress
from convscope.runs.folder import RunFolder
from convscope.runs.loaders import SPLITS, reload
from convscope.runs.predictions import SplitPredictions, predict_split
from convscope.tables import html_table


@dataclass(frozen=True, repr=False)
class Evaluation(Mapping[str, float]):
    """Scores by name, as a mapping: ``evaluation["accuracy"]``.

    Attributes:
        run: the run's folder.
        split: "train", "validation" or "test".
        num_images: how many images were scored.
        epoch: the epoch of the network.
        tta_views: the views that were averaged per image (test-time augmentation).
        scores: the task's scores; shares are in [0, 1].
        primary: the name of the task's main score.
        interval: the 95 % interval of the main score, where there is one.
        test_evaluations: on "test", how many times the run was evaluated on it so far; else 0. Only the first is an
            unbiased estimate for new images.
    """

    run: Path
    split: str
    num_images: int
    epoch: int
    tta_views: str
    scores: dict[str, float]
    primary: str
    interval: tuple[float, float] | None = None
    test_evaluations: int = 0

    def __getitem__(self, name: str) -> float:
        """A score by its name."""
        if name not in self.scores:
            raise KeyError(f"no score {name}{did_you_mean(name, self.scores)}")
        return self.scores[name]

    def __iter__(self) -> Iterator[str]:
        """The names of the scores."""
        return iter(self.scores)

    def __len__(self) -> int:
        """The number of scores."""
        return len(self.scores)

    def to_dict(self) -> dict[str, Any]:
        """The evaluation as one flat JSON object."""
        record: dict[str, Any] = {
            "split": self.split, "images": self.num_images, "epoch": self.epoch, "tta_views": self.tta_views,
            **self.scores,
        }  # fmt: skip
        if self.interval:
            record["interval"] = list(self.interval)
        if self.test_evaluations:
            record["test_evaluations"] = self.test_evaluations
        return record

    def rows(self) -> list[tuple[str, str]]:
        """Names and formatted values."""
        record = self.to_dict()
        interval = record.pop("interval", None)
        rows = [(name, f"{value:.4f}" if isinstance(value, float) else str(value)) for name, value in record.items()]
        if interval:
            rows.append((f"{self.primary}, 95 % interval", f"{interval[0]:.4f} to {interval[1]:.4f}"))
        return rows

    def __repr__(self) -> str:
        """The split and the scores."""
        within = f" ({self.interval[0]:.4f} to {self.interval[1]:.4f})" if self.interval else ""
        scores = ", ".join(
            f"{name}={value:.4f}{within if name == self.primary else ''}" for name, value in self.scores.items()
        )
        return f"Evaluation({self.split}, {self.num_images:,} images, epoch {self.epoch}: {scores})"

    def _repr_html_(self) -> str:
        return html_table(("score", "value"), self.rows())


def evaluate(
    run: str | PathLike[str],
    split: str = "validation",
    *,
    tta_views: str | None = None,
    on_progress: Progress | None = None,
) -> Evaluation:
    """Evaluate a run's network on its "train", "validation" or "test" images.

    An evaluation on "test" is recorded in the run. The report is not updated; call `report` for that.

    Args:
        run: its folder.
        split: which of its splits.
        tta_views: how many views of each image are averaged, one of `bundle.TTA_VIEWS`; None: as training chose.
        on_progress: called with (images decoded, number of images).

    Raises:
        ConfigError: no such split or views.
        RunError: there is no such run, it has no network yet, or its split is empty.
    """
    if split not in SPLITS:
        raise ConfigError(f"split {split}: no such split{did_you_mean(split, SPLITS)}")
    folder = RunFolder.open(Path(run))
    folder.trained_model()
    if not folder.data()["splits"][split]:
        raise RunError(
            f"{folder.path}: its {split} split is empty; train again with more images or a larger data.{split}"
        )
    config = load_config(folder.model)
    network = with_tta(nn.Identity(), config, tta_views)
    prepared = reload(folder, (split,), on_progress, network.input_size)
    predictions = predict_split(folder, prepared, split, network.tta_views)
    scores, interval = scores_of(predictions)
    found = Evaluation(
        folder.path,
        split,
        len(predictions.names),
        config.epoch,
        network.tta_views,
        scores,
        predictions.task.primary,
        interval,
    )
    return recorded(folder, found) if split == "test" else found


def recorded(folder: RunFolder, evaluation: Evaluation) -> Evaluation:
    """Record an evaluation on the test split in the run; return it with the number of evaluations so far."""
    append_line(folder.test_evaluations_file, {"when": f"{datetime.now():%Y-%m-%d %H:%M:%S}", **evaluation.to_dict()})
    return replace(evaluation, test_evaluations=len(folder.test_evaluations()))


def scores_of(predictions: SplitPredictions) -> tuple[dict[str, float], tuple[float, float] | None]:
    """Return the task's scores, and the 95 % interval of the main score, where there is one."""
    interval = predictions.task.interval(predictions.meter)
    return dict(predictions.meter.scores()), None if interval is None else (interval.low, interval.high)


def scores(predictions: SplitPredictions) -> dict[str, Any]:
    """Return the task's scores, with "interval", that of the main score, where there is one."""
    values, interval = scores_of(predictions)
    return values if interval is None else {**values, "interval": list(interval)}
