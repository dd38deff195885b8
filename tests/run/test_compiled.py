"""M58: `train.compile`: by default nothing is compiled on a CPU, and what is asked for trains as well as without."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from convscope.run.trainee import compiled_for


def test_what_is_compiled_follows_from_the_setting_and_the_device() -> None:
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    assert compiled_for("auto", gpu).on is None  # a trial decides
    assert [compiled_for(way, cpu).on for way in ("auto", "never", "always")] == [False, False, True]
    assert compiled_for("never", gpu).on is False


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a compiler of C++")
def test_a_compiled_run_learns_the_same(tmp_path: Path) -> None:
    def train(*flags: str) -> list[float]:
        call = [sys.executable, "-m", "convscope", "train", *flags]
        subprocess.run(call, check=True, capture_output=True, timeout=280)
        lines = (tmp_path / flags[-1] / "events.jsonl").read_text().splitlines()
        return [event["train"]["loss"] for event in map(json.loads, lines) if event["event"] == "epoch"]

    common = ["digits", "--model", "lenet", "--epochs", "2", "--seed", "1", "--set", "train.threads=1"]
    found = {
        way: train(*common, "--set", f"train.compile={way}", "--out", str(tmp_path / way))
        for way in ("always", "never")
    }
    assert found["always"] == pytest.approx(found["never"], rel=1e-3)
