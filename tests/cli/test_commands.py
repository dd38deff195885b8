"""The main commands: text and JSON output, and exit codes."""

import csv
import io
import json
import re
import shutil
import subprocess
import sys

import pytest

from convscope.api import PlanReady, RunFolder
from convscope.cli import main as command_line
from convscope.cli import show
from helpers.small_runs import photos, read_toml, small, weights

TINY = ["--set", "model.options.width=4", "--set", "model.options.depths=[1, 1]", "--set", "train.threads=1"]


@pytest.fixture(scope="module")
def run(few, tmp_path_factory):
    from helpers.small_runs import train

    path = tmp_path_factory.mktemp("command") / "run"
    train(path, few, train__epochs=4)
    return path


def test_training_prints_the_dataset_the_plan_and_the_result(convscope, few, tmp_path):
    path = tmp_path / "run"
    code, out, err = convscope("train", few, "--out", path, "--epochs", 2, "--seed", 5, *TINY)
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert lines[0] == f"source: {few}"
    assert [line.split()[:2] for line in lines if line.startswith("epoch")] == [["epoch", "1"], ["epoch", "2"]]
    assert lines[-2:] == [
        f"report: {path / 'report.html'}",
        f"next: convscope explore {path}   convscope evaluate {path} --split test   convscope predict {path} FILES",
    ]
    assert RunFolder(path).recipe().seed == 5


