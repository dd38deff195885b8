"""Several recipes on the same images, from the plainest to a trained encoder: what each reaches, and what it takes."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from convscope.bundle import load_config
from convscope.charts import accuracy_against_time
from convscope.durations import seconds
from convscope.errors import ConfigError, did_you_mean
from convscope.explain import baseline_scores
from convscope.files import write_whole
from convscope.pipeline.train import training
from convscope.runs.events import Finished
from convscope.runs.folder import RunFolder
from convscope.runs.loaders import open_source, prepare
from convscope.runs.overrides import Said, nested, over
from convscope.runs.recipe import DataSettings

PIXELS = (32, 32)  # at which the plain baselines see the images
RECIPES: dict[str, dict[str, Any] | None] = {
    "majority": None,
    "pixels": None,
    "transfer": {},
    "scratch": {},
    "mlp": {"model.name": "mlp", "data.size": PIXELS},
    "small": {"model.name": "lenet"},
    "alexnet": {"model.name": "alexnet"},
}
"""In the order in which they run: what begins with trained weights sets the time of those that begin from scratch."""

T95 = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}
"""Student's t at 97.5 % by degrees of freedom; beyond, the normal distribution's is near enough."""


@dataclass(frozen=True)
class Entry:
    """One recipe with one seed: validation accuracy in [0, 1], wall-clock seconds, weights."""

    recipe: str
    seed: int
    accuracy: float
    seconds: float
    weights: int


@dataclass(frozen=True)
class Standing:
    """A recipe over its seeds: mean validation accuracy, half the width of its 95 % interval (nan with one seed)."""

    recipe: str
    seeds: int
    accuracy: float
    reach: float
    seconds: float
    weights: int


def contest(
    source: str, recipes: Sequence[str], out: Path, weights: str | None, seeds: Sequence[int], budget: str | None
) -> Iterator[Entry]:
    """Run recipes one after the other and yield what each reached on the validation images; runs lie in `out`.

    All recipes of a seed have the same sets. Where no budget is given, recipes from scratch get the time that the one
    with trained weights took, or what they want where there is none.

    Args:
        source: as for ``convscope train``; images of classes.
        recipes: names in `RECIPES`.
        out: a folder for the runs.
        weights: for ``transfer``, as for ``convscope train --from``.
        seeds: of split, first weights and order.
        budget: like 5m, for each training.

    Raises:
        ConfigError: no such recipe, or transfer without weights.
    """
    for name in recipes:
        if name not in RECIPES:
            raise ConfigError(f"--recipes {name}: no such recipe{did_you_mean(name, RECIPES)}")
    if "transfer" in recipes and not weights:
        raise ConfigError("--recipes transfer: needs trained weights; name them with --from imagenet, FILE or RUN")
    for seed in seeds:
        limit = seconds(budget) if budget else None
        for name in (name for name in RECIPES if name in recipes):
            chosen = RECIPES[name]
            if chosen is None:
                yield _plain(source, name, seed)
                continue
            said = {**chosen, "seed": seed, "train.budget": limit}
            if name == "transfer":
                said["transfer.weights"] = weights
            entry = _trained(source, name, out / f"{name}-{seed}", nested(said))
            if name == "transfer" and not budget:
                limit = max(entry.seconds, 15.0)
            yield entry


def _plain(source: str, name: str, seed: int) -> Entry:
    """A baseline that no network is trained for."""
    began = time.monotonic()
    settings = DataSettings(source=source, size=PIXELS)
    prepared = prepare(open_source(settings, "classes"), settings, seed)
    rows = {role: prepared.rows(role) for role in ("train", "validation")}
    pixels = {role: prepared.store.pixels[prepared.place[some]].reshape(len(some), -1) for role, some in rows.items()}
    targets = {role: prepared.dataset.targets[some] for role, some in rows.items()}
    scores = baseline_scores(pixels["train"], targets["train"], pixels["validation"], targets["validation"])
    return Entry(name, seed, scores[name], time.monotonic() - began, 0)


def _trained(source: str, name: str, path: Path, said: Said) -> Entry:
    """A recipe that trains a network."""
    last = next(event for event in training(source, path, over(said, {})) if isinstance(event, Finished))
    config = load_config(RunFolder.open(path).model)
    if "accuracy" not in last.scores:
        raise ConfigError(f"compare: {source} is for {last.task}; accuracies of classes are compared")
    return Entry(name, int(said["seed"]), last.scores["accuracy"], last.seconds, config.weights)


def standings(entries: Sequence[Entry]) -> list[Standing]:
    """Recipes, best first, with their intervals over seeds (Student's t)."""
    found = []
    for name in dict.fromkeys(entry.recipe for entry in entries):
        mine = [entry for entry in entries if entry.recipe == name]
        scores = np.array([entry.accuracy for entry in mine])
        count = len(scores)
        reach = T95.get(count - 1, 1.96) * float(scores.std(ddof=1)) / math.sqrt(count) if count > 1 else math.nan
        took = float(np.mean([entry.seconds for entry in mine]))
        found.append(Standing(name, count, float(scores.mean()), reach, took, mine[0].weights))
    return sorted(found, key=lambda standing: -standing.accuracy)


def versus(found: Sequence[Standing]) -> str:
    """Trained weights against from scratch in the same time, in one line; "" where one of them did not run."""
    by_name: Mapping[str, Standing] = {standing.recipe: standing for standing in found}
    if not {"transfer", "scratch"} <= set(by_name):
        return ""
    ours, theirs = by_name["transfer"], by_name["scratch"]
    return (
        f"with trained weights {100 * ours.accuracy:.1f} % in {ours.seconds:.0f} s, "
        f"from scratch {100 * theirs.accuracy:.1f} % in {theirs.seconds:.0f} s"
    )


def write_contest(out: Path, entries: Sequence[Entry]) -> Path:
    """Write ``compare.json`` and ``compare.svg``, accuracy against time; return the picture's path."""
    import json

    found = standings(entries)
    content = {"entries": [asdict(entry) for entry in entries], "line": versus(found)}
    write_whole(out / "compare.json", json.dumps(content, indent=1).encode())
    points = [(s.recipe, s.seconds, s.accuracy, 0.0 if math.isnan(s.reach) else s.reach) for s in found]
    write_whole(out / "compare.svg", accuracy_against_time(points).encode())
    return out / "compare.svg"
