"""Problems are found while a network trains, recorded once, and found again by diagnose."""

import json

import pytest

import convscope as cs
from convscope.errors import TrainingError
from convscope.runs.events import ProblemFound
from convscope.runs.folder import RunFolder
from helpers.small_runs import train

pytestmark = pytest.mark.usefixtures("no_report")


def test_weights_of_zero_are_found_in_the_first_epoch_and_printed_once(tmp_path, few, convscope):
    events = train(tmp_path / "run", few, model__init="zeros", train__epochs=2)
    problems = [event for event in events if isinstance(event, ProblemFound)]
    assert [(event.epoch, event.kind) for event in problems] == [(1, "identical_units")]
    code, out, _ = convscope("diagnose", tmp_path / "run", "--checks", "learning", "--json")
    content = json.loads(out)
    assert code == 0
    assert content["checks"] == ["learning"]
    assert content["findings"][0]["kind"] == "identical_units"
    code, out, _ = convscope("diagnose", tmp_path / "run", "--checks", "learning")
    assert out.splitlines()[1] == "   initialise at random: --set model.init=auto  [identical_units]"


def test_layers_are_measured_after_each_epoch_and_activations_after_1_2_4(tmp_path, few):
    train(tmp_path / "run", few, train__epochs=4)
    records = RunFolder(tmp_path / "run").events("layers_measured")
    assert [record["epoch"] for record in records] == [1, 2, 3, 4]
    assert [record["input_std"] is not None for record in records] == [True, True, False, True]
    first = records[0]["layers"][0]
    assert first["gradient_norm"] > 0
    assert first["identical"] is False


def test_a_loss_that_is_not_finite_is_diagnosed_though_the_training_failed(tmp_path, few):
    settings = {
        "optimiser__name": "sgd", "optimiser__learning_rate": 1e30, "optimiser__momentum": 0.0,
        "schedule__name": "constant", "train__find_lr": False,
    }  # fmt: skip
    with pytest.raises(TrainingError):
        train(tmp_path / "run", few, train__epochs=6, **settings)
    diagnosis = cs.diagnose(tmp_path / "run", checks=["learning"])
    assert diagnosis.findings[0].kind == "loss_not_finite"
    assert diagnosis.findings[0].change.settings == {"optimiser.learning_rate": 1e29}
