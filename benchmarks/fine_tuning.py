r"""Settings of fine-tuning on several data sets cut in several sizes, and the best rule without a set tested on it.

    python benchmarks/fine_tuning.py FOLDER --from WEIGHTS --out lines.jsonl [--sizes 10 40 100] [--seeds 0] \\
        [--workers 1] [--seconds 600] [--device cuda]
    python benchmarks/fine_tuning.py --summarise lines.jsonl

FOLDER has one folder per data set, with a folder per class. Of each class, SIZE images are for training and the others
are scored. All settings start from the same fitted last layer on the same split. One JSON line per run. The summary is
by leave-one-set-out: for each size, the settings with the highest mean gain over the fitted layer on all other sets are
reported on the set that did not take part in the choice.
"""

import argparse
import json
import random
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from convscope.devices import requested_device
from convscope.pipeline.build import build_session
from convscope.pipeline.epochs import run_epochs
from convscope.pipeline.resolve import draft_recipe, resolve_recipe
from convscope.runs.loaders import PreparedData, open_source, prepare
from convscope.runs.overrides import Overrides, lay, nest
from convscope.runs.parse import check_overrides
from convscope.training import Epoch

SCORED = 300  # images at most
CENTRE: dict[str, Any] = {
    "optimiser.learning_rate": 1e-3,
    "transfer.encoder_lr": "0.3x",
    "transfer.layer_lr_decay": 0.8,
    "transfer.unfreeze_every": 0,
    "transfer.update_norms": False,
    "train.epochs": 13,  # the first fits the last layer
}
CHANGES: dict[str, Mapping[str, Any]] = {
    "centre": {},
    "as before": {"transfer.encoder_lr": "0.1x", "transfer.layer_lr_decay": 0.5, "transfer.unfreeze_every": 1,
                  "transfer.update_norms": True, "train.epochs": 11},
    "encoder 0.03x": {"transfer.encoder_lr": "0.03x"},
    "encoder 0.1x": {"transfer.encoder_lr": "0.1x"},
    "encoder 1x": {"transfer.encoder_lr": "1x"},
    "encoder 3x": {"transfer.encoder_lr": "3x"},
    "head 1e-4, encoder 3x": {"optimiser.learning_rate": 1e-4, "transfer.encoder_lr": "3x"},
    "head 1e-4, encoder 10x": {"optimiser.learning_rate": 1e-4, "transfer.encoder_lr": "10x"},
    "decay 0.5": {"transfer.layer_lr_decay": 0.5},
    "decay 1": {"transfer.layer_lr_decay": 1.0},
    "encoder 1x, decay 1": {"transfer.encoder_lr": "1x", "transfer.layer_lr_decay": 1.0},
    "norms updated": {"transfer.update_norms": True},
    "encoder 1x, norms updated": {"transfer.encoder_lr": "1x", "transfer.update_norms": True},
    "one part per epoch": {"transfer.unfreeze_every": 1},
    "last 2 parts": {"transfer.unfreeze_parts": 2},
    "last 4 parts": {"transfer.unfreeze_parts": 4},
    "5 epochs": {"train.epochs": 6},
    "40 epochs": {"train.epochs": 41},
    "40 epochs, encoder 1x": {"train.epochs": 41, "transfer.encoder_lr": "1x"},
    "5 epochs, encoder 1x": {"train.epochs": 6, "transfer.encoder_lr": "1x"},
    "average 0.98": {"train.average": 0.98},
    "encoder 1x, average 0.98": {"train.average": 0.98, "transfer.encoder_lr": "1x"},
}  # fmt: skip
"""Each changes one or two settings of the centre."""


@lru_cache(maxsize=4)
def decoded(source: str, checkpoint: str, device: str) -> tuple[Any, PreparedData]:
    """The draft and the images of a set, at the input size of the weights."""
    settings = {"data.source": source, "transfer.checkpoint": checkpoint, "transfer.unfreeze_at": 2,
                "train.device": device, "train.threads": 1}  # fmt: skip
    overrides = Overrides.of(nest(settings), "benchmark")
    recipe = check_overrides(overrides)
    found = open_source(recipe.data)
    draft = draft_recipe(overrides, found, requested_device(device))
    prepared = prepare(found, draft.recipe.data, 0)
    return draft, draft.origin.with_normalisation(prepared) if draft.origin else prepared


