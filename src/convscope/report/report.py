"""``report.html``: one file with everything a person wants to see of a run; it opens offline."""

import base64
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torch import nn

from convscope.bundle import load_config, with_tta
from convscope.charts import curves, range_test, scatter
from convscope.data import Dataset
from convscope.durations import format_seconds
from convscope.extras import require
from convscope.files import atomic_write
from convscope.report.insights import insights_html
from convscope.report.transfer_summary import transfer_summary
from convscope.runs.folder import RunFolder
from convscope.runs.overfitting import overfitting
from convscope.runs.predictions import SplitPredictions, load_predictions
from convscope.runs.thumbnails import ThumbnailSource
from convscope.tasks import Interval, Matrix, Pictures, Scatter, Section, Shown, Table, Task
from convscope.tasks.sections import Cell, Pixels

LARGEST_MATRIX = 25  # classes; beyond, the most confused pairs are listed instead
CONFUSED_PAIRS = 25


def write_report(folder: RunFolder, dataset: Dataset | None = None) -> Path:
    """Write the report from what the run folder holds; return its path.

    Args:
        folder: the run.
        dataset: the run's, where it is at hand; else it is opened for the pictures.
    """
    require("report", "report")
    from jinja2 import Environment, PackageLoader, select_autoescape

    environment = Environment(
        loader=PackageLoader("convscope.report", "."), autoescape=select_autoescape(), trim_blocks=True
    )
    text = environment.get_template("report.html").render(**content(folder, ThumbnailSource(folder, dataset)))
    atomic_write(folder.report, text.encode())
    return folder.report


def content(folder: RunFolder, album: ThumbnailSource) -> dict[str, Any]:
    """What the template shows."""
    config, summary = load_config(folder.model), folder.data()["summary"]
    predictions = load_predictions(folder, "validation", config.tta_views)
    return {
        "name": folder.path.name,
        "path": folder.path,
        "headline": headline(folder, summary),
        "heads": headline_figures(folder, predictions),
        "told_crops": tta_sentence(folder),
        "sections": [
            render_section(album, predictions, section) for section in predictions.task.sections(predictions.meter)
        ],
        "rendering": "pixelated" if max(folder.recipe().data.size) < 64 else "auto",
        "learned": insights_html(folder),
        "transfer": transfer_section(folder),
        "looks": test_evaluation_rows(folder),
        "primary": predictions.task.primary,
        "data_rows": data_rows(summary),
        "data_notes": summary["notes"],
        "skipped": folder.data()["skipped"],
        "recipe": folder.recipe_file.read_text(encoding="utf-8"),
        "machine": [(name, value) for name, value in folder.environment().items() if name != "seconds"],
        **learning(folder),
    }


def transfer_section(folder: RunFolder) -> dict[str, Any] | None:
    """Where the weights that the network began with are from, the plan, and what came of it; None where it had none."""
    if not folder.transfer_file.exists():
        return None
    found = folder.transfer()
    return {
        **found,
        "told": transfer_summary(found, folder.recipe().task_class.format_score) if "proof" in found else [],
    }


def tta_sentence(folder: RunFolder) -> str:
    """How often the network looks at an image before it answers, and what one look gives; "" where it is one."""
    config = load_config(folder.model)
    if config.tta_views == "1":
        return ""
    count = with_tta(nn.Identity(), config, config.tta_views).num_views
    once, task = load_predictions(folder, "validation"), folder.recipe().task_class
    return (
        f"Each answer is the mean over {count} looks at an image: as it is, counted twice, and moved by a pixel"
        f"{', each of them mirrored too' if config.mirrored else ''}. "
        f"By one look the validation {task.primary} is {task.format_score(once.meter.scores()[task.primary])}."
    )


def render_section(album: ThumbnailSource, predictions: SplitPredictions, section: Section) -> dict[str, Any]:
    """A section as the template takes it."""
    shown: dict[str, Any] = {"title": section.title, "note": section.note, "kind": type(section).__name__.lower()}
    match section:
        case Matrix():
            small = len(section.counts) <= LARGEST_MATRIX
            shown |= {"names": section.names, "matrix": matrix(section.counts) if small else None}
            return shown | {"confused": confused(section.counts, tuple(section.names))}
        case Table():
            return shown | {
                "columns": section.columns,
                "rows": [[cell(value) for value in row] for row in section.rows],
            }
        case Scatter():
            return shown | {"chart": scatter(section.x, section.y, section.axes)}
        case Pictures():
            return shown | {"none": section.none, "pictures": figures(album, predictions, section.shown)}


