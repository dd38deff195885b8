"""Real processes on one search, some of which are killed: no trial is lost or repeated."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress

import pytest

from convscope.tuning.study import Study

FLAGS = [
    "--trials", "8", "--search", "model.options.widths=4:16",
    *(
        f"--set={pair}"
        for pair in (
            "data.size=[16, 16]", "model.name=plain", "train.threads=1", "train.epochs=1", "train.batch=16",
            "train.probes=0", "augment.policy=none",
        )
    ),
]  # fmt: skip


@pytest.fixture
def tune(tmp_path):
    """A function that starts the command; what it prints on stderr is in the file ``errors``."""
    with (tmp_path / "errors").open("w") as errors:

        def start(*arguments):
            alone = os.environ | {"OMP_NUM_THREADS": "1"}
            command = [sys.executable, "-m", "convscope", "tune", *map(str, arguments)]
            return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors, env=alone)

        yield start


def records(path):
    return [json.loads(line) for line in (path / "search.jsonl").read_bytes().split(b"\n") if line]


def assert_no_trial_lost_or_repeated(path, trials):
    found = records(path)
    reached = Counter((one["number"], one["rung"]) for one in found if one["event"] == "rung")
    assert set(reached.values()) == {1}, "no rung of a trial was trained twice to its end"
    assert {number for number, rung in reached if rung == 0} == set(range(trials))
    proposals = [tuple(one["values"].items()) for one in found if one["event"] == "trial"]
    assert len(set(proposals)) == trials
    study = Study(found)
    assert study.finished
    assert study.winner == study.best().number


@pytest.mark.slow
def test_kills_lose_and_repeat_no_trial(tune, few, tmp_path):
    path, random_ = tmp_path / "search", random.Random(1)
    process = tune(few, "--out", path, *FLAGS, "--search", "model.options.filters=4:16")
    kills = 0
    while True:
        while not (path / "search.jsonl").exists():
            assert process.poll() is None, (tmp_path / "errors").read_text()
            time.sleep(0.05)
        try:
            process.wait(random_.uniform(4, 7) if kills < 4 else 90)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
            with (path / "search.jsonl").open("ab") as log:
                log.write(b'{"event": "rung", "numb' if kills % 2 else b"")
            process = tune("--resume", path)
        else:
            break
    assert process.returncode == 0, (tmp_path / "errors").read_text()
    assert kills
    assert_no_trial_lost_or_repeated(path, 8)


def wait_for(path, happened, seconds=120):
    """Wait for an event of the log; return it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(OSError, ValueError):  # not there yet, or its last line is being written
            for one in records(path):
                if happened(one):
                    return one
        time.sleep(0.05)
    raise AssertionError(f"not in {path}")


@pytest.mark.slow
def test_two_processes_share_the_trials(tune, few, tmp_path):
    path = tmp_path / "search"
    first = tune(few, "--out", path, *FLAGS, "--search", "model.options.filters=4:16")
    holder = wait_for(path, lambda one: one["event"] == "started")["worker"]
    time.sleep(0.05)  # the log is unlocked again
    first.send_signal(signal.SIGSTOP)  # with a trial in its hands
    second = tune("--resume", path)
    for _ in range(8):
        try:
            wait_for(path, lambda one: one["event"] == "rung" and one["worker"] != holder, 20)
            break
        except AssertionError:  # it was stopped while it held the lock of the log
            first.send_signal(signal.SIGCONT)
            time.sleep(0.05)
            first.send_signal(signal.SIGSTOP)
    first.send_signal(signal.SIGCONT)
    assert [first.wait(120), second.wait(60)] == [0, 0], (tmp_path / "errors").read_text()
    assert_no_trial_lost_or_repeated(path, 8)
    assert len({one["worker"] for one in records(path) if one["event"] == "rung"}) == 2
