"""Real processes that are killed at any moment; resumed runs end with the same bits."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from convscope.api import RunFolder, resuming
from helpers.killed_runs import KINDS, killed
from helpers.small_runs import SMALL, same, state, train, weights

EPOCHS = 20
KILLS = int(os.environ.get("CONVSCOPE_KILLS", "4"))  # of each kind of run


def command(path, source):
    settings = {**SMALL, "train.epochs": EPOCHS}
    flags = [f"--set={name}={_toml(value)}" for name, value in settings.items()]
    return [sys.executable, "-m", "convscope", "train", source, "--out", str(path), *flags]


def _toml(value):
    inside = ", ".join(f"{name} = {inner}" for name, inner in value.items()) if isinstance(value, dict) else ""
    return f"{{{inside}}}" if inside else str(value)


def begun(path, source):
    alone = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command(path, source), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=alone
    )


def until(condition, process):
    while not condition():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.002)


@pytest.fixture(autouse=True)
def _no_report(no_report):
    """See `no_report`."""


@pytest.fixture(scope="module")
def straight(few, tmp_path_factory):
    path = tmp_path_factory.mktemp("straight") / "run"
    train(path, few, train__epochs=EPOCHS)
    return path


def assert_goes_on_alike(path, straight):
    list(resuming(path))
    assert weights(path) == weights(straight)
    assert same(state(path), state(straight))
    assert len(RunFolder(path).events("epoch")) == EPOCHS


TERMINATED = pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow)
INTERRUPTED = pytest.param(signal.SIGINT, 130, marks=pytest.mark.slow)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -9), TERMINATED, INTERRUPTED])
def test_a_killed_run_goes_on_to_the_same_bits(tmp_path, few, straight, number, code):
    path = tmp_path / "run"
    with begun(path, few) as process:
        until(lambda: RunFolder(path).has_checkpoint(), process)
        time.sleep(random.random() * 0.3)
        process.send_signal(number)
        output = process.stderr.read()
        assert process.wait() == code
    if number != signal.SIGKILL:
        assert output == (
            f"convscope: stopped; at most the current epoch is lost. Continue with: convscope train --resume {path}\n"
        )
    assert_goes_on_alike(path, straight)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_kills_at_random_moments_of_runs_and_their_resumes_lose_nothing(tmp_path, kind):
    """After a kill before training started, the same command starts again in the same folder."""
    found = killed(kind, tmp_path / "home", KILLS)
    assert found.lost == []
    assert found.kills == KILLS
    assert found.early < KILLS, "some kills should have come while it trained"
