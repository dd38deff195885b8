"""The learning-rate range test before training, with ``train.find_lr``."""

import json
import time
from dataclasses import asdict

from convscope.errors import TrainingError
from convscope.files import atomic_write, to_plain
from convscope.pipeline.build import build_session
from convscope.runs.folder import RunFolder
from convscope.runs.loaders import PreparedData
from convscope.runs.recipe import Recipe
from convscope.training import Note, RangeSettings, RangeTest, TimeBudget, learning_rate_range_test

BUDGET_SHARE = 0.25  # maximum share of a budget for the test


def find_learning_rate(folder: RunFolder, prepared: PreparedData, recipe: Recipe) -> tuple[Recipe, Note | None]:
    """Return the recipe with the learning rate that the range test suggests, and a note; unchanged without `find_lr`.

    The curve is written to ``range_test.json``. In the returned recipe `find_lr` is off, so that it reproduces the run.
    """
    if not recipe.train.find_lr:
        return recipe, None
    rate = recipe.optimiser.rate
    try:
        found = _run_range_test(prepared, recipe)
        atomic_write(folder.range_test_file, json.dumps(to_plain(asdict(found)), indent=1).encode())
        rate = float(f"{found.suggestion:.2g}")
        message = f"learning rate {rate:g}: {found.why} (range test)"
    except TrainingError as error:
        message = f"{error}; continuing with learning rate {rate:g}"
    train = recipe.train.model_copy(update={"find_lr": False})
    optimiser = recipe.optimiser.model_copy(update={"learning_rate": rate})
    return recipe.model_copy(update={"train": train, "optimiser": optimiser}), Note(0, 0, message)


def _run_range_test(prepared: PreparedData, recipe: Recipe) -> RangeTest:
    session, settings = build_session(prepared, recipe, time.monotonic()), RangeSettings()
    seconds = BUDGET_SHARE * recipe.train.budget
    batches = TimeBudget(seconds).limit(session.train) if seconds else session.train
    found = learning_rate_range_test(session.state, batches, session.task.loss, settings)
    if len(found.rates) < settings.steps and found.diverged_at is None:
        raise TrainingError(f"range test: not finished within {seconds:g} s, a quarter of train.budget")
    return found
