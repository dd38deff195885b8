"""A run whose files were edited or damaged gives results or ends in one line, whatever verb opens it."""

import json
import os
import shutil

import pytest

from convscope.api import robustness
from convscope.errors import RunError
from convscope.runs.folder import RunFolder
from helpers.edited_runs import failures_of_edited_runs
from helpers.small_runs import photos, train

COUNT = int(os.environ.get("CONVSCOPE_EDITS", "150"))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of two epochs and its photos."""
    home = tmp_path_factory.mktemp("edited")
    data = photos(home / "photos", each=15)
    train(home / "run", str(data), train__epochs=2, train__batch=16, train__probes=1)
    robustness(home / "run")
    return home / "run", data / "a" / "0.png"


@pytest.mark.slow
def test_every_verb_answers_in_a_result_or_one_line(run, tmp_path, no_report):  # noqa: ARG001
    path, image = run
    assert list(failures_of_edited_runs(path, image, tmp_path, range(COUNT))) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content.pop("splits"), "has no splits where it should, so the run cannot be used; "),
        (lambda content: content.update(splits=7), "splits: it should be a valid dictionary; "),
        (lambda content: content["classes"].append(3), "classes.2: it should be a valid string; "),
        (
            lambda content: content["preprocessing"].update(alpha=[None]),
            "preprocessing: alpha: it should be a valid boolean; ",
        ),
        (
            lambda content: content["preprocessing"].update(kind="imag"),
            "preprocessing: no kind of input imag; did you mean image?; ",
        ),
        (
            lambda content: content.update(target_kind="class"),
            "target_kind: no kind of target class; did you mean classes?; ",
        ),
        (lambda content: content["summary"].pop("notes"), "has no notes where it should, so the run cannot be used; "),
    ],
)
def test_a_file_that_does_not_hold_what_it_should_is_named(run, tmp_path, change, message):
    path = shutil.copytree(run[0], tmp_path / "run")
    file = path / "data.json"
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))
    with pytest.raises(RunError) as caught:
        read_both(path)
    assert str(caught.value) == f"{file}: {message}restore the file"


def read_both(path):
    data = RunFolder(path).data()
    return data["splits"], data["summary"]["notes"]


@pytest.mark.slow
def test_events_that_an_edit_has_broken_are_skipped(run, tmp_path):
    path = shutil.copytree(run[0], tmp_path / "run")
    file = path / "events.jsonl"
    file.write_text(file.read_text() + '7\n{"event": "epoch", "epoch": "three"}\n' + "[" * 100_000 + "\n")
    assert [event["epoch"] for event in RunFolder(path).events("epoch")] == [1, 2]
