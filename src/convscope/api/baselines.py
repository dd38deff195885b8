"""Baselines on the same images, from the majority class to a pretrained encoder: accuracy and training time."""

import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from convscope.api.baseline_sentences import DENSE_HEAD, GAP_HEAD, LOCALITY, MAJORITY, BaselineResult, sentences
from convscope.api.locality import locality_recipes
from convscope.api.plain_baselines import OF_ONE_KIND, PIXELS, check_applies, plain_score, small_inputs
from convscope.bundle import load_config
from convscope.charts import accuracy_against_time
from convscope.datasets import DEFAULT_KIND
from convscope.datasets.inputs.image_input import IMAGE
from convscope.durations import format_seconds, parse_seconds
from convscope.errors import ConfigError, did_you_mean
from convscope.files import atomic_write
from convscope.pipeline import training
from convscope.runs.events import TrainingFinished
from convscope.runs.folder import RunFolder
from convscope.runs.loaders import open_source
from convscope.runs.overrides import nest
from convscope.runs.recipe import SCRATCH, DataSettings
from convscope.tables import html_notes, html_table, text_table

BASELINES: dict[str, dict[str, Any] | None] = {
    MAJORITY: None,
    "pixels": None,
    **dict.fromkeys(OF_ONE_KIND),
    "transfer": {},
    "scratch": {"transfer.checkpoint": SCRATCH},
    "mlp": {"model.name": "mlp", "data.size": PIXELS},
    "small": {"model.name": "lenet"},
    "alexnet": {"model.name": "alexnet"},
    GAP_HEAD: {"transfer.checkpoint": SCRATCH, "model.options.head": "gap"},
    DENSE_HEAD: {
        "transfer.checkpoint": SCRATCH, "model.options.head": "flatten", "model.options.widths": (256,)
    },
    LOCALITY: {},
}  # fmt: skip
"""In the order in which they run: the pretrained recipe sets the time budget of those from scratch.

None: it needs no network. `LOCALITY` trains four."""

HEADINGS = ("recipe", "accuracy", "95 % interval over seeds", "time", "parameters", "seeds")
T95 = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}
"""Student's t at 97.5 % by degrees of freedom; beyond, the normal distribution is used."""


@dataclass(frozen=True)
class BaselineRun:
    """One recipe with one seed: validation accuracy in [0, 1], wall-clock seconds, number of parameters."""

    recipe: str
    seed: int
    accuracy: float
    seconds: float
    num_parameters: int


@dataclass(frozen=True, repr=False)
class Baselines:
    """Recipes trained on the same data.

    Attributes:
        entries: one per recipe and seed, in the order in which they ran.
        chart: the SVG file of accuracy against time.
    """

    entries: tuple[BaselineRun, ...]
    chart: Path

    @classmethod
    def write(cls, out: Path, entries: Sequence[BaselineRun]) -> Self:
        """Write ``compare.json`` and ``compare.svg`` into a folder."""
        return cls(tuple(entries), write_baselines(out, entries))

    @property
    def results(self) -> list[BaselineResult]:
        """The recipes over their seeds, the best first."""
        return rank(self.entries)

    @property
    def sentences(self) -> list[str]:
        """Pretrained against from scratch, networks against none, heads and shuffled positions, where they were run."""
        return sentences(self.results)

    def to_dicts(self) -> list[dict[str, Any]]:
        """One JSON object per recipe and seed."""
        return [asdict(entry) for entry in self.entries]

    def rows(self) -> list[tuple[str, ...]]:
        """The rows of the table with the columns `HEADINGS`."""
        return [
            (
                one.recipe,
                f"{100 * one.accuracy:.1f} %",
                f"+- {100 * one.half_interval:.1f}" if one.seeds > 1 else "",
                format_seconds(one.seconds),
                f"{one.num_parameters:,}" if one.num_parameters else "",
                str(one.seeds),
            )
            for one in self.results
        ]

    def __repr__(self) -> str:
        """A table."""
        return f"Baselines\n{text_table(HEADINGS, self.rows())}"

    def _repr_html_(self) -> str:
        return self.chart.read_text(encoding="utf-8") + html_table(HEADINGS, self.rows()) + html_notes(self.sentences)


def baselines(
    data: str | Path,
    recipes: Sequence[str] = ("majority", "pixels", "small", "scratch"),
    *,
    out: str | Path = "compare",
    checkpoint: str | None = None,
    seeds: int = 1,
    budget: str | None = None,
) -> Baselines:
    """Train several recipes on the same splits, from the plainest to a pretrained encoder, and compare them.

    Args:
        data: images of classes, as for `train`.
        recipes: names in `BASELINES`.
        out: a folder for the runs, ``compare.json`` and ``compare.svg``.
        checkpoint: for "transfer": imagenet, a file or a run, as for ``convscope train --from``.
        seeds: each recipe is repeated with the seeds 0 to seeds - 1.
        budget: like "5m", for each training; by default the time of "transfer".

    Raises:
        ConfigError: no such recipe, or "transfer" without a checkpoint.
    """
    return Baselines.write(
        Path(out), list(run_baselines(str(data), recipes, Path(out), checkpoint, range(seeds), budget))
    )