def cell(value: Cell) -> dict[str, Any]:
    """A table's cell: what it says, and for an interval its band."""
    if isinstance(value, Interval):
        known = value.value == value.value
        return {"band": value} if known else {"none": True}
    if isinstance(value, float):
        return {"number": f"{value:.3f}"} if value == value else {"none": True}
    return {"number": f"{value:,}"} if isinstance(value, int) else {"text": value}


def headline(folder: RunFolder, summary: dict[str, Any]) -> str:
    """One line on what was trained on what."""
    recipe = folder.recipe()
    return (
        f"{recipe.model.name} on {summary['source']}: {summary['images']:,} images, {count_classes(summary)}, "
        f"seen at {recipe.data.size[0]} x {recipe.data.size[1]} pixels"
    )


def headline_figures(folder: RunFolder, predictions: SplitPredictions) -> list[dict[str, str]]:
    """The few figures that everybody looks for first."""
    primary, task = predictions.task.primary, predictions.task
    shown = [headline_figure(task, "validation", predictions.meter.scores()[primary], task.interval(predictions.meter))]
    if past := folder.test_evaluations():
        low, high = past[0].get("interval", (None, None))
        interval = None if low is None else Interval(past[0][primary], low, high)
        shown.append(headline_figure(task, "test", past[0][primary], interval, ", first look"))
    weights = load_config(folder.model).num_parameters
    shown += [(f"{weights:,}", "weights"), (format_seconds(folder.environment()["seconds"]), "in all")]
    return [{"value": value, "name": name} for value, name in shown]


def headline_figure(task: Task, split: str, score: float, interval: Interval | None, more: str = "") -> tuple[str, str]:
    """The primary score on a set, and what it is."""
    if interval is None:
        return task.format_score(score), f"{split} {task.primary}{more}"
    value = f"{100 * score:.1f} %" if task.format_score(score).endswith("%") else task.format_score(score)
    return (
        value,
        f"{split} {task.primary}{more} ({_format_interval(task, interval.low, interval.high).removesuffix(' %')})",
    )


def _format_interval(task: Task | type[Task], low: float, high: float) -> str:
    """An interval as the score itself is told: in per cent, or as a number."""
    if task.format_score(low).endswith("%"):
        return f"{100 * low:.1f} to {100 * high:.1f} %"
    return f"{task.format_score(low)} to {task.format_score(high)}"


def test_evaluation_rows(folder: RunFolder) -> list[dict[str, str]]:
    """Each look at the test set: when, how many images, the primary score and its interval."""
    task_class = folder.recipe().task_class
    return [
        {
            "when": evaluation["when"],
            "images": f"{evaluation['images']:,}",
            "score": task_class.format_score(evaluation[task_class.primary]),
            "interval": _format_interval(task_class, *evaluation["interval"]) if "interval" in evaluation else "",
        }
        for evaluation in folder.test_evaluations()
    ]


def count_classes(summary: dict[str, Any]) -> str:
    """How many classes, labels or numbers, in words."""
    word = {"labels": "labels", "numbers": "numbers"}.get(summary.get("target_kind", "classes"), "classes")
    count = len(summary["classes"])
    return f"{count} {word if count != 1 else {'classes': 'class', 'labels': 'label', 'numbers': 'number'}[word]}"


def learning(folder: RunFolder) -> dict[str, Any]:
    """The curves, and in words when the network stopped learning what carries over."""
    epochs, begins = folder.events("epoch"), overfitting(folder)
    kept = load_config(folder.model).epoch
    told = f"The network of epoch {kept} of {len(epochs)} is kept. "
    told += "No over-fitting: the validation loss does not rise away from the training loss."
    if begins is not None:
        told = f"The network of epoch {kept} of {len(epochs)} is kept. {overfitting_sentence(begins)}"
    return {
        "curves": curves(epochs, kept, begins, folder.recipe().task_class.primary) if epochs else "",
        "learning": told,
        "range_test": range_chart(folder),
    }


