"""A run that was stopped at any point and resumed ends with the same bits as an uninterrupted one."""

import errno
import importlib
import json
import os
import shutil
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from convscope.api import DataLoaded, Epoch, Note, PlanReady, RunFolder, Step, TrainingFinished, resuming
from convscope.errors import DataError, RunError, TrainingError
from convscope.layouts import open_data
from convscope.runs.content_digests import changed_content, content_digests
from helpers.small_runs import photos, same, start, state, train, weights

train_module = importlib.import_module("convscope.pipeline.train")  # `convscope.pipeline.train` is the verb


pytestmark = pytest.mark.usefixtures("no_report")


@pytest.fixture(scope="module")
def straight(few, tmp_path_factory):
    """A run that was never stopped."""
    path = tmp_path_factory.mktemp("straight") / "run"
    train(path, few)
    return path


def stopped(path, source, when, **changes):
    """Train until an event for which `when` holds, and stop there."""
    events = start(path, source, **changes)
    for event in events:
        if when(event):
            break
    events.close()


def after_epoch(number):
    return lambda event: isinstance(event, Epoch) and event.epoch == number


def after_step(number):
    return lambda event: isinstance(event, Step) and event.step == number


def values_of(path):
    """The recorded events without the seconds."""
    return [{name: value for name, value in event.items() if name != "seconds"} for event in RunFolder(path).events()]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"optimiser__name": "adamw", "schedule__name": "cosine", "train__average": 0.9},
        {"schedule__name": "plateau", "schedule__patience": 0, "train__keep": "best", "train__stop_patience": 5},
    ],
    ids=["sgd, one cycle", "adamw, cosine, average", "plateau, best, patience"],
)
def test_a_resumed_run_ends_with_the_same_bits(tmp_path, changes, few):
    straight, broken = tmp_path / "straight", tmp_path / "broken"
    train(straight, few, train__epochs=3, **changes)
    stopped(broken, few, after_epoch(1), train__epochs=3, **changes)
    torch.rand(7)  # whatever is drawn in between
    events = list(resuming(broken))
    assert isinstance(events[0], DataLoaded)
    assert isinstance(events[1], PlanReady)
    assert events[1].first_epoch == 1
    assert weights(broken) == weights(straight)
    assert same(state(broken), state(straight))
    assert values_of(broken) == values_of(straight)


@pytest.mark.parametrize("when", [after_step(5), after_step(2)], ids=["in an epoch", "in the first epoch"])
def test_a_run_broken_off_in_an_epoch_repeats_that_epoch(tmp_path, straight, when, few):
    stopped(tmp_path / "run", few, when)
    list(resuming(tmp_path / "run"))
    assert weights(tmp_path / "run") == weights(straight)
    assert same(state(tmp_path / "run"), state(straight))
    assert values_of(tmp_path / "run") == values_of(straight)


def test_a_run_can_be_stopped_again_and_again(tmp_path, straight, few):
    stopped(tmp_path / "run", few, after_step(1))
    for when in (after_step(2), after_epoch(1), after_step(5)):
        events = resuming(tmp_path / "run")
        for event in events:
            if when(event):
                break
        events.close()
    list(resuming(tmp_path / "run"))
    assert weights(tmp_path / "run") == weights(straight)


def test_a_finished_run_has_nothing_to_go_on_with_but_its_report(tmp_path, straight):
    path = shutil.copytree(straight, tmp_path / "run")
    (path / "report.html").unlink()
    events = list(resuming(path))
    assert [type(event) for event in events] == [DataLoaded, PlanReady, TrainingFinished]
    assert weights(path) == weights(straight)
    assert (path / "report.html").exists()


def test_patience_that_is_exhausted_stays_exhausted(tmp_path, monkeypatch, few):
    """Killed between the last epoch and the report, a run must not train on."""
    found = iter([0.4, 0.3, 0.2])
    scores = {"loss": 1.0, "macro_f1": 0.0}
    monkeypatch.setattr(
        "convscope.pipeline.session.TrainingSession.evaluate", lambda *_: scores | {"accuracy": next(found)}
    )
    stopped(tmp_path / "run", few, after_epoch(3), train__epochs=9, train__stop_patience=1)
    events = list(resuming(tmp_path / "run"))
    assert [type(event) for event in events] == [DataLoaded, PlanReady, TrainingFinished]
    assert events[-1].epoch == 1


