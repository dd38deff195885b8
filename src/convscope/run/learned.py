"""The report's section "What it has learned": a first look that costs little, until somebody looks closely."""

import time
from pathlib import Path

from convscope.deploy import load_bundle, write_whole
from convscope.models.anatomy import dissect
from convscope.run.folder import RunFolder
from convscope.run.prepare import Prepared
from convscope.run.seeing.hierarchy import SECTION, first_look
from convscope.run.seeing.subject import Subject, images_of
from convscope.run.trainee import device_here
from convscope.train import Clock

MOST_SECONDS = 3.0  # of a first look; it takes about one
REPORT_SECONDS = 1.5  # of a budget, left to the rest of the report
FIRST = "first_look.html"


def keep_first_look(folder: RunFolder, prepared: Prepared, clock: Clock | None) -> None:
    """Write what is cheap to see of a network that has just been trained; of a budget, only what it leaves."""
    left = MOST_SECONDS if clock is None else min(MOST_SECONDS, clock.seconds - clock.spent - REPORT_SECONDS)
    if left <= 0:
        return
    model, config = load_bundle(folder.model, device_here(folder.recipe().train.device))
    seen = config.preprocessing
    train, validation = images_of(prepared, "train"), images_of(prepared, "validation")
    subject = Subject(
        folder.path.name, model, config.classes, seen.mean, seen.std, seen.size, folder.seen,
        lambda split: train if split == "train" else validation, seen.white,
        config.task,
    )  # fmt: skip
    cost = dissect(model, (seen.channels, *seen.size)).multiplications
    section = first_look(subject, cost, until=time.monotonic() + left)
    write_whole(folder.seen / FIRST, section.encode())


def learned(folder: RunFolder) -> str:
    """The section as HTML: of ``explain hierarchy`` where it was made for this network, else of the first look."""
    made = [file for file in (folder.seen / "hierarchy" / SECTION, folder.seen / FIRST) if file.exists()]
    fresh = [file for file in made if _time(file) >= _time(folder.model)]
    return fresh[0].read_text(encoding="utf-8") if fresh else ""


def _time(path: Path) -> float:
    return (
        max((file.stat().st_mtime for file in path.iterdir()), default=0.0) if path.is_dir() else path.stat().st_mtime
    )
