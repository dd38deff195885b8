"""Test-time augmentation is chosen where it reduces validation errors significantly, and is reported."""

import shutil

import pytest
import torch
from torch import nn

from convscope.api import RunFolder, TrainingFinished, as_lines, compare, evaluate, predict
from convscope.bundle import AveragedViews, load_config
from convscope.devices import requested_device
from convscope.errors import ConfigError
from convscope.pipeline.build import _assemble_session
from convscope.pipeline.session import MAX_TTA_SHARE
from convscope.runs.loaders import reload
from convscope.runs.predictions import load_predictions, predict_split
from convscope.tasks import Classify, Interval
from convscope.training import TimeBudget
from helpers.small_runs import train

TTA_NOTE = (
    "Predictions are averaged over 6 test-time augmentation views: the image, counted twice, and shifted by one pixel"
)


def set_paired_gain(monkeypatch, low):
    monkeypatch.setattr(Classify, "paired_gain", lambda *_: Interval(low + 0.01, low, low + 0.02))


def test_views_that_improve_the_score_are_used_by_the_run(tmp_path, few, monkeypatch):
    set_paired_gain(monkeypatch, 0.001)
    last = train(tmp_path / "run", few, train__epochs=1)[-1]
    run = RunFolder(tmp_path / "run")
    assert isinstance(last, TrainingFinished)
    assert load_config(run.model).tta_views == "shifts"
    assert last.tta_note.startswith(TTA_NOTE)
    assert last.tta_note in as_lines(last)
    assert last.tta_note in run.report.read_text()
    assert last.scores == load_predictions(run, "validation", "shifts").meter.scores()
    found = evaluate(run.path)
    assert (found.tta_views, found["loss"]) == ("shifts", last.scores["loss"])
    assert (
        f"With a single view, the validation accuracy is {100 * evaluate(run.path, tta_views='1')['accuracy']:.2f} %"
        in last.tta_note
    )


def test_predict_uses_the_same_views(tmp_path, few, monkeypatch):
    set_paired_gain(monkeypatch, 0.001)
    train(tmp_path / "run", few, train__epochs=1)
    run = RunFolder(tmp_path / "run")
    kept = load_predictions(run, "validation", "shifts")
    files = [f"{few}/{name}" for name in kept.names]
    for tta_views in (None, "shifts"):
        found = predict(run.path, files, tta_views=tta_views)
        expected = kept.task.decode(kept.meter.output).tolist()
        for one, answer in zip(expected, found, strict=True):
            assert answer.probabilities == pytest.approx(one, abs=1e-5)


def test_views_without_a_significant_gain_are_not_used(tmp_path, few, monkeypatch):
    set_paired_gain(monkeypatch, 0.0)
    last = train(tmp_path / "run", few, train__epochs=1)[-1]
    run = RunFolder(tmp_path / "run")
    assert load_config(run.model).tta_views == "1"
    assert last.tta_note == ""
    assert last.scores == load_predictions(run, "validation").meter.scores()
    assert "Each answer is the mean" not in run.report.read_text()


@pytest.mark.parametrize("tta_views", ["1", "shifts"])
def test_explicitly_set_views_are_not_evaluated(tmp_path, few, monkeypatch, tta_views):
    monkeypatch.setattr(Classify, "paired_gain", lambda *_: pytest.fail("judged"))
    train(tmp_path / "run", few, train__epochs=1, train__tta_views=tta_views)
    assert load_config(tmp_path / "run" / "model").tta_views == tta_views


def test_single_view_and_averaged_predictions_are_stored_from_one_pass(finished, tmp_path):
    run = RunFolder(shutil.copytree(finished, tmp_path / "run"))
    before = load_predictions(run, "validation").meter
    averaged = predict_split(run, reload(run, ("validation",)), "validation", "shifts").meter
    assert torch.equal(load_predictions(run, "validation").meter.output, before.output)
    assert torch.equal(load_predictions(run, "validation", "shifts").meter.output, averaged.output)
    assert not torch.equal(averaged.output, before.output)


@pytest.mark.slow
def test_runs_are_compared_by_their_averaged_predictions(tmp_path, few, monkeypatch):
    set_paired_gain(monkeypatch, 0.001)
    for name in "ab":
        train(tmp_path / name, few, train__epochs=1)
    rows = compare([tmp_path / "a", tmp_path / "b"]).runs
    assert (
        rows[0].accuracy
        == load_predictions(RunFolder(tmp_path / "a"), "validation", "shifts").meter.scores()["accuracy"]
    )


def begun(finished, budget):
    """A training session with that run's settings and a budget."""
    run = RunFolder(finished)
    recipe = run.recipe()
    recipe = recipe.model_copy(update={"train": recipe.train.model_copy(update={"budget": budget})})
    return _assemble_session(reload(run), recipe, requested_device("cpu"))


def test_within_a_budget_views_are_used_only_if_they_are_cheap(finished):
    session = begun(finished, 100.0)
    assert isinstance(session.clock, TimeBudget)
    views = [session.estimate_eval_seconds(tta_views) for tta_views in ("1", "shifts")]
    assert views == [0, 0]
    session.clock.evaluation = 1.0
    once, several = (session.estimate_eval_seconds(tta_views) for tta_views in ("1", "shifts"))
    count = AveragedViews(nn.Identity(), (8, 8), "shifts", session.config.mirrored).num_views
    assert several == count * once
    session.clock.evaluation = 0.99 * MAX_TTA_SHARE * 100 / several
    assert session.tta_views == "shifts"
    session.clock.evaluation = 1.01 * MAX_TTA_SHARE * 100 / several
    assert session.tta_views == "1"


def test_photographs_are_looked_at_once(finished):
    session = begun(finished, 0.0)
    assert session.tta_views == "shifts"
    preprocessing = session.config.preprocessing.model_copy(update={"size": (65, 8)})
    session.config = session.config.model_copy(update={"preprocessing": preprocessing})
    assert session.tta_views == "1"


def test_spatial_predictions_are_not_averaged(tmp_path):
    with pytest.raises(ConfigError) as caught:
        train(tmp_path / "run", "shapes", task="segment", train__tta_views="shifts")
    assert str(caught.value) == "views: shifts is not supported for masks, whose positions change with the view; use 1"