def test_a_damaged_checkpoint_is_replaced_by_the_previous_one(tmp_path, straight):
    path = shutil.copytree(straight, tmp_path / "run")
    file = path / "checkpoint" / "last.pt"
    file.write_bytes(file.read_bytes()[:-1000])
    events = list(resuming(path))
    assert Note(1, 3, f"{path / 'checkpoint'}: last.pt is damaged; resuming from previous.pt") in events
    assert weights(path) == weights(straight)
    assert same(state(path), state(straight))


def test_two_damaged_states_are_the_end(tmp_path, straight):
    path = shutil.copytree(straight, tmp_path / "run")
    for name in ("last.pt", "previous.pt"):
        (path / "checkpoint" / name).write_bytes(b"nothing")
    with pytest.raises(RunError) as caught:
        list(resuming(path))
    assert str(caught.value) == (
        f"{path / 'checkpoint'}: last.pt and previous.pt cannot be opened (File is not a zip file); start a new run"
    )


def test_images_that_came_since_do_not_change_a_resumed_run(tmp_path):
    folder = photos(tmp_path / "photos")
    train(tmp_path / "straight", str(folder))
    stopped(tmp_path / "run", str(folder), after_epoch(1))
    pixels = np.random.default_rng(9).integers(0, 65536, (20, 20)).astype(np.uint16)
    Image.fromarray(pixels).save(folder / "a" / "new.png")  # a grey of 16 bits among colours
    list(resuming(tmp_path / "run"))
    assert weights(tmp_path / "run") == weights(tmp_path / "straight")
    assert RunFolder(tmp_path / "run").data() == RunFolder(tmp_path / "straight").data()


def test_images_that_are_gone_are_named(tmp_path):
    folder = photos(tmp_path / "photos")
    stopped(tmp_path / "run", str(folder), after_epoch(1))
    for number in (3, 5):
        (folder / "b" / f"{number}.png").unlink()
    with pytest.raises(DataError) as caught:
        list(resuming(tmp_path / "run"))
    assert str(caught.value) == (
        f"{folder}: 2 of the run's images are missing, such as b/3.png; restore them or train again"
    )


def test_changed_images_are_reported(tmp_path):
    folder = photos(tmp_path / "photos")
    stopped(tmp_path / "run", str(folder), after_epoch(1))
    Image.new("RGB", (16, 16), "red").save(folder / "a" / "0.png")
    found = next(iter(resuming(tmp_path / "run")))
    assert found.summary.notes == ("files or labels have changed since the run started, so the result may differ",)


def test_what_changed_since_the_start_is_recorded_in_the_events(tmp_path):
    folder, run = photos(tmp_path / "photos"), tmp_path / "run"
    stopped(run, str(folder), after_epoch(1))
    Image.new("RGB", (16, 16), "red").save(folder / "a" / "0.png")
    file = RunFolder(run).environment_file
    file.write_text(json.dumps({**json.loads(file.read_text()), "torch": "2.0.0"}))
    list(resuming(run))
    assert [event["text"] for event in RunFolder(run).events("note")] == [
        f"resumed with PyTorch {version('torch')} instead of 2.0.0: the result may differ from that without a stop",
        "files or labels have changed since the run started, so the result may differ",
        "the content of 1 of 20 compared files has changed since the run started, such as a/0.png, "
        "so the result may differ",
    ]


def test_a_resumed_run_uses_the_number_of_threads_with_which_it_started(tmp_path, monkeypatch):
    folder, run, threads = photos(tmp_path / "photos"), tmp_path / "run", []
    monkeypatch.setattr("convscope.pipeline.build.use_cores", threads.append)
    stopped(run, str(folder), after_epoch(1), train__threads=0)
    file = RunFolder(run).environment_file
    file.write_text(json.dumps({**json.loads(file.read_text()), "threads": 3}))
    list(resuming(run))
    assert threads == [None, 3]


def test_an_image_that_was_damaged_since_is_named(tmp_path):
    folder = photos(tmp_path / "photos")
    stopped(tmp_path / "run", str(folder), after_epoch(1))
    file = folder / "a" / "0.png"
    file.write_bytes(file.read_bytes()[:300])
    with pytest.raises(DataError) as caught:
        list(resuming(tmp_path / "run"))
    assert str(caught.value) == (
        f"{folder}: a/0.png could be decoded when the run started: damaged or truncated; copy it again or delete it"
    )