def run_baselines(
    source: str, recipes: Sequence[str], out: Path, checkpoint: str | None, seeds: Sequence[int], budget: str | None
) -> Iterator[BaselineRun]:
    """Run the recipes in turn and yield the validation result of each.

    All recipes of a seed have the same splits. Without a budget, recipes from scratch get the time that "transfer"
    took; without "transfer", their default.

    Args:
        source: as for ``convscope train``; images of classes.
        recipes: names in `BASELINES`.
        out: a folder for the runs.
        checkpoint: for "transfer", as for ``convscope train --from``.
        seeds: of split, initialisation and order.
        budget: like 5m, for each training.

    Raises:
        ConfigError: no such recipe, or "transfer" without a checkpoint.
    """
    for name in recipes:
        if name not in BASELINES:
            raise ConfigError(f"--recipes {name}: no such recipe{did_you_mean(name, BASELINES)}")
    if "transfer" in recipes and not checkpoint:
        raise ConfigError("--recipes transfer: needs pretrained weights; give them with --from imagenet, FILE or RUN")
    found = open_source(DataSettings(source=source), DEFAULT_KIND)
    for name in recipes:
        check_applies(name, found)
    if LOCALITY in recipes:  # the majority class is one of its rows
        recipes = [name for name in recipes if name != MAJORITY]
    for seed in seeds:
        limit = parse_seconds(budget) if budget else None
        for name in (name for name in BASELINES if name in recipes):
            chosen = BASELINES[name]
            if name == LOCALITY:
                yield from _run_locality(source, out, seed, limit)
                continue
            if chosen is None:
                yield _run_plain(source, name, seed)
                continue
            settings = {**chosen, "seed": seed, "train.budget": limit}
            if found.input_kind != IMAGE:
                settings.pop("data.size", None)
            if name == "transfer":
                settings["transfer.checkpoint"] = checkpoint
            entry = _run_trained(source, name, out / f"{name}-{seed}", nest(settings))
            if name == "transfer" and not budget:
                limit = max(entry.seconds, 15.0)
            yield entry


def _run_plain(source: str, name: str, seed: int) -> BaselineRun:
    started = time.monotonic()
    return BaselineRun(name, seed, plain_score(source, name, seed), time.monotonic() - started, 0)


def _run_locality(source: str, out: Path, seed: int, limit: float | None) -> Iterator[BaselineRun]:
    """Score the majority class, and train both networks on the data as they are, then with shuffled positions."""
    yield _run_plain(source, MAJORITY, seed)
    for name, arrays, settings in locality_recipes(small_inputs(source, seed), out, seed):
        path = out / f"{name.replace(' ', '-')}-{seed}"
        yield _run_trained(arrays, name, path, nest({**settings, "train.budget": limit}))


def _run_trained(source: str, name: str, path: Path, settings: Mapping[str, Any]) -> BaselineRun:
    """Run a recipe that trains a network."""
    last = next(event for event in training(source, path, settings) if isinstance(event, TrainingFinished))
    config = load_config(RunFolder.open(path).model)
    if "accuracy" not in last.scores:
        raise ConfigError(
            f"compare: the task of {source} is {last.task}, but accuracies are compared; give data for classification"
        )
    return BaselineRun(name, int(settings["seed"]), last.scores["accuracy"], last.seconds, config.num_parameters)


def rank(entries: Sequence[BaselineRun]) -> list[BaselineResult]:
    """Aggregate over seeds, with 95 % intervals (Student's t), best first."""
    results = []
    for name in dict.fromkeys(entry.recipe for entry in entries):
        runs = [entry for entry in entries if entry.recipe == name]
        scores = np.array([entry.accuracy for entry in runs])
        count = len(scores)
        half_interval = (
            T95.get(count - 1, 1.96) * float(scores.std(ddof=1)) / math.sqrt(count) if count > 1 else math.nan
        )
        seconds = float(np.mean([entry.seconds for entry in runs]))
        results.append(
            BaselineResult(name, count, float(scores.mean()), half_interval, seconds, runs[0].num_parameters)
        )
    return sorted(results, key=lambda result: -result.accuracy)


def write_baselines(out: Path, entries: Sequence[BaselineRun]) -> Path:
    """Write ``compare.json`` and the chart ``compare.svg``; return the path of the chart."""
    results = rank(entries)
    content = {"entries": [asdict(entry) for entry in entries], "lines": sentences(results)}
    atomic_write(out / "compare.json", json.dumps(content, indent=1).encode())
    points = [
        (s.recipe, s.seconds, s.accuracy, 0.0 if math.isnan(s.half_interval) else s.half_interval) for s in results
    ]
    atomic_write(out / "compare.svg", accuracy_against_time(points).encode())
    return out / "compare.svg"
