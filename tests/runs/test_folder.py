"""The run folder: creation, incomplete files, and locking."""

import errno
import json
import os
import subprocess
import sys

import pytest
from filelock import FileLock

from convscope.errors import DataError, RunError
from convscope.files import append_line, read_lines
from convscope.runs.folder import FORMAT, RunFolder, next_name

LEFT_BEHIND = (".lock", "data.json", "environment.json", "range_test.json", ".recipe.toml.4711", ".data.json.12")


def test_a_new_run_has_a_folder_of_its_own(tmp_path):
    with RunFolder.create(tmp_path / "runs" / "first") as run:
        run.recipe_file.write_text("seed = 0")
    assert RunFolder.open(tmp_path / "runs" / "first").recipe().seed == 0


def test_an_empty_folder_may_become_a_run(tmp_path):
    with RunFolder.create(tmp_path) as run:
        run.recipe_file.write_text("")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "recipe.toml",
            "{path}: a run already exists; choose another folder with --out, "
            "or continue it: convscope train --resume {path}",
        ),
        ("holiday.png", "{path}: already exists and is not a run; choose another folder with --out"),
        ("data.json", "{path}: already exists and is not a run; choose another folder with --out"),
    ],
)
def test_existing_files_are_never_overwritten(tmp_path, content, message):
    (tmp_path / content).write_text("mine")
    with pytest.raises(RunError) as caught, RunFolder.create(tmp_path):
        pass
    assert str(caught.value) == message.format(path=tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == [content]


def test_a_file_is_never_overwritten_by_a_run(tmp_path):
    file = tmp_path / "notes"
    file.write_text("mine")
    with pytest.raises(RunError) as caught, RunFolder.create(file):
        pass
    assert str(caught.value) == f"{file}: already exists and is not a run; choose another folder with --out"
    assert file.read_text() == "mine"


def test_a_place_where_nothing_can_be_written_is_named(tmp_path):
    """A folder cannot be created below a file, not even by root."""
    (tmp_path / "notes").write_text("mine")
    path = tmp_path / "notes" / "run"
    with pytest.raises(RunError) as caught, RunFolder.create(path):
        pass
    assert str(caught.value) == f"{path}: cannot be written (Not a directory); choose another folder with --out"


@pytest.mark.parametrize("there_before", [False, True])
def test_a_run_that_never_began_leaves_nothing_behind(tmp_path, there_before):
    path = tmp_path / "run"
    if there_before:
        path.mkdir()

    def fail():
        with RunFolder.create(path) as run:
            run.data_file.write_text("{}")
            raise DataError("photos: no images")

    with pytest.raises(DataError):
        fail()
    assert path.exists() == there_before
    assert not there_before or not list(path.iterdir())


def test_the_folder_of_a_run_that_was_killed_before_training_is_overwritten(tmp_path):
    for name in LEFT_BEHIND:
        (tmp_path / name).write_text("half")
    with pytest.raises(RunError) as caught:
        RunFolder.open(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: stopped before training started, so nothing is lost; "
        f"start it again: convscope train DATA --out {tmp_path}"
    )
    with RunFolder.create(tmp_path) as run:
        run.recipe_file.write_text("")
    assert RunFolder.open(tmp_path)


def test_a_folder_that_is_not_a_run_is_not_opened(tmp_path):
    with pytest.raises(RunError) as caught:
        RunFolder.open(tmp_path / "gone")
    path = tmp_path / "gone"
    assert str(caught.value) == f"{path}: no such run; create it with: convscope train DATA --out {path}"
    for folder in (tmp_path, tmp_path / "file"):
        (tmp_path / "file").write_text("")
        with pytest.raises(RunError) as caught:
            RunFolder.open(folder)
        assert str(caught.value) == (
            f"{folder}: not a run, because it has no recipe.toml; give a folder that convscope train wrote"
        )


@pytest.mark.parametrize("content", [None, "", '{"classes": ["a", '], ids=["missing", "empty", "cut off"])
def test_a_damaged_record_is_named(tmp_path, content):
    run = RunFolder(tmp_path)
    if content is not None:
        run.data_file.write_text(content)
    with pytest.raises(RunError) as caught:
        run.data()
    assert str(caught.value) == (
        f"{run.data_file}: missing or damaged, so the run cannot be used; train again with another --out"
    )


def test_two_processes_never_train_in_one_run(tmp_path):
    run = RunFolder(tmp_path)
    hold = f"""
from filelock import FileLock
with FileLock({str(tmp_path / ".lock")!r}):
    print("held", flush=True)
    input()
"""
    with subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        with pytest.raises(RunError) as caught, run.locked():
            pass
        other.kill()
    assert (
        str(caught.value) == f"{tmp_path}: locked by another training process; wait for it to end or choose another run"
    )
    with run.locked():  # a killed process holds nothing
        pass


def test_the_lock_is_free_again_after_an_error(tmp_path):
    with pytest.raises(ZeroDivisionError), RunFolder(tmp_path).locked():
        raise ZeroDivisionError
    with FileLock(tmp_path / ".lock", timeout=0):
        pass


def test_lines_are_read_as_they_were_written(tmp_path):
    file = tmp_path / "events.jsonl"
    assert read_lines(file) == []
    for number in range(3):
        append_line(file, {"number": number})
    assert read_lines(file) == [{"number": 0}, {"number": 1}, {"number": 2}]


@pytest.mark.parametrize(
    "cut", ['{"number": 1', '{"number": 1}', "\udcff"], ids=["half", "without its end", "not UTF-8"]
)
def test_a_line_that_a_kill_cut_off_costs_itself_alone(tmp_path, cut):
    file = tmp_path / "events.jsonl"
    file.write_bytes(b'{"number": 0}\n' + cut.encode("utf-8", "surrogateescape"))
    whole = [{"number": 0}, {"number": 1}] if cut.endswith("}") else [{"number": 0}]
    assert read_lines(file) == whole
    append_line(file, {"number": 2})
    assert read_lines(file) == [*whole, {"number": 2}]


def test_a_full_disk_is_an_error_of_one_line(tmp_path, monkeypatch):
    file = tmp_path / "events.jsonl"

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("pathlib.Path.open", full)
    with pytest.raises(RunError) as caught:
        append_line(file, {"number": 1})
    assert str(caught.value) == f"{file}: cannot be written (No space left on device); free some space, then continue"


def test_a_resumed_run_deletes_the_events_that_it_repeats(tmp_path):
    run = RunFolder(tmp_path)
    records = [
        {"event": "note", "epoch": 0}, {"event": "step", "epoch": 1, "step": 1}, {"event": "epoch", "epoch": 1},
        {"event": "step", "epoch": 2, "step": 2}, {"event": "epoch", "epoch": 2}, {"event": "step", "epoch": 3},
    ]  # fmt: skip
    run.events_file.write_text("".join(json.dumps(record) + "\n" for record in records) + '{"event": "st')
    run.forget_after(2)
    assert run.events() == records[:5]
    assert run.events("epoch") == [records[2], records[4]]
    run.forget_after(0)
    assert run.events() == records[:1]


@pytest.mark.parametrize(("left", "there"), [("writing.pt", False), ("last.pt", True), ("previous.pt", True)])
def test_a_state_half_written_is_no_checkpoint(tmp_path, left, there):
    run = RunFolder(tmp_path)
    assert not run.has_checkpoint()
    run.checkpoint.mkdir()
    (run.checkpoint / left).touch()
    assert run.has_checkpoint() == there


def test_names_of_runs_are_counted_on(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert next_name("digits").as_posix() == "runs/digits-1"
    (tmp_path / "runs" / "digits-1").mkdir(parents=True)
    assert next_name("digits").as_posix() == "runs/digits-2"
    assert next_name("/data/photos").as_posix() == "runs/photos-1"
    assert next_name("labels.csv").as_posix() == "runs/labels-1"
    assert next_name(".").as_posix() == f"runs/{tmp_path.name}-1"


def test_a_run_of_another_format_is_an_error(tmp_path):
    run = RunFolder(tmp_path)
    run.recipe_file.write_text("")
    run.environment_file.write_text(json.dumps({"format": FORMAT}))
    assert RunFolder.open(tmp_path).path == tmp_path
    for content, found in (({}, 1), ({"format": FORMAT + 1}, FORMAT + 1)):
        run.environment_file.write_text(json.dumps(content))
        with pytest.raises(RunError) as caught:
            RunFolder.open(tmp_path)
        assert str(caught.value) == (
            f"{tmp_path}: a run of format {found}, but this version of convscope reads format 3; "
            "train it again or open it with the version that wrote it"
        )
