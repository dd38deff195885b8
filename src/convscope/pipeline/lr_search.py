"""The learning-rate range test before training, when the recipe asks for it."""

import json
import time
from dataclasses import asdict

from convscope.errors import TrainingError
from convscope.files import plain, write_whole
from convscope.pipeline.build import begin
from convscope.runs.folder import RunFolder
from convscope.runs.loaders import Prepared
from convscope.runs.recipe import Recipe
from convscope.training import Clock, Note, RangeSettings, RangeTest, learning_rate_range_test

OF_BUDGET = 0.25  # the most of a budget that the test may take


def with_rate_found(folder: RunFolder, prepared: Prepared, recipe: Recipe) -> tuple[Recipe, Note | None]:
    """The recipe with the learning rate that the range test suggests, and a note on it, where `find_lr` asks for that.

    The curve is kept in ``range_test.json``. In the recipe that comes back `find_lr` is off, so that it runs again with
    the same rate.
    """
    if not recipe.train.find_lr:
        return recipe, None
    rate = recipe.optimiser.rate
    try:
        found = _tested(prepared, recipe)
        write_whole(folder.range_test_file, json.dumps(plain(asdict(found)), indent=1).encode())
        rate = float(f"{found.suggestion:.2g}")
        told = f"learning rate {rate:g}: {found.why} (range test)"
    except TrainingError as error:
        told = f"{error}; going on with learning rate {rate:g}"
    train = recipe.train.model_copy(update={"find_lr": False})
    optimiser = recipe.optimiser.model_copy(update={"learning_rate": rate})
    return recipe.model_copy(update={"train": train, "optimiser": optimiser}), Note(0, 0, told)


def _tested(prepared: Prepared, recipe: Recipe) -> RangeTest:
    trainee, settings = begin(prepared, recipe, time.monotonic()), RangeSettings()
    seconds = OF_BUDGET * recipe.train.budget
    batches = Clock(seconds).limit(trainee.train) if seconds else trainee.train
    found = learning_rate_range_test(trainee.state, batches, trainee.task.loss, settings)
    if len(found.rates) < settings.steps and found.diverged_at is None:
        raise TrainingError(f"range test: not through within {seconds:g} s, a quarter of train.budget")
    return found