@pytest.mark.slow
def test_a_run_without_a_name_gets_one(convscope, few, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert convscope("train", few, "--epochs", 1, *TINY)[0] == 0
    assert convscope("train", few, "--epochs", 1, *TINY)[0] == 0
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["photos-1", "photos-2"]


@pytest.mark.usefixtures("no_report")
def test_events_for_machines_are_json_line_by_line(convscope, few, tmp_path):
    code, out, _ = convscope("train", few, "--out", tmp_path / "run", "--epochs", 1, "--json", *TINY)
    events = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [event["event"] for event in events][:2] == ["data_loaded", "plan_ready"]
    assert [entry["name"] for entry in events[0]["classes"]] == ["a", "b"]
    assert events[-1]["event"] == "training_finished"
    assert events[-1]["report"] == str(tmp_path / "run" / "report.html")


@pytest.mark.usefixtures("no_report")
def test_flags_go_before_the_recipe_and_the_recipe_before_the_data(convscope, run, few, tmp_path):
    path = tmp_path / "run"
    flags = ["--epochs", 1, "--size", 8, "--model", "mlp", "--set", "train.epochs=9"]
    code, _, err = convscope("train", few, "--out", path, "--recipe", run / "recipe.toml", *flags)
    assert (code, err) == (0, "")
    output = read_toml(path / "recipe.toml")
    assert (output["model"]["name"], output["train"]["epochs"], output["data"]["size"]) == ("mlp", 1, [8, 8])
    assert output["train"]["batch"] == 16, "as the recipe says"


@pytest.mark.usefixtures("no_report")
def test_a_recipe_alone_runs_again(convscope, run, tmp_path):
    code, _, err = convscope("train", "--recipe", run / "recipe.toml", "--out", tmp_path / "again")
    assert (code, err) == (0, "")
    assert weights(tmp_path / "again") == weights(run)


@pytest.mark.usefixtures("no_report")
def test_a_finished_run_can_be_resumed(convscope, run):
    code, out, _ = convscope("train", "--resume", run)
    assert code == 0
    assert "resumed: after epoch 4, the last one: only the report is rewritten" in out


REFUSED = {
    "": "convscope train: give either DATA, as in: convscope train photos, or --resume RUN",
    "digits --resume r": "convscope train: give either DATA, as in: convscope train photos, or --resume RUN",
    "--resume r --out x": "convscope train --resume: continues with the run's own settings; remove the other flags",
    "digits --log wandb": "--log wandb: unknown; choose tensorboard",
    "digits --epochs 0": "--epochs: train.epochs is 0; it should be greater than or equal to 1",
    "digits --budget soon": "--budget: train.budget is 'soon'; write a duration like 90s, 5m or 1h30m",
    "digits --set lr=0.1": "--set lr=0.1: no setting lr; did you mean optimiser.learning_rate?",
    "digits --set lr": "--set lr: '=' is missing; write it like --set optimiser.learning_rate=0.1",
    "digits --recipe my.toml": "my.toml: no such file; give a recipe.toml, for example one from an earlier run",
    "digits --model lennet": "model: no network lennet; did you mean lenet?",
}


@pytest.mark.parametrize(("words", "message"), REFUSED.items())
def test_a_flag_that_does_not_fit_is_refused_in_one_line(convscope, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    assert convscope("train", *words.split()) == (2, "", f"convscope: {message}\n")
    assert not list(tmp_path.iterdir())


def test_data_are_summarised_without_training(convscope, few):
    code, out, err = convscope("data", few)
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == f"source: {few}"


def test_scores_for_people(convscope, run):
    code, out, _ = convscope("evaluate", run)
    names = [line.split("  ")[0].strip() for line in out.splitlines()]
    assert code == 0
    assert names == [
        "score", "split", "images", "epoch", "tta_views", "loss", "accuracy", "macro_f1", "accuracy, 95 % interval",
    ]  # fmt: skip


def test_scores_for_machines(convscope, run, tmp_path):
    path = shutil.copytree(run, tmp_path / "run")
    code, out, _ = convscope("evaluate", path, "--split", "test", "--json")
    found = json.loads(out)
    assert code == 0
    assert 0 <= found["accuracy"] <= 1
    assert (found["split"], found["images"], found["test_evaluations"]) == ("test", 6, 1)
    assert len(RunFolder(path).test_evaluations()) == 1


def test_a_second_evaluation_on_the_test_split_is_reported_as_such(convscope, run, tmp_path):
    path = shutil.copytree(run, tmp_path / "run")
    report = f"To show it in the report: convscope report {path}\n"
    first = convscope("evaluate", path, "--split", "test")[1]
    assert "This was" not in first
    assert first.endswith(report)
    assert convscope("evaluate", path, "--split", "test")[1].endswith(
        f"This was test evaluation 2 of this run; only the first is an unbiased estimate for new images.\n{report}"
    )


def test_a_report_can_be_written_anew(convscope, run, tmp_path):
    path = shutil.copytree(run, tmp_path / "run")
    (path / "report.html").unlink()
    assert convscope("report", path) == (0, f"{path / 'report.html'}\n", "")
    assert (path / "report.html").exists()


def test_predictions_as_a_table(convscope, run, few):
    code, out, err = convscope("predict", run, f"{few}/a/0.png", f"{few}/b/0.png")
    lines = [line.split() for line in out.splitlines()]
    assert code == 0
    assert re.fullmatch(r"predict: 2 images in [\d.]+ s, [\d.e+]+ images/s, [\d.]+ ms per image\n", err)
    assert lines[0] == ["file", "prediction", "2."]
    assert [line[0] for line in lines[1:]] == [f"{few}/a/0.png", f"{few}/b/0.png"]
    assert [line[3] for line in lines[1:]] == ["%", "%"]
    assert convscope("predict", run, f"{few}/a/0.png", "--top", 1)[1].split()[:2] == ["file", "prediction"]


def test_predictions_as_csv(convscope, run, few):
    code, out, _ = convscope("predict", run, f"{few}/a", "--csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0
    assert len(rows) == 30
    assert list(rows[0]) == ["file", "label", "confidence", "a", "b"]
    assert float(rows[0]["a"]) + float(rows[0]["b"]) == pytest.approx(1, abs=1e-6)
    assert rows[0]["file"] == f"{few}/a/0.png"


def test_predictions_as_json(convscope, run, few):
    code, out, _ = convscope("predict", run / "model", few, "--json")
    answers = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert len(answers) == 60
    for answer in answers:
        assert answer["confidence"] == max(answer["probabilities"].values())
        assert answer["probabilities"][answer["label"]] == answer["confidence"]
        assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-6)


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_answered(convscope, run, tmp_path):
    folder = photos(tmp_path / "new", "a", each=2)
    (folder / "a" / "empty.png").touch()
    code, out, err = convscope("predict", run, folder, "--json")
    assert code == 1
    assert [json.loads(line)["file"] for line in out.splitlines()] == [f"{folder}/a/0.png", f"{folder}/a/1.png"]
    assert err == f"convscope: {folder}/a/empty.png: the file is empty, 0 bytes; copy it again or delete it\n"
    assert convscope("predict", run, folder / "a" / "empty.png") == (1, "", err)


def test_a_name_with_brackets_is_shown_as_it_is(convscope, run, few, tmp_path):
    """Rich would parse [b] as a style."""
    file = shutil.copy(f"{few}/a/0.png", tmp_path / "x[b]:smile:.png")
    assert f"{file}" in convscope("predict", run, file)[1]


@pytest.mark.slow
def test_a_reader_that_has_enough_ends_the_command_quietly(run, few):
    words = [sys.executable, "-m", "convscope", "predict", str(run), *[few] * 40, "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        process.stdout.close()
        assert (process.stderr.read(), process.wait()) == ("", 1)


def test_a_bug_shows_itself(convscope, monkeypatch):
    def broken():
        raise ValueError("a bug")

    monkeypatch.setattr(command_line, "app", broken)
    with pytest.raises(ValueError, match="a bug"):
        convscope()


@pytest.mark.usefixtures("no_report")
def test_a_terminal_gets_tables_a_bar_and_lines(few, tmp_path):
    """The same events on a terminal: all are shown, and the bars are closed."""
    from rich.console import Console

    from convscope.api import training

    screen = show.Screen()
    text = io.StringIO()
    screen.console = Console(file=text, force_terminal=True, width=100, highlight=False, markup=False, emoji=False)
    screen.bars.live.console = screen.console
    events = list(training(few, tmp_path / "run", small(), screen.on_progress))
    screen.show(iter(events))
    shown = text.getvalue()
    assert "Dataset" in shown
    assert "48 train, 6 validation, 6 test" in shown
    assert shown.count("loss") >= 2
    assert "next: convscope explore" in shown
    assert screen.images == 96
    assert isinstance(screen.plan, PlanReady)


def test_standard_output_may_be_any_encoding(convscope, run, few, monkeypatch):
    """An ASCII-only terminal shows all text too."""
    plain = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", plain)
    assert convscope("train", "--resume", run)[0] == 0
    assert convscope("evaluate", run)[0] == 0
    assert convscope("predict", run, f"{few}/a/0.png")[0] == 0


STOPS = {"DataLoaded": "", "Epoch": "convscope: stopped; at most the current epoch is lost. Continue with: {again}\n"}


@pytest.mark.usefixtures("no_report")
@pytest.mark.parametrize(("stop", "expected"), [(KeyboardInterrupt, 130), (command_line.Terminated, 143)])
@pytest.mark.parametrize("at", STOPS)
def test_an_interrupted_command_exits_with_the_signals_code_and_names_how_to_resume(
    convscope, few, tmp_path, monkeypatch, stop, expected, at
):
    path = tmp_path / "run"

    def stopped(event):
        if type(event).__name__ == at:
            raise stop
        return []

    monkeypatch.setattr(show, "as_lines", stopped)
    code, _, err = convscope("train", few, "--out", path, *TINY)
    assert (code, err) == (expected, STOPS[at].format(again=f"convscope train --resume {path}"))
    assert path.exists() == (at == "Epoch"), "what had not begun leaves nothing behind"


def test_predictions_in_a_file_are_counted_and_the_names_may_come_from_stdin(
    convscope, run, few, tmp_path, monkeypatch
):
    table = tmp_path / "predictions.csv"
    code, out, err = convscope("predict", run, few, "--out", table)
    assert (code, out) == (0, f"{table}: 60 predictions\n")
    assert re.fullmatch(r"predict: 60 images in [\d.]+ s, [\d.e+]+ images/s, [\d.]+ ms per image\n", err)
    assert len(table.read_text().splitlines()) == 61
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{few}/a/1.png\n{few}/a/gone.png\n"))
    code, out, err = convscope("predict", run, "-", "--json")
    assert (code, err) == (1, f"convscope: {few}/a/gone.png: no such file; check the path\n")
    assert json.loads(out)["file"] == f"{few}/a/1.png"
    code, _, err = convscope("predict", run, "-", few)
    assert (code, err) == (2, "convscope: predict: - reads the names from stdin; give it alone\n")
    code, _, err = convscope("predict", run, few, "--out", table, "--csv")
    message = f"convscope: --out {table}: the ending chooses the format; remove --csv and --json\n"
    assert (code, err) == (2, message)


def test_a_folder_with_a_slash_is_not_the_built_in_set_of_its_name(convscope, tmp_path, monkeypatch):
    photos(tmp_path / "digits", each=3)
    monkeypatch.chdir(tmp_path)
    code, out, err = convscope("compare", "digits/", "--recipes", "mel-mean")
    message = f"convscope: --recipes mel-mean: is for recordings, and {tmp_path}/digits holds images; leave it out\n"
    assert (code, out, err) == (2, "", message)
