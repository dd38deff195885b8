"""``report.html``: the results of a run in one self-contained file that opens offline."""

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
from convscope.datasets import Dataset
from convscope.diagnosis.diagnosis import MOST_SHOWN
from convscope.diagnosis.groups import stored_findings
from convscope.durations import format_seconds
from convscope.energy import energy_sentence
from convscope.extras import require
from convscope.files import atomic_write
from convscope.printable import printable
from convscope.reports.data_table import class_table, count_classes, data_rows, remark_rows
from convscope.reports.insights import insights_html
from convscope.reports.layers_section import layers_chart
from convscope.reports.transfer_summary import transfer_summary
from convscope.reports.verdict import usage, verdict
from convscope.runs.folder import RunFolder
from convscope.runs.overfitting import overfitting
from convscope.runs.predictions import SplitPredictions, load_predictions
from convscope.runs.thumbnails import ThumbnailSource
from convscope.tasks import Interval, Matrix, Pictures, Scatter, Section, Shown, Table, Task
from convscope.tasks.sections import Cell, Pixels

LARGEST_MATRIX = 25  # classes; with more, the most confused pairs are listed instead
CONFUSED_PAIRS = 25


def write_report(folder: RunFolder, dataset: Dataset | None = None, model: nn.Module | None = None) -> Path:
    """Write the report from the files of the run folder; return its path.

    Args:
        folder: the run.
        dataset: the run's dataset if it is already open; otherwise it is opened to show images.
        model: the run's network; None: it is loaded.
    """
    require("report", "report")
    from jinja2 import Environment, PackageLoader, select_autoescape

    environment = Environment(
        loader=PackageLoader("convscope.reports", "."), autoescape=select_autoescape(), trim_blocks=True
    )
    text = environment.get_template("report.html").render(**content(folder, ThumbnailSource(folder, dataset), model))
    atomic_write(folder.report, text.encode(errors="backslashreplace"))
    return folder.report


def content(folder: RunFolder, album: ThumbnailSource, model: nn.Module | None = None) -> dict[str, Any]:
    """Return the variables of the template."""
    config, summary = load_config(folder.model), folder.data()["summary"]
    predictions = load_predictions(folder, "validation", config.tta_views)
    findings = stored_findings(folder, load_predictions(folder, "validation"), model)
    return {
        "name": folder.path.name,
        "path": folder.path,
        "headline": headline(folder, summary),
        "metrics": headline_figures(folder, predictions),
        "tta_note": tta_sentence(folder),
        "verdict": verdict(folder, predictions, findings),
        "usage": usage(folder),
        "findings": findings[:MOST_SHOWN],
        "sections": [
            render_section(album, predictions, section) for section in predictions.task.sections(predictions.meter)
        ],
        "rendering": "pixelated" if max(folder.recipe().data.size) < 64 else "auto",
        "insights": insights_html(folder),
        "transfer": transfer_section(folder),
        "test_evaluations": test_evaluation_rows(folder),
        "primary": predictions.task.score_name(predictions.task.primary),
        "data_rows": data_rows(summary),
        "data_remarks": remark_rows(summary),
        "class_table": class_table(summary),
        "skipped": [(printable(one["name"]), printable(one["why"])) for one in summary["skipped"]],
        "recipe": folder.recipe_file.read_text(encoding="utf-8"),
        "machine": machine_rows(folder),
        **training_section(folder),
    }


def machine_rows(folder: RunFolder) -> list[tuple[str, Any]]:
    """Return the versions and the hardware, and the energy with the method that gave it."""
    environment = folder.environment()
    rows = [(name, value) for name, value in environment.items() if name not in ("seconds", "energy")]
    energy = environment.get("energy")
    return [*rows, ("energy", energy_sentence(energy)), ("energy from", energy["method"])] if energy else rows


def transfer_section(folder: RunFolder) -> dict[str, Any] | None:
    """Return the source of pretrained weights, the plan and its outcome; None if the run had none."""
    if not folder.transfer_file.exists():
        return None
    found = folder.transfer()
    return {
        **found,
        "summary": transfer_summary(found, folder.recipe().task_class.format_score) if "proof" in found else [],
    }


def tta_sentence(folder: RunFolder) -> str:
    """Describe test-time augmentation and compare with the score of a single view; "" if it is off."""
    config = load_config(folder.model)
    if config.tta_views == "1":
        return ""
    count = with_tta(nn.Identity(), config, config.tta_views).num_views
    single_view, task = load_predictions(folder, "validation"), folder.recipe().task_class
    return (
        f"Predictions are averaged over {count} test-time augmentation views: the image, counted twice, and shifted by "
        f"one pixel{', each also mirrored' if config.mirrored else ''}. "
        f"With a single view, the validation {task.score_name(task.primary)} is "
        f"{task.format_score(single_view.meter.scores()[task.primary])}."
    )


def render_section(album: ThumbnailSource, predictions: SplitPredictions, section: Section) -> dict[str, Any]:
    """Return the template variables of a section."""
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
    """Return the template variables of a table cell: text, number, or interval."""
    if isinstance(value, Interval):
        known = value.value == value.value
        return {"band": value} if known else {"none": True}
    if isinstance(value, float):
        return {"number": f"{value:.3f}"} if value == value else {"none": True}
    return {"number": f"{value:,}"} if isinstance(value, int) else {"text": value}


