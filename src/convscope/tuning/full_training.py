"""The two trainings in full that end a search: the default recipe, and the winner, each for the same share of time.

The winner is never worse than its trial: where the time left is too short for a training in full, or that training ends
worse, the network of the trial is the winner.
"""

import shutil
import time
from collections.abc import Generator, Mapping
from pathlib import Path

from convscope.bundle import load_config
from convscope.pipeline import resuming, training
from convscope.runs.events import Event, TrainingFinished
from convscope.runs.folder import RunFolder
from convscope.runs.overrides import Overrides, lay, leaves
from convscope.tuning.folder import WINNER
from convscope.tuning.plan import CHOSEN, SearchPlan
from convscope.tuning.state import SearchState
from convscope.tuning.study import Trial


def train_default(
    state: SearchState, what: str, overrides: Overrides, budget: float | None, primary: str
) -> Generator[Event]:
    """Train the default recipe, go on with its training if it was stopped, or do nothing where it is complete.

    Args:
        state: of the search.
        what: the name of the training, which is also that of its folder.
        overrides: all settings that are not to be chosen from the data.
        budget: seconds; None: not limited.
        primary: the name of the main score.
    """
    if what not in state.study.trainings:
        finished = yield from _train(state.folder.training(what), overrides, budget)
        _record(state, what, finished, primary)


def train_winner(
    state: SearchState, trial: Trial, overrides: Overrides, budget: float | None, primary: str
) -> Generator[Event]:
    """Train the winner in full, or finish its trial where that gives the better network.

    Args:
        state: of the search.
        trial: the winner.
        overrides: its settings.
        budget: seconds; None: not limited.
        primary: the name of the main score.
    """
    if WINNER in state.study.trainings:
        return
    result = trial.result
    assert result is not None  # a winner has completed a rung
    path, started = state.folder.winner, (state.folder.winner / "recipe.toml").exists()
    epochs = None if budget is None else int(max(budget, 0.0) / max(trial.epoch_seconds, 1e-9))
    if not started and epochs is not None and epochs < result.epochs:
        why = f"the time left is enough for {epochs} epochs in full, fewer than the {result.epochs} of the trial"
        finished = yield from _finish_trial(state, trial)
        _record(state, WINNER, finished, primary, why)
        return
    finished = yield from _train(path, overrides, budget)
    if finished.scores[primary] >= result.score:
        _record(state, WINNER, finished, primary)
        return
    ended = len(RunFolder(path).events("epoch"))
    why = f"trained in full, {ended} epochs, it ends at a lower score"
    finished = yield from _finish_trial(state, trial)
    _record(state, WINNER, finished, primary, why)


def default_settings(plan: SearchPlan) -> Overrides:
    """Return the settings of the default recipe: the user's, without options of a network that the search chose."""
    if plan.sources.get("model.name") != CHOSEN:
        return plan.given
    model = {name: value for name, value in plan.given.get("model", {}).items() if name != "options"}
    others = {name: value for name, value in plan.given.items() if name != "model"}
    values = {**others, "model": model} if model else others
    return Overrides(values, {name: plan.given.source(name) for name in leaves(values)})


def winner_settings(plan: SearchPlan, values: Mapping[str, object], limited: bool) -> Overrides:
    """Return all settings of the winner; without a budget, it is trained for at least the epochs of the last rung."""
    overrides = plan.overrides(values)  # type: ignore[arg-type]
    if limited:
        return overrides
    epochs = max(plan.rungs.epochs[-1], plan.base.train.epochs)
    return lay(overrides, Overrides.of({"train": {"epochs": epochs}}, "training in full"))


def _train(path: Path, overrides: Overrides, budget: float | None) -> Generator[Event, None, TrainingFinished]:
    """Train, or go on with a training that was stopped; yield the events and return the last."""
    limit = {} if budget is None else {"budget": max(budget, 1.0)}
    settings = lay(overrides, Overrides.of({"train": limit}, "share of the search's budget"))
    source = str(overrides["data"]["source"])
    going_on = (path / "recipe.toml").exists()
    events = resuming(path) if going_on else training(source, path, settings, started=time.monotonic())
    return (yield from _to_end(events))


def _finish_trial(state: SearchState, trial: Trial) -> Generator[Event, None, TrainingFinished]:
    """Take the epochs that a trial has left, then evaluate and report it, in a copy of its folder.

    The copy is renamed when complete, so that a search which is killed here goes on with one or the other.
    """
    path = state.folder.winner
    copy = path.with_name(f"{WINNER}.part")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(state.folder.trial(trial.number), copy)
    shutil.rmtree(path, ignore_errors=True)
    copy.rename(path)
    return (yield from _to_end(resuming(path)))


def _to_end(events: Generator[Event]) -> Generator[Event, None, TrainingFinished]:
    last: Event | None = None
    for last in events:
        yield last
    assert isinstance(last, TrainingFinished)
    return last


def _record(state: SearchState, what: str, finished: TrainingFinished, primary: str, instead_of: str = "") -> None:
    folder = RunFolder(state.folder.training(what))
    with state.locked():
        state.write(
            "trained", what=what, score=finished.scores[primary], epochs=len(folder.events("epoch")),
            seconds=finished.seconds, num_parameters=load_config(folder.model).num_parameters, instead_of=instead_of,
        )  # fmt: skip
