"""Problems are found while a network trains, recorded once, and found again by diagnose."""

import json

import pytest

import convscope as cs
from convscope.api import fix
from convscope.errors import RunError, TrainingError
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


def test_a_fix_changes_the_setting_and_says_that_it_helped(tmp_path, few, convscope):
    train(tmp_path / "run", few, model__init="zeros", train__epochs=4)
    code, out, _ = convscope("diagnose", tmp_path / "run", "--checks", "learning", "--fix")
    lines = out.splitlines()
    new = tmp_path / "run-fix-1"
    assert code == 0
    assert lines[-3] == "fix of identical_units: --set model.init=auto"
    assert lines[-2].endswith(": it helped")
    assert lines[-1] == f"run: {new}"
    assert RunFolder(new).recipe().model.init == "auto"
    assert RunFolder(new).data()["splits"] == RunFolder(tmp_path / "run").data()["splits"]


def test_a_run_in_which_no_setting_is_wrong_is_not_fixed(tmp_path, few):
    train(tmp_path / "run", few, model__init="zeros", train__epochs=1)
    diagnosis = cs.diagnose(tmp_path / "run", checks=["learning"])
    with pytest.raises(RunError) as caught:
        fix(tmp_path / "run", kind="leaks", diagnosis=diagnosis)
    assert str(caught.value) == (
        f"{tmp_path / 'run'}: no finding leaks that a setting can fix (found: identical_units); "
        "make the change that convscope diagnose proposes"
    )
