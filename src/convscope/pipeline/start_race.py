"""A short comparison of pretrained weights with training from scratch, on the validation images, before a run.

Pretrained: a linear layer fitted to the features of the unchanged images. From scratch: the recipe of the whole run,
with a schedule that ends after a small share of its time. From scratch is chosen only if it is better already then.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from convscope.durations import format_seconds
from convscope.pipeline.build import build_session
from convscope.pipeline.epochs import run_epochs
from convscope.pipeline.input_size import forward_seconds
from convscope.pipeline.resolve import Draft, Resolved
from convscope.runs.loaders import PreparedData
from convscope.runs.recipe import Recipe
from convscope.training import Epoch

TRIAL_SHARE = 0.15  # of the budget, or of the epochs, for the trial from scratch
PROBE_SHARE = 0.1  # of the budget, at most, for the features
SETTLED = 0.97  # a score from which there is too little to gain


@dataclass(frozen=True, eq=False)
class Start:
    """A way to start a run: its settings, its images and its whole recipe."""

    draft: Draft
    prepared: PreparedData
    resolved: Resolved


def race(
    pretrained: Start, from_scratch: Callable[[], Start], device: torch.device, started: float, threads: int = 0
) -> tuple[Start, str]:
    """Return the better start and a sentence with the scores; pretrained, if there is no time to compare.

    Args:
        pretrained: with weights that convscope chose.
        from_scratch: prepares the other start; called only if there is something to gain.
        device: the device for training.
        started: the start of the run by `time.monotonic`.
        threads: see `build_session`.
    """
    recipe, task_class = pretrained.resolved.recipe, pretrained.resolved.recipe.task_class
    if recipe.train.budget and _probe_seconds(pretrained, device) > PROBE_SHARE * recipe.train.budget:
        return pretrained, "pretrained weights: no time in train.budget to compare them with training from scratch"
    probe, seconds = _trial(pretrained, _probe_recipe(recipe), started, threads)
    fitted = f"linear probe {task_class.format_score(probe)} in {format_seconds(seconds)}"
    if probe >= SETTLED:
        return pretrained, f"pretrained weights: {fitted}, so not compared with training from scratch"
    scratch = from_scratch()
    score, trained = _trial(scratch, _short(scratch.resolved.recipe), time.monotonic(), threads)
    figures = f"{fitted}, from scratch {task_class.format_score(score)} after {format_seconds(trained)}"
    if score > probe:
        return scratch, f"from scratch, by a short comparison on the validation images: {figures}"
    return pretrained, f"pretrained weights, by a short comparison on the validation images: {figures}"


def _trial(start: Start, recipe: Recipe, started: float, threads: int) -> tuple[float, float]:
    """Train with a recipe; return the last validation score and the seconds."""
    began = time.monotonic()
    session = build_session(start.prepared, recipe, started, start.draft.origin, threads)
    session.end_seconds = None  # it ends without a report
    if session.clock:
        session.clock.reserve = 0.0
    epochs = [event for event in run_epochs(session) if isinstance(event, Epoch)]
    return epochs[-1].validation[session.task.primary], time.monotonic() - began


def _probe_seconds(start: Start, device: torch.device) -> float:
    """Estimate the seconds for the features of the training and the validation images."""
    images = sum(len(start.prepared.rows(split)) for split in ("train", "validation"))
    return images * forward_seconds(start.resolved.recipe, start.draft.candidates({}), device)


def _probe_recipe(recipe: Recipe) -> Recipe:
    """Return the recipe of a last layer on one view of each image."""
    transfer = recipe.transfer.model_copy(update={"views": 1, "unfreeze_at": 0, "replace_fc": 1})
    return recipe.model_copy(update={"transfer": transfer})


def _short(recipe: Recipe) -> Recipe:
    """Return the recipe with a share of its time."""
    train = recipe.train
    shorter = {"budget": TRIAL_SHARE * train.budget, "epochs": max(1, round(TRIAL_SHARE * train.epochs))}
    return recipe.model_copy(update={"train": train.model_copy(update=shorter)})
