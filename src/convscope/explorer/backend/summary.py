"""What there is to say of a run before anything is looked at."""

from typing import Any

import numpy as np

from convscope.errors import ConvscopeError
from convscope.explorer.backend.live_run import LiveRun
from convscope.files import to_plain
from convscope.runs.overfitting import overfitting
from convscope.tasks import Task

STROKE_IMAGES = 256  # training images that tell whether one may draw
EVEN_GREY_LEVELS = 24  # grey levels by which a ground may vary
VIEWS = ("classes", "confusion", "probes", "images", "upload", "marks")


def run_summary(run: LiveRun) -> dict[str, Any]:
    """The run as `docs/reference/explorer-api.md` describes it.

    Raises:
        GoneError: its folder was deleted, or holds another run now.
    """
    run.check_exists()
    state = run.state()
    recipe, data = run.folder.recipe(), run.data()
    input_ = data["preprocessing"]
    unavailable = _unavailable_views(run, recipe.task_class, input_["channels"])
    found: dict[str, Any] = to_plain({
        "name": run.name, "path": run.folder.path.resolve(), "task": recipe.task, "state": state,
        "has_network": run.version() is not None, "network": run.version(), **_network(run),
        "classes": data["classes"],
        "input": {"channels": input_["channels"], "height": input_["size"][0], "width": input_["size"][1],
                  "mean": input_["mean"], "std": input_["std"]},
        "splits": {role: len(names) for role, names in data["splits"].items()},
        "primary": recipe.task_class.primary,
        "epochs_planned": None if recipe.train.budget else recipe.train.epochs,
        "views": {name: name not in unavailable for name in VIEWS},
        "why_not": unavailable, "trouble": run.trouble(),
    })  # fmt: skip
    return found


def _network(run: LiveRun) -> dict[str, Any]:
    nothing = {"model": run.folder.recipe().model.name, "weights": None, "epoch": None}
    if run.version() is None:
        return nothing
    config = run.loaded_model().config
    return {"model": config.architecture.name, "weights": config.num_parameters, "epoch": config.epoch}


def _unavailable_views(run: LiveRun, task: type[Task], channels: int) -> dict[str, str]:
    named = f"the run's task is {task.name}"
    reasons = {
        "classes": "" if task.outputs_classes else f"{named}, which names no classes",
        "confusion": "" if task.single_class else f"{named}: a table of mix-ups needs one class per image",
        "marks": "" if task.single_class else f"{named}: labels are corrected for one class per image only",
        "probes": "" if (run.folder.probes / "probes.json").exists() else "no maps were kept during training",
        "upload": "" if channels in (1, 3) else f"images have {channels} channels, and files have 1 or 3",
        "images": run.trouble() or "",
    }
    return {name: why for name, why in reasons.items() if why}


def curves(run: LiveRun) -> dict[str, Any]:
    """Every finished epoch's scores, which one is kept, and from where on it overfits."""
    epochs = [epoch_record(event) for event in run.folder.events("epoch")]
    kept = run.loaded_model().config.epoch if run.version() else None
    return {"epochs": epochs, "kept": kept, "overfitting": overfitting(run.folder) if epochs else None}


def epoch_record(event: dict[str, Any]) -> dict[str, Any]:
    """What of an epoch's event is shown."""
    return {name: event.get(name) for name in ("epoch", "train", "validation", "seconds", "learning_rate")}


def drawing_style(run: LiveRun) -> dict[str, Any] | None:
    """Ground, ink and stroke of images that are like drawings on an even ground; None for others.

    An even ground: the border's pixels vary little, within images and from one to the next.
    """
    try:
        images = run.images("train")
    except ConvscopeError:
        return None
    if not len(images) or images.store.shape[1] != 1:
        return None
    few = np.unique(np.linspace(0, len(images) - 1, min(STROKE_IMAGES, len(images))).astype(int))
    pixels = 255 * images.select(few).pixels()[:, 0].numpy()
    border = np.concatenate([pixels[:, 0], pixels[:, -1], pixels[:, :, 0], pixels[:, :, -1]], 1)
    ground = float(np.median(border))
    if np.mean(np.abs(border - ground) <= EVEN_GREY_LEVELS) < 0.6:
        return None
    differs = np.abs(pixels - ground)
    ink = 255 if ground < 128 else 0
    inked = differs > 0.5 * np.quantile(differs.reshape(len(pixels), -1), 0.98, axis=1)[:, None, None]
    return {"background": round(ground), "ink": ink, "stroke": round(_stroke(inked), 3)}


def _stroke(inked: np.ndarray) -> float:
    """Width of the ink as a share of the side: a long line's area is width x length, its outline twice the length."""
    padded = np.pad(inked, ((0, 0), (1, 1), (1, 1)))
    edges = sum(int((padded != np.roll(padded, 1, axis)).sum()) for axis in (1, 2))
    width = 2 * inked.sum() / max(edges, 1)
    return float(np.clip(width / inked.shape[1], 0.02, 0.25))
