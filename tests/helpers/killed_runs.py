"""Runs of all kinds whose processes are killed at random moments, also while they resume."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli_w

from convscope.api import RunFolder, nest
from helpers.forked_commands import begin
from helpers.layout_writers import write
from helpers.small_runs import SMALL, same, state, weights

EPOCHS = 12
UNET = {"model.name": "unet", "model.options": {"width": 4}}
KINDS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "classes": ("folder", "classes", {}),
    "labels": ("table-folder", "labels", {}),
    "numbers": ("table-folder", "numbers", {}),
    "masks": ("masks", "masks", UNET),
    "boxes": ("voc", "boxes", {}),
    "series": ("series", "classes", {}),
    "sound": ("name-parts", "classes", {}),
}
"""Layout, target and settings of each kind of run."""


@dataclass
class Kills:
    """What became of the runs: kills, those before a recipe was written, runs that ended, and what was lost."""

    kills: int = 0
    early: int = 0
    ends: int = 0
    lost: list[str] = field(default_factory=list)


def killed(kind: str, home: Path, kills: int, seed: int = 0) -> Kills:
    """Train again and again, kill the processes at random moments, and compare each end with that of an unbroken run.

    Args:
        kind: a name in `KINDS`.
        home: an empty folder.
        kills: how many processes are killed.
        seed: of the moments.
    """
    layout, target, changes = KINDS[kind]
    home.mkdir(parents=True, exist_ok=True)
    (home / "data").mkdir()
    recipe = home / "settings.toml"
    recipe.write_text(tomli_w.dumps(_settings(layout, changes)))
    train = ["train", write(layout, home / "data", target, 3), "--recipe", recipe]
    end(train, home / "unbroken", home, None)
    began = time.monotonic()
    end(train, home / "again", home, None)
    whole, chosen, found = time.monotonic() - began, random.Random(f"{kind}/{seed}"), Kills()
    while found.kills < kills:
        path = home / str(found.ends)
        while end(train, path, home, lambda: chosen.uniform(0, whole) if found.kills < kills else None):
            found.kills += 1
            found.early += not RunFolder(path).recipe_file.exists()
        found.ends += 1
        found.lost += differences(path, home / "unbroken")
    return found


def end(train: list[Any], path: Path, home: Path, wait: Callable[[], float | None] | None) -> bool:
    """Start or resume a run; whether it was killed after the seconds that `wait` gives, before it had ended."""
    known = RunFolder(path).recipe_file.exists()
    process = begin(["train", "--resume", path] if known else [*train, "--out", path], home / "errors")
    process.join(wait() if wait else None)
    was_killed = process.is_alive()
    process.kill()
    process.join()
    if not was_killed and process.exitcode:
        raise AssertionError((home / "errors").read_text())
    return was_killed


def differences(path: Path, unbroken: Path) -> list[str]:
    """What the end of a run lacks of that of an unbroken one."""
    epochs = [[event["epoch"] for event in RunFolder(one).events("epoch")] for one in (path, unbroken)]
    alike = {
        "weights": weights(path) == weights(unbroken),
        "state": same(state(path), state(unbroken)),
        "epochs": epochs[0] == epochs[1],
        "probes": _files(path / "probes") == _files(unbroken / "probes"),
        "predictions": _files(path / "predictions") == _files(unbroken / "predictions"),
    }
    return [f"{path.name}: other {name}" for name, equal in alike.items() if not equal]


def _files(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.rglob("*"))


def _settings(layout: str, changes: dict[str, Any]) -> dict[str, Any]:
    changed = {"train.epochs": EPOCHS, "train.batch": 4, "data.validation": 0.25, "data.layout": layout}
    return nest({**SMALL, **changed, **changes})
