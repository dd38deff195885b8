"""The report's section "What it has learned": a first look that costs little, until somebody looks closely."""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from convscope.analysis.data_urls import address, image_of_file
from convscope.analysis.hierarchy_page import SECTION, first_look, rendered
from convscope.analysis.images import image_set_of
from convscope.analysis.registry import METHODS
from convscope.analysis.target import AnalysisTarget
from convscope.bundle import load_bundle
from convscope.devices import inference_device
from convscope.files import atomic_write
from convscope.models.summary.summarize import summarize
from convscope.runs.folder import RunFolder
from convscope.runs.loaders import PreparedData
from convscope.training import TimeBudget

MOST_SECONDS = 3.0  # of a first look; it takes about one
REPORT_SECONDS = 1.5  # of a budget, left to the rest of the report
MOST_PICTURES = 3  # of one way of looking that the report takes in, so that it stays a file to send
MOST_MOVING = 2
FIRST = "first_look.html"


def write_first_insights(folder: RunFolder, prepared: PreparedData, clock: TimeBudget | None) -> None:
    """Write what is cheap to see of a network that has just been trained; of a budget, only what it leaves."""
    left = MOST_SECONDS if clock is None else min(MOST_SECONDS, clock.seconds - clock.spent - REPORT_SECONDS)
    if left <= 0:
        return
    model, config = load_bundle(folder.model, inference_device(folder.recipe().train.device))
    seen = config.preprocessing
    train, validation = image_set_of(prepared, "train"), image_set_of(prepared, "validation")
    subject = AnalysisTarget(
        folder.path.name, model, config.classes, seen.mean, seen.std, seen.size, folder.explain_dir,
        lambda split: train if split == "train" else validation, seen.white,
        config.build_task(),
    )  # fmt: skip
    cost = summarize(model, (seen.channels, *seen.size)).macs
    with subject.class_scores_only():
        section = first_look(subject, cost, until=time.monotonic() + left)
    atomic_write(folder.explain_dir / FIRST, section.encode())


def insights_html(folder: RunFolder) -> str:
    """The section as HTML: of ``explain hierarchy`` where it was made for this network, else of the first look; then
    what every other way of looking found.
    """
    made = [file for file in (folder.explain_dir / "hierarchy" / SECTION, folder.explain_dir / FIRST) if file.exists()]
    fresh = [file for file in made if _time(file) >= _time(folder.model)]
    return (fresh[0].read_text(encoding="utf-8") if fresh else "") + _explain_html(folder)


def _explain_html(folder: RunFolder) -> str:
    """What ``explain`` wrote about this network, way by way; the hierarchy has its own section."""
    ways = [name for name in METHODS if name != "hierarchy"]
    files = [(name, folder.explain_dir / name / f"{name}.json") for name in ways]
    fresh = [(name, file) for name, file in files if file.exists() and _time(file) >= _time(folder.model)]
    return rendered("closer.html", ways=[_method_summary(name, file) for name, file in fresh]) if fresh else ""


def _method_summary(name: str, file: Path) -> dict[str, Any]:
    numbers = json.loads(file.read_text(encoding="utf-8"))
    pictures = [file.parent / picture for picture in numbers["pictures"]]
    still = [path for path in pictures if path.suffix == ".png" and path.exists()]
    moving = [path for path in pictures if path.suffix == ".gif" and path.exists()]
    shown = _evenly_spaced(still, MOST_PICTURES) + _evenly_spaced(moving, MOST_MOVING)
    return {
        "name": name,
        "says": numbers["summary"],
        "pictures": [{"name": path.stem, "address": _address(path)} for path in shown],
        "more": len(still) + len(moving) - len(shown),
        "folder": file.parent.name,
    }


def _evenly_spaced(paths: list[Path], most: int) -> list[Path]:
    """At most so many, the first and the last among them."""
    if len(paths) <= most:
        return paths
    return [paths[round(place * (len(paths) - 1) / max(most - 1, 1))] for place in range(most)]


def _address(path: Path) -> str:
    if path.suffix == ".gif":
        return image_of_file(path)
    with Image.open(path) as picture:
        return address(np.asarray(picture.convert("RGB")))


def _time(path: Path) -> float:
    return (
        max((file.stat().st_mtime for file in path.iterdir()), default=0.0) if path.is_dir() else path.stat().st_mtime
    )
