"""The `Run` object."""

import subprocess
import sys
from pathlib import Path

import pytest

import convscope as cs
from convscope.api import FailedFile
from convscope.errors import ConvscopeError, RunError
from helpers.small_runs import small


@pytest.fixture(scope="module")
def run(few, tmp_path_factory):
    return cs.train(few, out=tmp_path_factory.mktemp("verbs") / "run", settings=small())


@pytest.mark.slow
def test_training_returns_the_run_and_prints_what_happens(few, tmp_path, capsys):
    run = cs.train(few, out=tmp_path / "run", epochs=1, seed=3, settings={"model.options": {"width": 4}})
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == f"source: {few}"
    assert printed[-2] == f"report: {tmp_path / 'run' / 'report.html'}"
    assert run.path == tmp_path / "run"
    assert run.folder.recipe().seed == 3
    assert len(run.history) == 1


def test_runs_are_named_after_their_data(few, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = cs.train(few, epochs=1, settings=small())
    assert run.path.as_posix() == "runs/photos-1"


def test_arguments_override_the_settings_of_a_recipe_file(run, few, tmp_path):
    again = cs.train(few, out=tmp_path / "again", epochs=1, settings=run.folder.recipe_file)
    assert again.folder.recipe().model == run.folder.recipe().model
    assert again.folder.recipe().train.epochs == 1


def test_a_run_lists_its_epochs(run):
    assert [epoch["epoch"] for epoch in run.history] == [1, 2]
    assert run.history[0].keys() >= {"train", "validation", "seconds", "learning_rate"}
    assert repr(run) == f"Run({str(run.path)!r}, 2 epochs)"


def test_a_run_can_evaluate_and_predict(run, few, tmp_path):
    assert run.evaluate() == cs.evaluate(run.path)
    answers = run.predict([Path(few) / "a" / "0.png", str(Path(few) / "b")])
    assert len(answers) == 31
    assert answers[0].label in ("a", "b")
    (tmp_path / "x.png").touch()
    assert isinstance(run.predict(tmp_path / "x.png")[0], FailedFile)


def test_a_run_that_was_stopped_goes_on(run):
    assert run.resume().path == run.path


def test_a_notebook_shows_the_report(run):
    shown = run._repr_html_()
    assert shown.startswith('<iframe sandbox srcdoc="&lt;!doctype html&gt;')
    assert "&lt;svg" in shown
    (run.path / "report.html").unlink()
    assert "2 epochs" in run._repr_html_(), "a run without a report shows what it is"


def test_a_path_that_is_not_a_run_is_rejected(tmp_path):
    with pytest.raises(RunError):
        cs.Run(tmp_path)
    with pytest.raises(ConvscopeError):
        cs.Run(tmp_path / "gone")


def test_predicting_needs_no_more_than_the_two_files_of_the_model(run, few):
    predictions = cs.predict(run.path / "model", Path(few) / "a" / "0.png")
    assert predictions.classes == ("a", "b")
    assert predictions[0].label in predictions.classes


@pytest.mark.slow
def test_training_small_images_imports_no_compiler_and_no_scikit_learn(tmp_path):
    """Importing each of them takes a second; matplotlib is needed only for the report."""
    done = (
        "import sys, convscope as cs\n"
        "small = {'model.options': {'width': 4, 'depths': [1, 1]}, 'train.threads': 1}\n"
        f"cs.train('digits', out={str(tmp_path / 'run')!r}, epochs=1, settings=small)\n"
        "sys.exit(', '.join({'torch._dynamo', 'sympy', 'sklearn'} & set(sys.modules)) or 0)"
    )
    process = subprocess.run([sys.executable, "-c", done], capture_output=True, text=True)
    assert (process.returncode, process.stderr) == (0, "")
