"""The report's section "Learned features": inexpensive results after training, and results of ``explain``."""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from convscope.analysis.data_urls import address, image_of_file
from convscope.analysis.hierarchy_page import SECTION, Section, first_insights, rendered
from convscope.analysis.images import ImageSet, image_set_of
from convscope.analysis.registry import METHODS
from convscope.analysis.target import AnalysisTarget
from convscope.bundle import load_bundle
from convscope.datasets.inputs.image_input import ImagePreprocessing
from convscope.datasets.inputs.opening import open_image
from convscope.devices import inference_device
from convscope.files import atomic_write
from convscope.models.summary.summarize import summarize
from convscope.runs.folder import RunFolder
from convscope.runs.loaders import PreparedData
from convscope.runs.predictions import load_predictions

MAX_SECONDS = 3.0  # for the first insights; they take about 1 s
MAX_IMAGES = 3  # per method, so that the report stays small enough to send
MAX_ANIMATIONS = 2
FIRST_INSIGHTS = "first_insights.json"


def write_first_insights(folder: RunFolder, prepared: PreparedData, seconds: float = MAX_SECONDS) -> None:
    """Write inexpensive insights into a network that was just trained, within `seconds`, at most three.

    They are images, so a network for another kind of input has none.
    """
    if seconds <= 0:
        return
    model, config = load_bundle(folder.model, inference_device(folder.recipe().train.device))
    spec = config.preprocessing
    if not isinstance(spec, ImagePreprocessing):
        return
    train, validation = image_set_of(prepared, "train"), image_set_of(prepared, "validation")
    subject = AnalysisTarget(
        folder.path.name, model, config.classes, spec.mean, spec.std, spec.size, folder.explain_dir,
        lambda split: train if split == "train" else validation, spec.spec, config.build_task(),
        shown_channels=spec.shown_channels,
    )  # fmt: skip
    cost = summarize(model, (spec.channels, *spec.size)).macs
    with subject.class_scores_only():
        section = first_insights(
            subject, cost, time.monotonic() + min(MAX_SECONDS, seconds), _worst(folder, validation)
        )
    atomic_write(folder.explain_dir / FIRST_INSIGHTS, section.model_dump_json().encode())


def _worst(folder: RunFolder, validation: ImageSet) -> ImageSet | None:
    """Return the mistakes of the validation split by the predictions stored in the run, worst first."""
    stored = load_predictions(folder, "validation")
    errors = stored.task.image_errors(stored.meter)
    if errors is None:
        return None
    rows = {name: row for row, name in enumerate(validation.names)}
    order = [int(i) for i in np.argsort(-errors.values, kind="stable") if errors.wrong[i]]
    return validation.select([rows[stored.names[i]] for i in order if stored.names[i] in rows])


def insights_html(folder: RunFolder) -> str:
    """Return the section as HTML.

    It contains ``explain hierarchy`` if it was run on this network, otherwise the first insights; then the results of
    the other explain methods.
    """
    existing = [
        file
        for file in (folder.explain_dir / "hierarchy" / SECTION, folder.explain_dir / FIRST_INSIGHTS)
        if file.exists()
    ]
    current = [file for file in existing if _time(file) >= _time(folder.model)]
    return (_section_html(current[0]) if current else "") + _explain_html(folder)


def _section_html(file: Path) -> str:
    """Render a saved section; nothing if the file is not one, since the run folder may come from elsewhere."""
    try:
        return Section.model_validate_json(file.read_bytes()).html()
    except ValidationError:
        return ""


def _explain_html(folder: RunFolder) -> str:
    """Return the results of ``explain`` for this network by method; the hierarchy has its own section."""
    names = [name for name in METHODS if name != "hierarchy"]
    files = [(name, folder.explain_dir / name / f"{name}.json") for name in names]
    current = [(name, file) for name, file in files if file.exists() and _time(file) >= _time(folder.model)]
    return (
        rendered("explain_results.html", methods=[_method_summary(name, file) for name, file in current])
        if current
        else ""
    )


def _method_summary(name: str, file: Path) -> dict[str, Any]:
    numbers = json.loads(file.read_text(encoding="utf-8"))
    pictures = [file.parent / picture for picture in numbers["pictures"] if _is_beside(file, picture)]
    still = [path for path in pictures if path.suffix == ".png" and path.exists()]
    moving = [path for path in pictures if path.suffix == ".gif" and path.exists()]
    shown = _evenly_spaced(still, MAX_IMAGES) + _evenly_spaced(moving, MAX_ANIMATIONS)
    return {
        "name": name,
        "summary": numbers["summary"],
        "pictures": [{"name": path.stem, "address": _address(path)} for path in shown],
        "more": len(still) + len(moving) - len(shown),
        "folder": file.parent.name,
    }


def _is_beside(file: Path, picture: str) -> bool:
    """Whether a name is that of a file in the same folder: a run from elsewhere may name any file of this machine."""
    return Path(picture).name == picture and not (file.parent / picture).is_symlink()


def _evenly_spaced(paths: list[Path], most: int) -> list[Path]:
    """Return at most `most` evenly spaced paths, including the first and the last."""
    if len(paths) <= most:
        return paths
    return [paths[round(index * (len(paths) - 1) / max(most - 1, 1))] for index in range(most)]


def _address(path: Path) -> str:
    if path.suffix == ".gif":
        return image_of_file(path)
    with open_image(path) as picture:
        return address(np.asarray(picture.convert("RGB")))


def _time(path: Path) -> float:
    return (
        max((file.stat().st_mtime for file in path.iterdir()), default=0.0) if path.is_dir() else path.stat().st_mtime
    )
