"""A budget is kept and ends with a network, for every task, from scratch and pretrained, on a slow machine too."""

import time

import pytest
import torch
from torch import nn

from convscope.api import Note, RunFolder, Step, TrainingFinished
from convscope.layouts import draw_shapes
from convscope.pipeline import build, end_seconds
from convscope.tasks import TASKS
from convscope.training import TimeBudget, linear_probe
from helpers.small_runs import start, train

VALIDATION = 20  # images: a tenth of 200


@pytest.fixture(scope="module", autouse=True)
def _few_shapes():
    """Two hundred of the drawn shapes."""
    patch = pytest.MonkeyPatch()
    patch.setattr("convscope.layouts.builtin.draw_shapes", lambda _count, seed: draw_shapes(200, seed))
    yield
    patch.undo()


@pytest.fixture(autouse=True)
def _no_report(no_report):
    """See `no_report`."""


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    """A run to start from."""
    path = tmp_path_factory.mktemp("origin") / "run"
    train(path, "shapes", train__epochs=1, augment__policy="none", data__size=32)
    return path


@pytest.fixture
def slow(monkeypatch):
    """Let each image that enters a network take some seconds more, by all clocks; returns those seconds."""
    added = {"seconds": 0.0, "each": 0.0, "slower": 1.0, "images": 0, "slower_from": float("inf")}
    monotonic, counter = time.monotonic, time.perf_counter

    def now():
        return monotonic() + added["seconds"]

    def before_forward(module, inputs):
        if isinstance(module, nn.Conv2d) and module.in_channels == 3:
            added["images"] += len(inputs[0])
            if added["images"] > added["slower_from"]:
                added["slower"] = 3.0
            added["seconds"] += added["slower"] * added["each"] * len(inputs[0])

    monkeypatch.setattr(end_seconds, "slowness", lambda: added["slower"])  # what runs beside the test decides nothing
    monkeypatch.setattr(build, "TimeBudget", lambda seconds, reserve: TimeBudget(seconds, reserve, now))
    monkeypatch.setattr(time, "monotonic", now)
    monkeypatch.setattr(time, "perf_counter", lambda: counter() + added["seconds"])
    handle = nn.modules.module.register_module_forward_pre_hook(before_forward)
    yield added
    handle.remove()


@pytest.mark.parametrize("start", ["scratch", "pretrained"])
@pytest.mark.parametrize("name", TASKS)
def test_a_budget_ends_with_a_network_on_a_slow_machine(slow, origin, tmp_path, name, start):
    """A pass over the training images takes four times the budget."""
    slow["each"] = 1.0
    checkpoint = {"transfer__checkpoint": str(origin)} if start == "pretrained" else {}
    events = train(tmp_path / "run", "shapes", task=name, train__budget=40.0, data__size=32, **checkpoint)
    assert isinstance(events[-1], TrainingFinished)
    assert TASKS[name].primary in events[-1].scores
    assert (RunFolder(tmp_path / "run").model / "model.safetensors").exists()
    # at most: measuring the speed, a batch or the fewest images, and the validation images twice
    assert slow["seconds"] <= 40 + 60 + 2 * VALIDATION


@pytest.mark.parametrize("each", [0.02, 0.08])
def test_a_budget_is_kept_by_measured_speed(slow, origin, tmp_path, each):
    """A view takes 3.2 or 12.8 of 50 seconds: all four views or two, then the evaluation, all in time."""
    slow["each"] = each
    began = time.monotonic()
    events = train(tmp_path / "run", "shapes", train__budget=50.0, data__size=32, transfer__checkpoint=str(origin))
    assert time.monotonic() - began <= 50
    stage = RunFolder(tmp_path / "run").transfer()["stages"][0]
    assert (stage["views"], stage["images"]) == {0.02: (4, 640), 0.08: (2, 320)}[each]
    assert events[-1].probe == stage["probe"] == pytest.approx(events[-1].scores["accuracy"])


def test_too_few_seconds_for_all_images_are_used_for_some_of_each_class(slow, origin, tmp_path):
    slow["each"] = 0.5
    train(tmp_path / "run", "shapes", train__budget=80.0, data__size=32, transfer__checkpoint=str(origin))
    stage = RunFolder(tmp_path / "run").transfer()["stages"][0]
    assert stage["views"] == 1
    assert 64 <= stage["images"] < 160
    assert stage["probe"] > 0.2, "better than chance: every class was seen"


def test_a_budget_that_is_used_up_before_the_first_step_still_ends_with_a_network(tmp_path):
    events = train(tmp_path / "run", "shapes", train__budget=0.01, data__size=32)
    first = next(event.text for event in events if isinstance(event, Note))
    spent, reserved = first.split(" but ")[1].split(" ")[0], first.split(" and ")[1].split(" ")[0]
    assert first == (
        f"train.budget is 0.01 s, but {spent} s were used before the first step and {reserved} s are reserved for the "
        "report: training is as short as possible; increase it"
    )
    assert torch.isfinite(torch.tensor(events[-1].scores["loss"]))


