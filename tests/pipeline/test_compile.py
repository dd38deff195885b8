"""`train.compile`: nothing is compiled on a CPU by default, and a compiled network trains as well as without."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from convscope.api import train
from convscope.errors import ConfigError
from convscope.pipeline.build import compile_for
from convscope.runs.recipe import Recipe


def values_of(way: str, micro_batch: int | None = None) -> Recipe:
    return Recipe.model_validate({"train": {"compile": way}, "step": {"micro_batch": micro_batch}})


def test_what_is_compiled_follows_from_the_setting_and_the_device() -> None:
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    assert compile_for(values_of("auto"), gpu).choice is None  # a trial decides
    ways = ("auto", "never", "always", "graphs")
    assert [compile_for(values_of(way), cpu).choice for way in ways] == ["never", "never", "always", "graphs"]
    assert [compile_for(values_of(way), gpu).choice for way in ways[1:]] == ["never", "always", "graphs"]


def test_graphs_are_not_tried_where_gradients_are_added_up() -> None:
    gpu = torch.device("cuda")
    assert compile_for(values_of("auto"), gpu).candidates == ("always", "graphs")
    assert compile_for(values_of("auto", micro_batch=8), gpu).candidates == ("always",)


def test_cuda_graphs_are_rejected_on_a_cpu(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot add up the gradients of a step\.micro_batch; set train\.compile to"):
        train("digits", out=tmp_path / "run", settings={"train.compile": "graphs", "step.micro_batch": 8})


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a compiler of C++")
def test_a_compiled_run_learns_the_same(tmp_path: Path) -> None:
    def losses(*flags: str) -> list[float]:
        call = [sys.executable, "-m", "convscope", "train", *flags]
        subprocess.run(call, check=True, capture_output=True, timeout=280)
        lines = (tmp_path / flags[-1] / "events.jsonl").read_text().splitlines()
        return [event["train"]["loss"] for event in map(json.loads, lines) if event["event"] == "epoch"]

    common = ["digits", "--model", "lenet", "--epochs", "2", "--seed", "1", "--set", "train.threads=1"]
    found = {
        way: losses(*common, "--set", f"train.compile={way}", "--out", str(tmp_path / way))
        for way in ("always", "never")
    }
    assert found["always"] == pytest.approx(found["never"], rel=1e-3)
