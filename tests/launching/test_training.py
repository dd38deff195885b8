"""Training in two processes: against one, with processes that are killed or stopped, and under torchrun."""

import os
import signal
import subprocess
import sys

import pytest

from convscope.api import RunFolder, TrainingFinished, resuming, training
from convscope.errors import TrainingError
from convscope.launching.training import Launch, together
from convscope.pipeline import preparing
from convscope.training import Note, Step
from helpers.launched_runs import children, with_ends
from helpers.small_runs import same, small, state, tensors, weights

EPOCHS = 6  # of three steps
REASONS = (
    "process 0 was ended by SIGKILL", "process 1 was ended by SIGKILL", "process 1 did not answer for 5 s",
)  # fmt: skip

pytestmark = pytest.mark.slow


def settings(**changes):
    """Settings with SGD: Muon's orthogonalisation amplifies rounding, to 5e-5 in these steps."""
    sgd = {"optimiser__name": "sgd", "optimiser__learning_rate": 0.05}
    return small(**{"train__epochs": EPOCHS, "train__processes": 2, "train__probes": 0} | sgd | changes)


@pytest.fixture(scope="module")
def pair(few, tmp_path_factory):
    """A run in two processes, and its events."""
    path = tmp_path_factory.mktemp("pair") / "run"
    return path, list(training(few, path, settings()))


def test_two_processes_give_the_weights_the_scores_and_the_files_of_one(pair, few, tmp_path):
    path, events = pair
    list(training(few, tmp_path / "alone", settings(train__processes=1)))
    assert [type(event).__name__ for event in events[:2]] == ["DataLoaded", "PlanReady"]
    assert isinstance(events[-1], TrainingFinished)
    one, two = tensors(tmp_path / "alone"), tensors(path)
    assert max(float((one[name] - two[name]).abs().max()) for name in one) <= 1e-5
    alone, run = RunFolder(tmp_path / "alone"), RunFolder(path)
    assert sorted(file.name for file in path.iterdir()) == sorted(file.name for file in alone.path.iterdir())
    kinds = [event["event"] for event in alone.events()]
    assert [event["event"] for event in run.events()] == kinds
    for before, after in zip(alone.events("epoch"), run.events("epoch"), strict=True):
        assert after["train"]["loss"] == pytest.approx(before["train"]["loss"], abs=1e-5)
        assert after["validation"]["accuracy"] == before["validation"]["accuracy"]
    assert children() == []


def test_a_run_whose_processes_are_killed_and_stopped_ends_with_the_same_bits(pair, few, tmp_path):
    path = tmp_path / "run"
    list(preparing(few, path, settings(), share=2))
    ends = {1: (0, signal.SIGKILL), 3: (1, signal.SIGKILL), 5: (1, signal.SIGSTOP)}
    events = with_ends(together(Launch(path, 2, 0.0, silence=5.0)), ends)
    notes = [event for event in events if isinstance(event, Note)]
    assert [note.text for note in notes] == [
        f"{reason}; all processes were started again after epoch {note.epoch}"
        for reason, note in zip(REASONS, notes, strict=True)
    ]
    assert weights(path) == weights(pair[0])
    assert same(state(path), state(pair[0]))
    assert [event["epoch"] for event in RunFolder(path).events("epoch")] == list(range(1, EPOCHS + 1))
    assert [event["text"] for event in RunFolder(path).events("note")] == [note.text for note in notes]


def test_a_run_that_is_closed_ends_its_processes_and_is_resumed_to_the_same_bits(pair, few, tmp_path):
    events = training(few, tmp_path / "run", settings())
    next(event for event in events if isinstance(event, Step))
    assert len(children()) == 2
    events.close()
    assert children() == []
    assert isinstance(list(resuming(tmp_path / "run"))[-1], TrainingFinished)
    assert weights(tmp_path / "run") == weights(pair[0])


def test_it_gives_up_after_restarts_without_an_epoch_with_the_reason(few, tmp_path):
    path = tmp_path / "run"
    list(preparing(few, path, settings(train__restarts=0), share=2))
    with pytest.raises(TrainingError) as raised:
        with_ends(together(Launch(path, 2, 0.0)), {1: (1, signal.SIGKILL)})
    assert str(raised.value) == (
        f"{path}: process 1 was ended by SIGKILL; gave up after 1 attempt without a completed epoch; "
        f"continue with: convscope train --resume {path}"
    )


def test_an_error_of_ours_in_a_process_is_that_of_the_run(few, tmp_path):
    path = tmp_path / "run"
    list(preparing(few, path, settings(optimiser__learning_rate=1e30), share=2))
    with pytest.raises(TrainingError, match=r"^epoch 1, step \d: the .* at learning rate"):
        list(together(Launch(path, 2, 0.0)))


def test_torchrun_starts_the_processes(pair, few, tmp_path):
    recipe = pair[0] / "recipe.toml"
    run = tmp_path / "run"
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", "29611", "-m",
               "convscope", "train", few, "--recipe", str(recipe), "--out", str(run)]  # fmt: skip
    alone = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(command, capture_output=True, text=True, env=alone, check=False)
    assert done.returncode == 0, done.stderr
    assert weights(run) == weights(pair[0])
    assert done.stdout.count("epoch 6") == 1  # one process shows