def cut(prepared: PreparedData, size: int, seed: int) -> PreparedData | None:
    """`size` training images per class and at most `SCORED` others for scores; None if a class has too few."""
    order = np.random.default_rng(seed).permutation(len(prepared.dataset))
    classes = prepared.dataset.targets[order]
    split = np.full(len(order), "test", "<U10")
    for one in np.unique(classes):
        members = order[classes == one]
        if len(members) < 1.3 * size:
            return None
        split[members[:size]] = "train"
    others = order[split[order] == "test"]
    split[others[:SCORED]] = "validation"
    return replace(prepared, split=split)


def fine_tune(source: str, checkpoint: str, device: str, size: int, seed: int, name: str) -> dict[str, Any] | None:
    """Fit the last layer, fine-tune, and return both scores."""
    draft, whole = decoded(source, checkpoint, device)
    prepared = cut(whole, size, seed)
    if prepared is None:
        return None
    settings = Overrides.of(nest({**CENTRE, **CHANGES[name], "seed": seed}), "benchmark")
    overrides = lay(draft.overrides, settings)
    changed = replace(draft, overrides=overrides, recipe=check_overrides(overrides))
    recipe = resolve_recipe(changed, prepared, requested_device(device)).recipe
    session = build_session(prepared, recipe, time.monotonic(), draft.origin)
    started = time.monotonic()
    epochs = [event for event in run_epochs(session) if isinstance(event, Epoch)]
    accuracy = [event.validation["accuracy"] for event in epochs]
    return {
        "set": Path(source).name, "size": size, "seed": seed, "settings": name, "images": len(prepared.rows("train")),
        "probe": accuracy[0], "tuned": accuracy[-1], "seconds": round(time.monotonic() - started, 2),
        "loss": [epochs[0].validation["loss"], epochs[-1].validation["loss"]],
    }  # fmt: skip


def summarise(rows: list[dict[str, Any]]) -> Iterator[str]:
    """The mean gain of each setting by size, and the leave-one-set-out choice, in lines."""
    for size in sorted({row["size"] for row in rows}):
        of_size = [row for row in rows if row["size"] == size]
        sets, gains = sorted({row["set"] for row in of_size}), {}
        for name in CHANGES:
            by_set = {one: [error_ratio(row) for row in of_size if (row["set"], row["settings"]) == (one, name)]
                      for one in sets}  # fmt: skip
            if all(by_set.values()):
                gains[name] = {one: float(np.mean(values)) for one, values in by_set.items()}
        yield f"{size} per class, {', '.join(sets)}: log ratio of the errors, fitted layer to fine-tuned"
        for name, values in sorted(gains.items(), key=lambda pair: -sum(pair[1].values())):
            figures = "  ".join(f"{values[one]:+.2f}" for one in sets)
            yield f"  {name:26s} mean {np.mean(list(values.values())):+.3f}   {figures}"
        for one in sets:
            best = max(gains, key=lambda name: sum(value for other, value in gains[name].items() if other != one))
            highest = max(gain[one] for gain in gains.values())
            yield f"  without {one}: {best}; on {one} {gains[best][one]:+.2f}, best there {highest:+.2f}"


def error_ratio(row: Mapping[str, Any]) -> float:
    """The log of the fitted layer's error to the fine-tuned network's, each with half an image more."""
    half = 0.5 / SCORED
    return float(np.log((1 - row["probe"] + half) / (1 - row["tuned"] + half)))


def main() -> None:
    """Run what is asked for, line by line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--from", dest="checkpoint")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--sizes", nargs="+", type=int, default=[10, 40, 100])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--only", nargs="+", default=list(CHANGES))
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--summarise", type=Path)
    given = parser.parse_args()
    if given.summarise:
        print(*summarise([json.loads(line) for line in given.summarise.read_text().splitlines()]), sep="\n")
        return
    end = time.monotonic() + given.seconds
    cuts = [(str(one), size, seed) for seed in given.seeds for one in sorted(given.folder.iterdir())
            for size in given.sizes]  # fmt: skip
    random.Random(0).shuffle(cuts)
    cuts.sort(key=lambda cut: cut[2])
    with ProcessPoolExecutor(given.workers, get_context("spawn")) as pool, given.out.open("a") as lines:
        tasks = [pool.submit(fine_tune, source, given.checkpoint, given.device, size, seed, name)
                 for source, size, seed in cuts for name in given.only]  # fmt: skip
        for task in as_completed(tasks):
            if not task.cancelled() and task.exception():
                print(repr(task.exception())[:500], flush=True)
            elif not task.cancelled() and (row := task.result()):
                print(json.dumps(row), file=lines, flush=True)
            if time.monotonic() > end:
                pool.shutdown(wait=False, cancel_futures=True)
                end = float("inf")


if __name__ == "__main__":
    main()
