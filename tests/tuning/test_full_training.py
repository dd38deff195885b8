"""The winner of a search: trained in full, or its trial where that gives the better network."""

from types import SimpleNamespace

import pytest

from convscope.runs.overrides import Overrides
from convscope.tuning import full_training
from convscope.tuning.folder import WINNER
from convscope.tuning.full_training import default_settings, train_winner
from convscope.tuning.plan import CHOSEN


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """A function from the score in full and the time left to what was recorded; the trial has 0.9 after 4 epochs."""
    recorded = []

    def fake(score):
        def run(*_arguments):
            yield from ()
            return SimpleNamespace(scores={"accuracy": score})

        return run

    def winner(in_full, budget):
        monkeypatch.setattr(full_training, "_train", fake(in_full))
        monkeypatch.setattr(full_training, "_finish_trial", fake(0.9))
        monkeypatch.setattr(full_training, "RunFolder", lambda _path: SimpleNamespace(events=lambda _kind: [{}] * 7))
        monkeypatch.setattr(
            full_training, "_record",
            lambda _state, what, finished, primary, why="": recorded.append((what, finished.scores[primary], why)),
        )  # fmt: skip
        state = SimpleNamespace(study=SimpleNamespace(trainings={}), folder=SimpleNamespace(winner=tmp_path / "winner"))
        trial = SimpleNamespace(result=SimpleNamespace(score=0.9, epochs=4), epoch_seconds=2.0)
        list(train_winner(state, trial, {}, budget, "accuracy"))
        return recorded.pop()

    return winner


@pytest.mark.parametrize("budget", [None, 8.0])
def test_a_training_in_full_that_is_as_good_is_the_winner(trained, budget):
    assert trained(0.9, budget) == (WINNER, 0.9, "")


def test_a_training_in_full_that_ends_lower_gives_way_to_the_trial(trained):
    assert trained(0.8, None) == (WINNER, 0.9, "trained in full, 7 epochs, it ends at a lower score")


def test_a_time_for_fewer_epochs_than_the_trial_had_is_not_used(trained):
    assert trained(0.95, 7.9) == (
        WINNER, 0.9, "the time left is enough for 3 epochs in full, fewer than the 4 of the trial",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("source", "model"), [(CHOSEN, {"seed": 1}), ("--model", {"seed": 1, "model": {"options": {"kernel": 5}}})]
)
def test_options_of_a_network_that_the_search_chose_are_not_those_of_the_default_recipe(source, model):
    given = Overrides.of({"seed": 1, "model": {"options": {"kernel": 5}}}, "--set")
    settings = default_settings(SimpleNamespace(sources={"model.name": source}, given=given))
    assert (dict(settings), settings.source("seed")) == (model, "--set")
