"""Every computation by its name, and results that the run has kept."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from convscope.analysis.result import AnalysisResult, write_result
from convscope.errors import ConfigError, did_you_mean
from convscope.explorer.backend import computations as ways
from convscope.explorer.backend import feature_visualizations as painted
from convscope.explorer.backend import requests as asks
from convscope.explorer.backend.computations import JobContext, JobFunction
from convscope.progress import Progress

MAX_RESULTS = 200  # results in a run's folder


@dataclass(frozen=True)
class JobMethod:
    """A computation, what may be asked of it, and whether its result is worth keeping."""

    compute: JobFunction
    settings: type[asks.JobSettings]
    cached: bool = True


JOB_METHODS: dict[str, JobMethod] = {
    "answers": JobMethod(ways.split_predictions, asks.PredictionsSettings, cached=False),
    "where": JobMethod(ways.attribution, asks.AttributionSettings),
    "wanted": JobMethod(painted.channel_images, asks.ChannelImagesSettings),
    "classes": JobMethod(painted.class_images, asks.ClassImagesSettings),
    "stimuli": JobMethod(ways.top_patches, asks.TopPatchesSettings),
    "neighbours": JobMethod(ways.neighbours, asks.NeighboursSettings),
    "map": JobMethod(ways.embedding_map, asks.EmbeddingMapSettings),
    "invert": JobMethod(ways.inversion, asks.InversionSettings),
    "filters": JobMethod(ways.filter_images, asks.FiltersSettings),
}


def parse_request(method: str, settings: Mapping[str, Any]) -> asks.JobSettings:
    """What was asked, completed with its defaults.

    Raises:
        ConfigError: no such computation or setting, or a value that does not fit.
    """
    if method not in JOB_METHODS:
        raise ConfigError(f"method: no {method[:40]}{did_you_mean(method, JOB_METHODS)}")
    kind = JOB_METHODS[method].settings
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


def load_cached(folder: Path, method: str, request: asks.JobSettings, version: str) -> AnalysisResult | None:
    """A result that the run has already of the same network."""
    home = _result_folder(folder, method, request, version)
    file = home / f"{method}.json"
    try:
        numbers = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    pictures = tuple(home / name for name in numbers.get("pictures", []))
    if not JOB_METHODS[method].cached or not all(path.exists() for path in pictures):
        return None
    return AnalysisResult(method, pictures, file, numbers, tuple(numbers["says"]))


def compute(context: JobContext, method: str, request: asks.JobSettings, on_progress: Progress) -> AnalysisResult:
    """Compute, and keep the result in the run.

    Raises:
        ConvscopeError: as the computation says; whatever `on_progress` raises, which ends it.
    """
    findings = JOB_METHODS[method].compute(context, request, on_progress)
    folder = context.run.folder.explain_dir / "explorer"
    home = _result_folder(folder, method, request, context.loaded_model.version)
    result = write_result(findings, method, request.model_dump(mode="json", by_alias=True), home)
    _make_room(folder)
    return result


def _result_folder(folder: Path, method: str, request: asks.JobSettings, version: str) -> Path:
    key = json.dumps([version, request.model_dump(mode="json", by_alias=True)], sort_keys=True)
    return folder / f"{method}-{hashlib.blake2b(key.encode(), digest_size=8).hexdigest()}"


def _make_room(folder: Path) -> None:
    """Delete the oldest results beyond `MAX_RESULTS`."""
    results = sorted((one for one in folder.iterdir() if one.is_dir()), key=lambda one: one.stat().st_mtime)
    for old in results[:-MAX_RESULTS]:
        shutil.rmtree(old, ignore_errors=True)