def headline(folder: RunFolder, summary: dict[str, Any]) -> str:
    """Return one line with the network, the dataset and the input size."""
    recipe = folder.recipe()
    return (
        f"{recipe.model.name} on {summary['source']}: {summary['images']:,} images, {count_classes(summary)}, "
        f"input size {' x '.join(map(str, recipe.data.size))}"
    )


def headline_figures(folder: RunFolder, predictions: SplitPredictions) -> list[dict[str, str]]:
    """Return the key figures: scores, number of parameters, total time."""
    primary, task = predictions.task.primary, predictions.task
    shown = [headline_figure(task, "validation", predictions.meter.scores()[primary], task.interval(predictions.meter))]
    if evaluations := folder.test_evaluations():
        low, high = evaluations[0].get("interval", (None, None))
        interval = None if low is None else Interval(evaluations[0][primary], low, high)
        shown.append(headline_figure(task, "test", evaluations[0][primary], interval, ", first evaluation"))
    parameters = load_config(folder.model).num_parameters
    shown += [
        (f"{parameters:,}", "parameters"),
        (format_seconds(folder.environment()["seconds"]), "time until this report"),
    ]
    return [{"value": value, "name": name} for value, name in shown]


def headline_figure(task: Task, split: str, score: float, interval: Interval | None, more: str = "") -> tuple[str, str]:
    """Return the primary score on a split, and its name."""
    if interval is None:
        return task.format_score(score), f"{split} {task.score_name(task.primary)}{more}"
    value = f"{100 * score:.1f} %" if task.format_score(score).endswith("%") else task.format_score(score)
    name = f"{split} {task.score_name(task.primary)}{more}"
    return value, f"{name} ({_format_interval(task, interval.low, interval.high).removesuffix(' %')})"


def _format_interval(task: Task | type[Task], low: float, high: float) -> str:
    """Format an interval like the score itself: in per cent, or as a number."""
    if task.format_score(low).endswith("%"):
        return f"{100 * low:.1f} to {100 * high:.1f} %"
    return f"{task.format_score(low)} to {task.format_score(high)}"


def test_evaluation_rows(folder: RunFolder) -> list[dict[str, str]]:
    """Return the evaluations on the test split: time, number of images, primary score and its interval."""
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


def training_section(folder: RunFolder) -> dict[str, Any]:
    """Return the training curves, the selected epoch, and from which epoch the network overfits."""
    epochs, overfits_from = folder.events("epoch"), overfitting(folder)
    selected, task = load_config(folder.model).epoch, folder.recipe().task_class
    overfits = "No sign of overfitting in the losses and the score."
    if overfits_from is not None:
        overfits = overfitting_sentence(overfits_from)
    return {
        "curves": curves(epochs, selected, overfits_from, task.primary, task.score_name(task.primary))
        if epochs
        else "",
        "training_summary": f"Epoch {selected} of {epochs[-1]['epoch'] if epochs else 0} was selected. {overfits}",
        "range_test": range_chart(folder),
        "layers": layers_chart(folder),
    }


def overfitting_sentence(epoch: int) -> str:
    """State from which epoch the network overfits, and what to try."""
    return (
        f"Overfitting from epoch {epoch}: the network fits the training images better than the validation images. "
        "Try more images, a stronger augment.policy, dropout or a smaller network."
    )


def range_chart(folder: RunFolder) -> str:
    """Return the curve of the learning-rate range test; "" if it was not run."""
    if not folder.range_test_file.exists():
        return ""
    found = json.loads(folder.range_test_file.read_text(encoding="utf-8"))
    return range_test(found["rates"], found["smoothed"], found["suggestion"])


def matrix(counts: np.ndarray) -> list[dict[str, Any]]:
    """Return the rows of the confusion matrix, with a shade in [0, 0.85] per cell by its fraction of the row."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return [{"counts": c.tolist(), "shades": (0.85 * s).round(3).tolist()} for c, s in zip(counts, shares, strict=True)]


def confused(counts: np.ndarray, classes: tuple[str, ...]) -> list[tuple[str, str, int]]:
    """Return the most frequent misclassifications: true class, predicted class, number of images."""
    wrong = counts - np.diag(counts.diagonal())
    order = np.argsort(-wrong, axis=None)[:CONFUSED_PAIRS]
    pairs = [np.unravel_index(int(i), wrong.shape) for i in order]
    return [(classes[t], classes[p], int(wrong[t, p])) for t, p in pairs if wrong[t, p]]


def figures(album: ThumbnailSource, predictions: SplitPredictions, chosen: Sequence[Shown]) -> list[dict[str, Any]]:
    """Return predictions with their images as data URLs."""
    names = [predictions.names[one.row] for one in chosen]
    drawn = [one.draw is not None for one in chosen]
    return [
        {
            "image": to_data_url(image if one.draw is None else with_drawing(image, one.draw)),
            "name": name,
            "prediction": one.prediction,
            "target": one.target,
        }
        for one, name, image in zip(chosen, names, album(names, any(drawn)), strict=True)
    ]


def with_drawing(image: Image.Image, draw: Callable[[Pixels], Pixels]) -> Image.Image:
    """Return the image as preprocessed for the network, with a drawing on it."""
    return Image.fromarray(draw(np.asarray(image.convert("RGB"))))


def to_data_url(image: Any) -> str:
    """Return an image as a ``data:`` URL: PNG if it is small, otherwise JPEG."""
    small, file = max(image.size) <= 64, io.BytesIO()
    image.save(file, "PNG" if small else "JPEG", **({} if small else {"quality": 85}))
    return f"data:image/{'png' if small else 'jpeg'};base64,{base64.b64encode(file.getvalue()).decode()}"
