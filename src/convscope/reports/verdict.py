"""The first part of the report: what the network does, how well, against what, where it fails, and what to do next."""

from collections.abc import Sequence

import numpy as np

from convscope.bundle import load_config
from convscope.diagnosis.finding import Finding
from convscope.runs.folder import RunFolder
from convscope.runs.predictions import SplitPredictions
from convscope.tasks import Interval

FEW_IMAGES = 10  # of a class: its scores are hardly known
SHOWN_NAMES = 5


def verdict(folder: RunFolder, predictions: SplitPredictions, findings: Sequence[Finding]) -> list[tuple[str, str]]:
    """Return pairs of a heading and a sentence or two."""
    rows = [
        ("What it does", _purpose(folder, predictions)),
        ("How well", _score(predictions)),
        ("Where it fails", _failures(predictions)),
        ("What to do next", _next_step(folder, findings)),
        ("Limits", " ".join(_limits(folder, predictions))),
    ]
    return [(heading, text) for heading, text in rows if text]


def _purpose(folder: RunFolder, predictions: SplitPredictions) -> str:
    config, task = load_config(folder.model), predictions.task
    names = ", ".join(task.classes[:SHOWN_NAMES]) + (", ..." if len(task.classes) > SHOWN_NAMES else "")
    return (
        f"{config.architecture.name} with {config.num_parameters:,} parameters predicts "
        f"{task.purpose.format(count=len(task.classes))}: {names}."
    )


def _score(predictions: SplitPredictions) -> str:
    task, meter = predictions.task, predictions.meter
    name, score = task.score_name(task.primary), meter.scores()[task.primary]
    interval, trivial = task.interval(meter), task.trivial_score(meter)
    text = f"{_capital(name)} {task.format_score(score)} on {len(meter):,} validation images"
    if interval is not None:
        text += f" (95 % interval {task.format_score(interval.low)} to {task.format_score(interval.high)})"
    if trivial is None:
        return f"{text}."
    answer, other = trivial
    text += f". Without looking at the images ({answer}) it would be {task.format_score(other)}."
    return text + _doubt(interval, score, other)


def _doubt(interval: Interval | None, score: float, other: float) -> str:
    low = score if interval is None else interval.low
    return "" if low > other else " So these images do not show that the network has learned anything."


def _failures(predictions: SplitPredictions) -> str:
    task, meter = predictions.task, predictions.meter
    errors = task.image_errors(meter)
    if errors is None:
        return ""
    count = int(errors.wrong.sum())
    if not count:
        return "No validation image is a mistake."
    worst = int(np.argmax(np.where(errors.wrong, errors.values, -np.inf)))
    text = (
        f"{count:,} of {len(errors.wrong):,} validation images are mistakes; the worst is {predictions.names[worst]} "
    )
    text += f"({errors.texts[worst]})."
    counts = task.confusion(meter) if task.single_class else None
    if counts is None:
        return text
    wrong = counts - np.diag(counts.diagonal())
    truth, predicted = np.unravel_index(int(wrong.argmax()), wrong.shape)
    return (
        f"{text} Most often it takes {task.classes[truth]} for {task.classes[predicted]} "
        f"({wrong[truth, predicted]:,} of {counts[truth].sum():,} images)."
    )


def _next_step(folder: RunFolder, findings: Sequence[Finding]) -> str:
    if findings:
        return f"{_capital(findings[0].change.text)}."
    if not folder.test_evaluations():
        return "Evaluate it once on the test split: that score is the one to report."
    return "Try it on images from where it will be used, and compare the scores with those below."


def _limits(folder: RunFolder, predictions: SplitPredictions) -> list[str]:
    task, epochs = predictions.task, max((event["epoch"] for event in folder.events("epoch")), default=0)
    limits = ["The scores hold for images like those of the data set; other cameras, places or times may give others."]
    if epochs > 1:
        limits.append(
            f"The validation images also chose the best of {epochs} epochs, so their score is slightly too high."
        )
    counts = task.confusion(predictions.meter) if task.single_class else None
    few = (
        [] if counts is None else [name for name, n in zip(task.classes, counts.sum(1), strict=True) if n < FEW_IMAGES]
    )
    if few:
        names = ", ".join(few[:SHOWN_NAMES]) + (", ..." if len(few) > SHOWN_NAMES else "")
        limits.append(f"Fewer than {FEW_IMAGES} validation images: {names}; their scores are hardly known.")
    return limits


def usage(folder: RunFolder) -> str:
    """Return how to use the network, in three lines of Python."""
    return (
        "import convscope as cs\n"
        f"predictions = cs.predict({str(folder.path)!r}, ['image.jpg'])\n"
        "print(predictions.to_dicts())"
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