def overfitting_sentence(epoch: int) -> str:
    """What it means, and what helps."""
    return (
        f"Over-fitting from epoch {epoch}: the training loss keeps falling while the validation loss rises. "
        "More images, a stronger augment.policy, dropout or a smaller network would help."
    )


def range_chart(folder: RunFolder) -> str:
    """The learning-rate range test's curve, where there was one."""
    if not folder.range_test_file.exists():
        return ""
    found = json.loads(folder.range_test_file.read_text(encoding="utf-8"))
    return range_test(found["rates"], found["smoothed"], found["suggestion"])


def matrix(counts: np.ndarray) -> list[dict[str, Any]]:
    """Rows of the confusion matrix with a shade in [0, 0.85] each, by share of the row."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return [{"counts": c.tolist(), "shades": (0.85 * s).round(3).tolist()} for c, s in zip(counts, shares, strict=True)]


def confused(counts: np.ndarray, classes: tuple[str, ...]) -> list[tuple[str, str, int]]:
    """The most frequent mistakes: true class, answer, images."""
    wrong = counts - np.diag(counts.diagonal())
    order = np.argsort(-wrong, axis=None)[:CONFUSED_PAIRS]
    pairs = [np.unravel_index(int(i), wrong.shape) for i in order]
    return [(classes[t], classes[a], int(wrong[t, a])) for t, a in pairs if wrong[t, a]]


def figures(album: ThumbnailSource, predictions: SplitPredictions, chosen: Sequence[Shown]) -> list[dict[str, Any]]:
    """Answers with their pictures as data addresses."""
    names = [predictions.names[one.row] for one in chosen]
    drawn = [one.draw is not None for one in chosen]
    return [
        {
            "image": as_address(image if one.draw is None else with_drawing(image, one.draw)),
            "name": name,
            "answer": one.answer,
            "truth": one.truth,
        }
        for one, name, image in zip(chosen, names, album(names, any(drawn)), strict=True)
    ]


def with_drawing(image: Image.Image, draw: Callable[[Pixels], Pixels]) -> Image.Image:
    """A picture as the network saw it, drawn on."""
    return Image.fromarray(draw(np.asarray(image.convert("RGB"))))


def as_address(image: Any) -> str:
    """A picture as a ``data:`` address: PNG when it is small, else JPEG."""
    small, file = max(image.size) <= 64, io.BytesIO()
    image.save(file, "PNG" if small else "JPEG", **({} if small else {"quality": 85}))
    return f"data:image/{'png' if small else 'jpeg'};base64,{base64.b64encode(file.getvalue()).decode()}"


def data_rows(summary: dict[str, Any]) -> list[tuple[str, str]]:
    """The table of what was found."""
    sizes = [summary[side] for side in ("height", "width")]
    shown = " x ".join(
        f"{s['least']}" if s["least"] == s["most"] else f"{s['least']} to {s['most']} (median {s['median']})"
        for s in sizes
    )
    per_class = [sum(column) for column in zip(*summary["counts"].values(), strict=True)]
    of_each = summary.get("images_per_split") or {role: sum(c) for role, c in summary["counts"].items()}
    rows = [
        ("source", summary["source"]),
        ("images", ", ".join(f"{count:,} {role}" for role, count in of_each.items())),
        ("sizes (height x width)", shown),
        ("kinds", ", ".join(f"{count:,} {kind}" for kind, count in summary["modes"].items())),
    ]
    if summary.get("target_kind") == "numbers":
        return [*rows, ("numbers", ", ".join(summary["classes"]))]
    return [
        *rows,
        (count_classes(summary).split()[1], f"{len(summary['classes'])}, {_span(per_class)} images each"),
        *(
            [("imbalance", f"{summary['imbalance']:.1f} times as many images in the largest class as in the smallest")]
            if summary["imbalance"] >= 1.05
            else []
        ),
    ]


def _span(counts: Sequence[int]) -> str:
    least, most = min(counts), max(counts)
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"