def events_with(slow, path, at, **changes):
    """Train with a budget of 100 seconds of which each image takes 0.05; after the n-th step the clock is changed."""
    slow["each"], found, steps = 0.05, [], 0
    for event in start(path, "shapes", train__budget=100.0, data__size=32):
        found.append(event)
        steps += isinstance(event, Step)
        if isinstance(event, Step) and steps == at:
            slow["seconds"] += changes.get("jump", 0.0)
            slow["each"] *= changes.get("slower", 1.0)
    return found, steps


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [{"jump": 3600.0}, {"jump": -3600.0}, {"jump": -5.0}, {"slower": 10.0}, {"slower": 0.1}],
    ids=["an hour ahead", "an hour back", "five seconds back", "ten times slower", "ten times faster"],
)
def test_a_budget_ends_with_a_network_and_a_report_if_the_clock_or_the_processor_changes(slow, tmp_path, changes):
    events, steps = events_with(slow, tmp_path / "run", at=8, **changes)
    assert isinstance(events[-1], TrainingFinished)
    assert (RunFolder(tmp_path / "run").model / "model.safetensors").exists()
    assert RunFolder(tmp_path / "run").report.exists()
    assert torch.isfinite(torch.tensor(events[-1].scores["loss"]))
    assert all(event["seconds"] is not None for event in RunFolder(tmp_path / "run").events("epoch"))
    assert 8 <= steps <= 1000
    spent = slow["seconds"] - changes.get("jump", 0.0)
    assert spent <= 100 + 16 * 0.5 + 2 * VALIDATION * 0.5, "at most a batch and two evaluations too late"


@pytest.fixture
def end_takes_time(slow, monkeypatch):
    """Let the last checkpoint take one second and the report two, or three times as long."""

    def write(folder, *_given):
        slow["seconds"] += slow["slower"] * (end_seconds.CHECKPOINT_SECONDS + end_seconds.REPORT_SECONDS)
        return folder.report

    monkeypatch.setattr("convscope.pipeline.finalize.write_report", write)


PRETRAINED = {"each validation image": 20, "the first view": 100, "the second view": 300}
FROM_SCRATCH = {"the first epoch": 80, "the first evaluation": 165, "a later epoch": 1200, "a later evaluation": 1340}


@pytest.mark.slow
@pytest.mark.usefixtures("end_takes_time")
@pytest.mark.parametrize("images", PRETRAINED.values(), ids=PRETRAINED)
def test_a_machine_three_times_slower_from_within_features_on_still_keeps_the_budget(slow, origin, tmp_path, images):
    slow["each"], slow["slower_from"], began = 0.1, images, time.monotonic()
    train(tmp_path / "run", "shapes", train__budget=100.0, data__size=32, transfer__checkpoint=str(origin), seed=images)
    assert slow["slower"] == 3, "it did become slower"
    assert time.monotonic() - began <= 110


@pytest.mark.slow
@pytest.mark.usefixtures("end_takes_time")
@pytest.mark.parametrize("images", FROM_SCRATCH.values(), ids=FROM_SCRATCH)
def test_a_machine_three_times_slower_from_within_training_on_still_keeps_the_budget(slow, tmp_path, images):
    slow["each"], slow["slower_from"], began = 0.05, images, time.monotonic()
    train(tmp_path / "run", "shapes", train__budget=100.0, data__size=32)
    assert slow["slower"] == 3, "it did become slower"
    assert 80 <= time.monotonic() - began <= 110


@pytest.mark.slow
@pytest.mark.usefixtures("end_takes_time")
def test_a_machine_three_times_slower_from_within_the_fit_on_still_keeps_the_budget(
    slow, origin, tmp_path, monkeypatch
):
    calls, outputs = [], linear_probe._outputs

    def slow_outputs(layer, x):
        calls.append(len(x))
        slow["slower"] = 3.0 if len(calls) > 200 else 1.0
        slow["seconds"] += 0.05 * slow["slower"]
        return outputs(layer, x)

    monkeypatch.setattr(linear_probe, "_outputs", slow_outputs)
    slow["each"], began = 0.05, time.monotonic()
    train(tmp_path / "run", "shapes", train__budget=100.0, data__size=32, transfer__checkpoint=str(origin))
    assert slow["slower"] == 3, "it did become slower"
    assert time.monotonic() - began <= 110


@pytest.mark.slow
@pytest.mark.usefixtures("end_takes_time")
@pytest.mark.parametrize("images", [420, 1000, 2000])
def test_a_machine_three_times_slower_from_within_fine_tuning_on_still_keeps_the_budget(slow, origin, tmp_path, images):
    slow["each"], slow["slower_from"], began = 0.03, images, time.monotonic()
    plan = {"transfer__checkpoint": str(origin), "transfer__unfreeze_at": 2, "train__epochs": 100}
    train(tmp_path / "run", "shapes", train__budget=100.0, data__size=32, **plan)
    assert slow["slower"] == 3, "it did become slower"
    assert 80 <= time.monotonic() - began <= 110
