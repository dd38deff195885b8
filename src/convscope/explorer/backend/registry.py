"""Every computation by its name, and results that the run has kept."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from convscope.analysis.result import Seen, write
from convscope.errors import ConfigError, did_you_mean
from convscope.explorer.backend import computations as ways
from convscope.explorer.backend import feature_visualizations as painted
from convscope.explorer.backend import requests as asks
from convscope.explorer.backend.computations import Sight, Way
from convscope.progress import Progress

KEPT = 200  # results in a run's folder


@dataclass(frozen=True)
class Method:
    """A computation, what may be asked of it, and whether its result is worth keeping."""

    way: Way
    ask: type[asks.Ask]
    kept: bool = True


METHODS: dict[str, Method] = {
    "answers": Method(ways.answers, asks.AnswersAsk, kept=False),
    "where": Method(ways.where, asks.WhereAsk),
    "wanted": Method(painted.wanted, asks.WantedAsk),
    "classes": Method(painted.classes, asks.ClassesAsk),
    "stimuli": Method(ways.wanted_stimuli, asks.StimuliAsk),
    "neighbours": Method(ways.neighbours, asks.NeighboursAsk),
    "map": Method(ways.plane, asks.MapAsk),
    "invert": Method(ways.inverted, asks.InvertAsk),
    "filters": Method(ways.kernels, asks.FiltersAsk),
}


def asked(method: str, settings: Mapping[str, Any]) -> asks.Ask:
    """What was asked, completed with its defaults.

    Raises:
        ConfigError: no such computation or setting, or a value that does not fit.
    """
    if method not in METHODS:
        raise ConfigError(f"method: no {method[:40]}{did_you_mean(method, METHODS)}")
    kind = METHODS[method].ask
    try:
        return kind.model_validate(dict(settings))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        if first["type"] == "extra_forbidden":
            known = [field.alias or plain for plain, field in kind.model_fields.items()]
            raise ConfigError(f"{method}: no setting {name[:40]}{did_you_mean(name, known)}") from None
        if first["type"] == "missing":
            raise ConfigError(f"{method}: needs the setting {name}") from None
        why = first["msg"].replace("Input ", "it ", 1)
        raise ConfigError(f"{method}: {name} is {repr(first['input'])[:60]}; {why[:1].lower()}{why[1:]}") from None


def kept(folder: Path, method: str, ask: asks.Ask, version: str) -> Seen | None:
    """A result that the run has already of the same network."""
    home = _home(folder, method, ask, version)
    file = home / f"{method}.json"
    try:
        numbers = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    pictures = tuple(home / name for name in numbers.get("pictures", []))
    if not METHODS[method].kept or not all(path.exists() for path in pictures):
        return None
    return Seen(method, pictures, file, numbers, tuple(numbers["says"]))


def computed(sight: Sight, method: str, ask: asks.Ask, on_progress: Progress) -> Seen:
    """Compute, and keep the result in the run.

    Raises:
        ConvscopeError: as the computation says; whatever `on_progress` raises, which ends it.
    """
    findings = METHODS[method].way(sight, ask, on_progress)
    folder = sight.seen.folder.seen / "explorer"
    home = _home(folder, method, ask, sight.shown.version)
    seen = write(findings, method, ask.model_dump(mode="json", by_alias=True), home)
    _make_room(folder)
    return seen


def _home(folder: Path, method: str, ask: asks.Ask, version: str) -> Path:
    said = json.dumps([version, ask.model_dump(mode="json", by_alias=True)], sort_keys=True)
    return folder / f"{method}-{hashlib.blake2b(said.encode(), digest_size=8).hexdigest()}"


def _make_room(folder: Path) -> None:
    """Delete the oldest results beyond `KEPT`."""
    results = sorted((one for one in folder.iterdir() if one.is_dir()), key=lambda one: one.stat().st_mtime)
    for old in results[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
