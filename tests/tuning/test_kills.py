"""Real processes on one search, some of which are killed: no trial is lost or repeated."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest

from convscope.tuning.study import Study

FLAGS = [
    "--trials", "8", "--search", "model.options.filters=4:16", "--search", "model.options.widths=4:16",
    *(
        f"--set={pair}"
        for pair in (
            "data.size=[16, 16]", "model.name=plain", "train.threads=1", "train.epochs=1", "train.batch=16",
            "train.probes=0", "augment.policy=none",
        )
    ),
]  # fmt: skip


def tune(*arguments):
    alone = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "convscope", "tune", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=alone)


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
def test_kills_lose_and_repeat_no_trial(few, tmp_path):
    path, random_ = tmp_path / "search", random.Random(1)
    process = tune(few, "--out", path, *FLAGS)
    kills = 0
    while True:
        while not (path / "search.jsonl").exists():
            assert process.poll() is None, process.stderr.read()
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
    assert process.returncode == 0, process.stderr.read()
    assert kills
    assert_no_trial_lost_or_repeated(path, 8)


@pytest.mark.slow
def test_two_processes_share_the_trials(few, tmp_path):
    path = tmp_path / "search"
    process = tune(few, "--out", path, "--jobs", "2", *FLAGS)
    assert process.wait(200) == 0, process.stderr.read()
    assert_no_trial_lost_or_repeated(path, 8)
    assert len({one["worker"] for one in records(path) if one["event"] == "rung"}) == 2
