"""The two trainings in full that end a search: the default recipe, and the winner, each for the same share of time."""

import time
from collections.abc import Generator, Mapping

from convscope.bundle import load_config
from convscope.pipeline import resuming, training
from convscope.runs.events import Event, TrainingFinished
from convscope.runs.folder import RunFolder
from convscope.runs.overrides import Overrides, lay
from convscope.tuning.plan import SearchPlan
from convscope.tuning.state import SearchState


def train_in_full(
    state: SearchState, what: str, overrides: Overrides, budget: float | None, primary: str
) -> Generator[Event]:
    """Train with these settings, go on with a training that was stopped, or do nothing where it is complete.

    Args:
        state: of the search.
        what: `DEFAULT` or `WINNER`.
        overrides: all settings that are not to be chosen from the data.
        budget: seconds; None: not limited.
        primary: the name of the main score.
    """
    if what in state.study.trainings:
        return
    path = state.folder.training(what)
    limit = {} if budget is None else {"budget": max(budget, 1.0)}
    settings = lay(overrides, Overrides.of({"train": limit}, "share of the search's budget"))
    source = str(overrides["data"]["source"])
    going_on = (path / "recipe.toml").exists()
    events = resuming(path) if going_on else training(source, path, settings, started=time.monotonic())
    for event in events:
        yield event
        if isinstance(event, TrainingFinished):
            folder = RunFolder(path)
            with state.locked():
                state.write(
                    "trained", what=what, score=event.scores[primary], epochs=len(folder.events("epoch")),
                    seconds=event.seconds, num_parameters=load_config(folder.model).num_parameters,
                )  # fmt: skip


def default_settings(plan: SearchPlan) -> Overrides:
    """Return the settings of the default recipe: the user's."""
    return plan.given


def winner_settings(plan: SearchPlan, values: Mapping[str, object], limited: bool) -> Overrides:
    """Return all settings of the winner; without a budget, it is trained for at least the epochs of the last rung."""
    overrides = plan.overrides(values)  # type: ignore[arg-type]
    if limited:
        return overrides
    epochs = max(plan.rungs.epochs[-1], plan.base.train.epochs)
    return lay(overrides, Overrides.of({"train": {"epochs": epochs}}, "training in full"))
