"""Summary of a run: properties, available views, learning curves, drawing style."""

from typing import Any

import numpy as np

from convscope.errors import ConvscopeError
from convscope.explorer.backend.live_run import LiveRun
from convscope.files import to_plain
from convscope.predictions.masks import colors_of
from convscope.runs.overfitting import overfitting
from convscope.tasks import Task

STROKE_IMAGES = 256  # training images from which the drawing style is estimated
EVEN_GREY_LEVELS = 24  # tolerance of an even background
VIEWS = ("classes", "confusion", "probes", "images", "upload", "corrections")


def run_summary(run: LiveRun) -> dict[str, Any]:
    """Return the run as `docs/reference/explorer-api.md` describes it.

    Raises:
        RunGoneError: the folder was deleted, moved or replaced.
    """
    run.check_exists()
    state = run.state()
    recipe, data = run.folder.recipe(), run.data()
    preprocessing = data["preprocessing"]
    unavailable = _unavailable_views(run, recipe.task_class)
    found: dict[str, Any] = to_plain({
        "name": run.name, "path": run.folder.path.resolve(), "task": recipe.task, "state": state,
        "has_network": run.version() is not None, "network": run.version(), **_network(run),
        "classes": data["classes"], "answers": _answers(run), "answers_pixels": recipe.task_class.answers_pixels,
        "answers_drawn": bool(recipe.task_class.answer_places),
        "colors": _mask_colors(len(data["classes"])) if recipe.task_class.answers_pixels else [],
        "input": {"channels": preprocessing["channels"],
                  "height": preprocessing["size"][0], "width": preprocessing["size"][1],
                  "mean": preprocessing["mean"], "std": preprocessing["std"]},
        "splits": {split: len(names) for split, names in data["splits"].items()},
        "primary": recipe.task_class.primary,
        "epochs_planned": None if recipe.train.budget else recipe.train.epochs,
        "views": {name: name not in unavailable for name in VIEWS},
        "unavailable": unavailable, "problem": run.problem(),
    })  # fmt: skip
    return found


def _network(run: LiveRun) -> dict[str, Any]:
    empty = {"model": run.folder.recipe().model.name, "parameters": None, "epoch": None}
    if run.version() is None:
        return empty
    config = run.loaded_model().config
    return {"model": config.architecture.name, "parameters": config.num_parameters, "epoch": config.epoch}


def _answers(run: LiveRun) -> tuple[str, ...]:
    """Return the names of the answers that attribution maps can explain."""
    return run.loaded_model().subject.answer_names if run.version() else ()


def _mask_colors(count: int) -> list[str]:
    """Return the colours of the classes of a mask; that of class 0 is not drawn."""
    return [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in colors_of(np.arange(count)).tolist()]


def _unavailable_views(run: LiveRun, task: type[Task]) -> dict[str, str]:
    prefix = f"the run's task is {task.name}"
    reasons = {
        "classes": "" if task.names_classes else f"{prefix}, which has no classes",
        "confusion": "" if task.single_class else f"{prefix}; a confusion matrix needs one class per image",
        "corrections": "" if task.single_class else f"{prefix}; labels are corrected for one class per image only",
        "probes": ""
        if (run.folder.probes / "probes.json").exists()
        else "no feature maps were recorded during training",
        "images": run.problem() or "",
    }
    return {name: reason for name, reason in reasons.items() if reason}


def curves(run: LiveRun) -> dict[str, Any]:
    """Return the scores of every finished epoch, the selected epoch, and the epoch from which it overfits."""
    epochs = [epoch_record(event) for event in run.folder.events("epoch")]
    selected = run.loaded_model().config.epoch if run.version() else None
    return {"epochs": epochs, "selected": selected, "overfitting": overfitting(run.folder) if epochs else None}


def epoch_record(event: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of an epoch event that are shown."""
    return {name: event.get(name) for name in ("epoch", "train", "validation", "seconds", "learning_rate")}


def drawing_style(run: LiveRun) -> dict[str, Any] | None:
    """Return background, ink and stroke width of images that look like drawings; None for others.

    Drawings have an even background: their border pixels vary little, within and between images.
    """
    try:
        images = run.images("train")
    except ConvscopeError:
        return None
    if not len(images) or images.store.shape[1] != 1:
        return None
    chosen = np.unique(np.linspace(0, len(images) - 1, min(STROKE_IMAGES, len(images))).astype(int))
    pixels = 255 * images.select(chosen).pixels()[:, 0].numpy()
    border = np.concatenate([pixels[:, 0], pixels[:, -1], pixels[:, :, 0], pixels[:, :, -1]], 1)
    background = float(np.median(border))
    if np.mean(np.abs(border - background) <= EVEN_GREY_LEVELS) < 0.6:
        return None
    differs = np.abs(pixels - background)
    ink = 255 if background < 128 else 0
    inked = differs > 0.5 * np.quantile(differs.reshape(len(pixels), -1), 0.98, axis=1)[:, None, None]
    return {"background": round(background), "ink": ink, "stroke": round(_stroke(inked), 3)}


def _stroke(inked: np.ndarray) -> float:
    """Return the ink width as a fraction of the side: a line's area is width x length, its outline twice the length."""
    padded = np.pad(inked, ((0, 0), (1, 1), (1, 1)))
    edges = sum(int((padded != np.roll(padded, 1, axis)).sum()) for axis in (1, 2))
    width = 2 * inked.sum() / max(edges, 1)
    return float(np.clip(width / inked.shape[1], 0.02, 0.25))
