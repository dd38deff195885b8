"""Events as text: every line is compared in full."""

import doctest
import re

import pytest

from convscope.api import DataLoaded, Epoch, Note, PlanReady, RunFolder, TrainingFinished, as_json, as_lines, resuming
from convscope.reports import text as lines
from helpers.small_runs import photos, small, start, train

pytestmark = pytest.mark.usefixtures("no_report")


@pytest.fixture
def events_of_run(tmp_path, few):
    return train(tmp_path / "run", few)


def only(events, kind):
    return next(event for event in events if isinstance(event, kind))


def test_the_lines_of_the_dataset(events_of_run, few):
    found = only(events_of_run, DataLoaded)
    assert found.summary.because
    assert as_lines(found) == [
        f"source: {few}",
        f"layout: folder, because {found.summary.because}",
        "task: classify",
        "images: 60: 48 train, 6 validation, 6 test",
        "split: validation and test cut from train with seed 0; change it with --set seed, data.validation, data.test",
        "sizes (height x width): 16 x 16",
        "image modes: 60 RGB",
        "classes: 2, 30 images each",
        "network input: 16 x 16, 3 channels",
        "pixels: in memory, 60 images of 3 x 16 x 16 in 0.0 MB",
        "  class  images  train  validation  test",
        "  a          30     24           3     3",
        "  b          30     24           3     3",
    ]


def test_the_lines_of_the_plan(events_of_run, tmp_path):
    assert as_lines(only(events_of_run, PlanReady)) == [
        "task: classify",
        "network: resnet18, stem small, width 4, depths [1, 1], dropout 0.1: 1,382 parameters",
        "input size: 16 x 16, augmentation light, with left-right flips",
        "training: 2 epochs of 3 steps, batches of 16",
        "optimiser: muon, learning rate 0.12, linear",
        f"run: {tmp_path / 'run'}",
    ]


def test_the_line_of_an_epoch(events_of_run):
    (line,) = as_lines(only(events_of_run, Epoch))
    assert re.fullmatch(
        r"epoch   1  loss \d\.\d{4} train, \d+\.\d{4} validation  accuracy \d\.\d{4}  lr [\d.e-]+  \d+\.\d s", line
    )


def test_the_lines_of_the_result(events_of_run, tmp_path):
    path = tmp_path / "run"
    first, energy, report, after = as_lines(only(events_of_run, TrainingFinished))
    assert re.fullmatch(r"validation accuracy \d+\.\d\d % \(epoch 2\) after \d+\.\d s", first)
    assert re.fullmatch(r"energy \S+ Wh \((measured|estimated, .*)\), \S+ g CO2e with .* the world \(.*\)", energy)
    assert report == f"report: {path / 'report.html'}"
    assert after == (
        f"next: convscope explore {path}   convscope evaluate {path} --split test   convscope predict {path} FILES"
    )


@pytest.mark.parametrize("supported", [True, False])
def test_the_result_names_the_precision_of_the_epochs_if_it_differs(tmp_path, few, monkeypatch, supported):
    """An image can fall otherwise in bfloat16 than in float32, in which predictions are computed."""
    monkeypatch.setattr("convscope.pipeline.session.computes_bfloat16", lambda _device: supported)
    finished = only(train(tmp_path / "run", few, train__precision="auto"), TrainingFinished)
    sentence = (
        "Epochs were scored in bfloat16, in which they trained; the final score is computed in float32, as "
        "predictions are, and can differ by a few images."
    )
    assert (as_lines(finished)[0] == sentence) is supported


def test_notes_have_a_line_and_steps_have_none(events_of_run):
    assert as_lines(Note(1, 2, "learning rate down")) == ["learning rate down"]
    assert [as_lines(event) for event in events_of_run if event.__class__.__name__ == "Step"] == [[]] * 6


def test_a_resumed_run_names_its_last_epoch(tmp_path, few):
    events = start(tmp_path / "run", few)
    only(events, Epoch)
    events.close()
    assert as_lines(only(resuming(tmp_path / "run"), PlanReady))[-1] == "resumed: after epoch 1"
    list(resuming(tmp_path / "run"))
    assert as_lines(only(resuming(tmp_path / "run"), PlanReady))[-1] == (
        "resumed: after epoch 2, the last one: only the report is rewritten"
    )


def test_a_budget_is_shown_instead_of_the_number_of_epochs(tmp_path, few):
    events = start(tmp_path / "run", few, train__budget=75)
    assert as_lines(only(events, PlanReady))[3] == "training: 1 min 15 s in total, epochs of 3 steps, batches of 16"
    events.close()


def test_duplicates_and_leaks_are_noted(tmp_path):
    folder = photos(tmp_path / "photos" / "train")
    photos(tmp_path / "photos" / "test", each=3, seed=1)
    for number in range(7):
        (tmp_path / "photos" / "test" / "a" / f"copy{number}.png").write_bytes(
            (folder / "a" / f"{number}.png").read_bytes()
        )
    events = start(tmp_path / "run", str(tmp_path / "photos"))
    found = only(events, DataLoaded)
    shown = "; ".join(f"train/a/{n}.png and test/a/copy{n}.png (duplicate)" for n in range(5))
    assert found.summary.notes == (
        "7 images are copies or near copies of others; the data's own splits separate some",
        f"7 leaks between the data's own splits, which inflate the scores: {shown} and 2 more in data.json",
    )
    next(events)
    assert len(RunFolder(tmp_path / "run").data()["leaks"]) == 7
    events.close()


def test_every_event_is_a_json_object(events_of_run):
    names = [as_json(event)["event"] for event in events_of_run]
    epoch = [*["step"] * 3, "epoch", "layers_measured"]
    assert names == ["data_loaded", "plan_ready", *epoch, *epoch, "training_finished"]
    planned = as_json(events_of_run[1])
    assert planned["recipe"]["train"]["epochs"] == small()["train"]["epochs"]
    assert as_json(Epoch(1, 2, {"loss": float("nan")}, {"loss": float("inf")}, 0.5, 0.1)) == {
        "event": "epoch", "epoch": 1, "step": 2, "train": {"loss": None}, "validation": {"loss": None}, "seconds": 0.5,
        "learning_rate": 0.1,
    }  # fmt: skip


def test_the_examples_in_the_docstrings_are_correct():
    assert doctest.testmod(lines).failed == 0
