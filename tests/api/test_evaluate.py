"""Scores of a split; each evaluation on the test split is recorded and shown."""

import json
import re
import shutil

import numpy as np
import pytest
import torch

from convscope.api import Epoch, RunFolder, evaluate, write_report
from convscope.bundle import load_bundle
from convscope.datasets import read_image
from convscope.errors import ConfigError, RunError
from convscope.runs.predictions import load_predictions
from helpers.small_runs import photos, start, train


@pytest.fixture
def run(finished, tmp_path):
    return RunFolder(shutil.copytree(finished, tmp_path / "run"))


def test_training_never_touches_the_test_set(tmp_path, few, monkeypatch):
    requests = []
    from convscope.runs.loaders import PreparedData

    batches = PreparedData.batches
    monkeypatch.setattr(
        PreparedData, "batches", lambda self, role, how: requests.append(role) or batches(self, role, how)
    )
    train(tmp_path / "run", few, train__epochs=1)
    assert set(requests) == {"train", "validation"}
    assert not (tmp_path / "run" / "test_evaluations.jsonl").exists()
    assert not (tmp_path / "run" / "predictions" / "test.npz").exists()


def test_the_scores_are_those_of_the_saved_network_on_the_files_of_the_set(tmp_path, few):
    """Computed independently from the files that data.json lists."""
    train(tmp_path / "run", few)
    run = RunFolder(tmp_path / "run")
    found = evaluate(run.path, "test")
    model, config = load_bundle(run.model)
    mean, std = (np.array(v)[:, None, None] for v in (config.preprocessing.mean, config.preprocessing.std))
    right = 0
    names = run.data()["splits"]["test"]
    for name in names:
        x = torch.from_numpy((read_image(tmp_path.__class__(few) / name, 3) / 255 - mean) / std).float()[None]
        with torch.no_grad():
            right += config.classes[int(model(x).argmax())] == name.split("/")[0]
    assert found["accuracy"] == pytest.approx(right / len(names))
    assert found.num_images == len(names) == 6
    assert found.epoch == 2
    assert load_predictions(run, "test").names == tuple(names)


def test_evaluation_equals_the_scores_reported_by_training(run):
    result = run.events("epoch")[-1]["validation"]
    found = evaluate(run.path, "validation")
    assert {name: found[name] for name in result} == pytest.approx(result, abs=1e-4)
    low, high = found.interval
    assert 0 <= low < found["accuracy"] < high <= 1
    assert found.test_evaluations == 0


def test_each_evaluation_on_the_test_split_is_recorded_and_shown(run):
    assert evaluate(run.path, "test").test_evaluations == 1
    first = run.test_evaluations()[0]
    assert first.keys() == {
        *("when", "split", "images", "epoch", "tta_views"),
        *("loss", "accuracy", "top5", "macro_f1", "interval"),
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", first["when"])
    assert "Not evaluated yet." in run.report.read_text(), "evaluating does not touch the report"
    write_report(run)
    assert "1 evaluation on the test split." in run.report.read_text()
    assert evaluate(run.path, "test").test_evaluations == 2
    assert len(run.test_evaluations()) == 2
    write_report(run)
    page = run.report.read_text()
    assert "2 evaluations on the test split." in page
    assert page.count(f"<td>{first['when']}</td>") >= 1
    assert "test accuracy, first evaluation" in page


def test_a_report_states_that_the_test_split_was_not_evaluated(finished):
    page = (finished / "report.html").read_text()
    assert "Not evaluated yet." in page
    assert f"convscope evaluate {finished} --split test" in page


def test_a_truncated_evaluation_record_does_not_hide_others(run):
    evaluate(run.path, "test")
    with run.test_evaluations_file.open("a") as file:
        file.write('{"when": "20')
    assert evaluate(run.path, "test").test_evaluations == 2


def test_a_stopped_run_can_be_evaluated(tmp_path, few):
    """It has a network but no report yet; the evaluation is still recorded."""
    events = start(tmp_path / "run", few)
    next(event for event in events if isinstance(event, Epoch))
    events.close()
    run = RunFolder(tmp_path / "run")
    assert evaluate(run.path, "test").epoch == 1
    assert len(run.test_evaluations()) == 1
    assert not run.report.exists()
    with pytest.raises(RunError) as caught:
        write_report(run)
    file = run.predictions / "validation.npz"
    assert (
        str(caught.value)
        == f"{file}: missing or damaged; create it with: convscope evaluate {run.path} --split validation"
    )
    evaluate(run.path, "validation")
    assert write_report(run).exists()


def test_a_run_without_a_network_is_an_error_that_names_the_remedy(tmp_path, few):
    events = start(tmp_path / "run", few)
    next(event for event in events if event.__class__.__name__ == "Step")
    events.close()
    with pytest.raises(RunError) as caught:
        evaluate(tmp_path / "run", "test")
    assert str(caught.value) == (
        f"{tmp_path / 'run'}: no network saved yet; continue training with: convscope train --resume {tmp_path / 'run'}"
    )


def test_another_set_is_refused(run):
    with pytest.raises(ConfigError) as caught:
        evaluate(run.path, "tests")
    assert str(caught.value) == "split tests: no such split; did you mean test?"


def test_an_empty_set_is_refused(tmp_path, few):
    train(tmp_path / "run", few, train__epochs=1, data__test=0.0)
    with pytest.raises(RunError) as caught:
        evaluate(tmp_path / "run", "test")
    assert str(caught.value) == (
        f"{tmp_path / 'run'}: its test split is empty; train again with more images or a larger data.test"
    )


def test_a_run_trained_on_an_unavailable_device_is_evaluated_on_an_available_one(run):
    text = run.recipe_file.read_text()
    run.recipe_file.write_text(text.replace('device = "auto"', 'device = "xpu:7"'))
    assert evaluate(run.path, "validation")["accuracy"] > 0


def test_files_of_more_than_8_bits_are_seen_as_in_training(tmp_path):
    """Twelve bits in 16-bit files: evaluation and prediction must use the same white value."""
    from PIL import Image

    from convscope.api import predict

    folder = photos(tmp_path / "deep", each=10)
    for number, file in enumerate(sorted(folder.rglob("*.png"))):
        low = 0 if file.parent.name == "a" else 3000
        pixels = np.random.default_rng(number).integers(low, low + 1000, (16, 16)).astype(np.uint16)
        Image.fromarray(pixels).save(file)
    train(tmp_path / "run", str(folder), train__epochs=4)
    run = RunFolder(tmp_path / "run")
    assert json.loads((run.model / "config.json").read_text())["preprocessing"]["white"] == [4095]
    answers = load_predictions(run, "validation")
    probabilities = answers.task.decode(answers.meter.output)
    predicted = predict(run.path, [folder / name for name in answers.names])
    for expected, found in zip(probabilities.tolist(), predicted, strict=True):
        assert found.probabilities == pytest.approx(expected, abs=1e-5)


def test_evaluation_with_more_views_does_not_change_the_stored_predictions(run) -> None:
    kept = (run.path / "predictions" / "validation.npz").read_bytes()
    once, ten = evaluate(run.path), evaluate(run.path, tta_views="10")
    assert (once.tta_views, ten.tta_views) == ("1", "10")
    assert once["loss"] != ten["loss"]
    assert (run.path / "predictions" / "validation.npz").read_bytes() == kept