def test_a_label_that_is_new_since_is_named(tmp_path):
    folder = photos(tmp_path / "photos")
    table = tmp_path / "photos" / "labels.csv"
    rows = [f"{file.relative_to(folder)},{file.parent.name}" for file in sorted(folder.rglob("*.png"))]
    table.write_text("\n".join(["file,label", *rows]))
    stopped(tmp_path / "run", str(table), after_epoch(1))
    table.write_text("\n".join(["file,label", *rows]).replace("a/0.png,a", "a/0.png,yak"))
    with pytest.raises(DataError) as caught:
        list(resuming(tmp_path / "run"))
    assert str(caught.value) == (
        f"{table}: the label yak is new; the run was started with a, b; correct the label or train again"
    )


def test_a_disk_that_fills_while_a_state_is_saved_costs_that_epoch_alone(tmp_path, straight, monkeypatch, few):
    path, write, saved = tmp_path / "run", torch.save, []

    def filling(content, file):
        if saved:
            file.write(b"half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        saved.append(content["epoch"])
        write(content, file)

    monkeypatch.setattr(torch, "save", filling)
    with pytest.raises(TrainingError) as caught:
        train(path, few)
    assert str(caught.value) == (
        f"{path / 'checkpoint'}: the state could not be saved (No space left on device), and the last saved one is "
        "unchanged; free disk space or choose another folder, then resume"
    )
    assert state(path)["epoch"] == 1
    monkeypatch.setattr(torch, "save", write)
    list(resuming(path))
    assert weights(path) == weights(straight)


@pytest.mark.parametrize(
    "what", ["model/model.safetensors", "events.jsonl", "report.html", "predictions/validation.npz"]
)
def test_a_full_disk_is_reported_in_one_line_and_the_run_can_be_resumed(tmp_path, straight, monkeypatch, what, few):
    path, sync, write = tmp_path / "run", os.fsync, train_module.append_line

    def full(handle):
        if Path(what).name in Path(f"/proc/self/fd/{handle}").readlink().name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(handle)

    def full_line(file, record):
        if record.get("step") == 5 and what == "events.jsonl":
            raise RunError(f"{file}: cannot be written (No space left on device); free some space, then continue")
        write(file, record)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        patched.setattr(train_module, "append_line", full_line)
        with pytest.raises(RunError) as caught:
            train(path, few)
    assert str(caught.value).startswith(f"{path / what}: cannot be written (No space left on device)")
    list(resuming(path))
    assert weights(path) == weights(straight)
    assert values_of(path) == values_of(straight)
    assert (path / "report.html").exists()


@pytest.mark.slow
def test_a_resumed_run_has_the_rest_of_its_budget(tmp_path, few, monkeypatch):
    """3 of 5 seconds are reserved for the report, so both sessions together have less than 2 for training."""
    monkeypatch.setattr("convscope.pipeline.end_seconds.slowness", lambda: 1.0)  # a busy machine reserves more
    stopped(tmp_path / "run", few, after_epoch(1), train__budget=5)
    before = state(tmp_path / "run")
    list(resuming(tmp_path / "run"))
    after = state(tmp_path / "run")
    assert after["epoch"] > before["epoch"]
    assert before["extras"]["clock"]["spent"] < 1.5 < after["extras"]["clock"]["spent"] < 3


def test_seconds_of_a_killed_sitting_are_counted_by_its_epochs(tmp_path, few):
    stopped(tmp_path / "run", few, after_epoch(1))
    first = RunFolder(tmp_path / "run").events("epoch")[0]["seconds"]
    whole = list(resuming(tmp_path / "run"))[-1].seconds
    assert whole > first
    assert RunFolder(tmp_path / "run").environment()["seconds"] == pytest.approx(whole, abs=0.1)


def replaced(file, seed=1):
    """Another image in place of a file, with the same size and time."""
    before = file.stat()
    pixels = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file)
    content = file.read_bytes()[: before.st_size]
    file.write_bytes(content.ljust(before.st_size, b"\0"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_images_replaced_at_the_same_size_and_time_are_reported_everywhere(tmp_path):
    folder, run = photos(tmp_path / "photos", size=(16, 16)), tmp_path / "run"
    for file in folder.rglob("*.png"):
        file.write_bytes(file.read_bytes().ljust(2000, b"\0"))
    stopped(run, str(folder), after_epoch(1))
    for number in (2, 5):
        replaced(folder / "b" / f"{number}.png")
    list(resuming(run))
    sentence = (
        "the content of 2 of 20 compared files has changed since the run started, such as b/2.png, "
        "so the result may differ"
    )
    assert [event["text"] for event in RunFolder(run).events("note")] == [sentence]
    assert RunFolder(run).data()["summary"]["notes"] == [sentence]


def test_check_data_compares_all_files_and_a_resume_an_even_sample(tmp_path, monkeypatch):
    monkeypatch.setattr("convscope.runs.content_digests.SAMPLE", 5)
    folder = photos(tmp_path / "photos")
    for file in folder.rglob("*.png"):
        file.write_bytes(file.read_bytes().ljust(2000, b"\0"))
    found = open_data(str(folder))
    recorded = content_digests(found)
    assert len(recorded) == 20
    assert len(content_digests(found, most_bytes=8000)) == 4
    assert changed_content(found, recorded) == ""
    for name in ("a/0.png", "b/1.png"):
        replaced(folder / name)
    assert changed_content(found, recorded) == (
        "the content of 1 of 5 compared files has changed since the run started, such as a/0.png, so the result may "
        "differ; --check-data compares all"
    )
    assert changed_content(found, recorded, check_all=True) == (
        "the content of 2 of 20 compared files has changed since the run started, such as a/0.png, "
        "so the result may differ"
    )


def test_an_image_whose_header_was_damaged_since_is_not_called_missing(tmp_path):
    folder = photos(tmp_path / "photos")
    stopped(tmp_path / "run", str(folder), after_epoch(1))
    (folder / "a" / "0.png").write_bytes(b"no image")
    with pytest.raises(DataError) as caught:
        list(resuming(tmp_path / "run"))
    assert str(caught.value) == (
        f"{folder}: a/0.png could be decoded when the run started: not an image in a supported format; "
        "convert it to PNG or JPEG, or delete it"
    )


class Killed(BaseException):
    """A kill at one moment."""


@pytest.mark.parametrize("moment", ["save", "save_bundle", "append_line", "save_confusion"])
def test_a_kill_at_any_write_of_an_epoch_loses_no_feature_maps(tmp_path, few, monkeypatch, moment):
    straight, broken = tmp_path / "straight", tmp_path / "broken"
    train(straight, few, train__epochs=3)
    place, calls = "convscope.pipeline.checkpointing", []

    def killed(*_arguments, **_options):
        calls.append(1)
        if len(calls) == 2:
            raise Killed
        return real(*_arguments, **_options)

    real = getattr(importlib.import_module(place), moment)
    with monkeypatch.context() as patched:
        patched.setattr(f"{place}.{moment}", killed)
        with pytest.raises(Killed):
            train(broken, few, train__epochs=3)
    list(resuming(broken))
    assert weights(broken) == weights(straight)
    assert values_of(broken) == values_of(straight)
    maps = [sorted(path.glob("probes/*.npz")) for path in (straight, broken)]
    assert [file.name for file in maps[0]] == [file.name for file in maps[1]]
    assert len(maps[0]) == 3
    assert all(one.read_bytes() == other.read_bytes() for one, other in zip(*maps, strict=True))


def test_files_left_by_a_killed_process_are_deleted_on_resume(tmp_path, few):
    run = tmp_path / "run"
    stopped(run, few, after_epoch(1))
    left = [run / ".report.html.999999999", run / "model" / ".config.json.999999999", run / "checkpoint" / "writing.pt"]
    mine = run / f".notes.{os.getpid()}"
    for file in (*left, mine, run / "probes" / "writing.npz", run / "probes" / "epoch_00009.npz"):
        file.write_bytes(b"half")
    list(resuming(run))
    assert not any(file.exists() for file in left)
    assert mine.exists()
    assert sorted(file.name for file in (run / "probes").iterdir()) == [
        "epoch_00001.npz", "epoch_00002.npz", "probes.json",
    ]  # fmt: skip
