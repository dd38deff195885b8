"""Compilation is used only if a benchmark shows that it is faster, and changes nothing else."""

import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from convscope.training import Compiled
from convscope.training import compile as compiling

PAIR = (torch.randn(8, 4), torch.randint(0, 3, (8,)))
MIN_TRAINING_SECONDS = compiling.MIN_TRAINING_SECONDS


class Slow(nn.Module):
    """A network whose forward pass takes 20 ms, and 1 ms once it is "compiled"."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Dropout())
        self.wait = 0.02

    def forward(self, x: Tensor) -> Any:
        time.sleep(self.wait)
        return self.layer(x)


def compiler(wait: float, with_graphs: float | None = None) -> Callable[..., nn.Module]:
    """A compiler whose networks take this long; `with_graphs` None: it does not support CUDA graphs."""

    def compiled(model: nn.Module, dynamic: bool, mode: str | None) -> nn.Module:
        assert not dynamic
        if mode == "reduce-overhead" and with_graphs is None:
            raise RuntimeError("no graphs here\nand much more")
        model.wait = with_graphs if mode == "reduce-overhead" else wait  # type: ignore[assignment]
        return model

    return compiled


def decided(model: nn.Module, seconds: float) -> tuple[Compiled, str]:
    compiled_model = Compiled()
    return compiled_model, compiled_model.decide(
        model, PAIR, nn.functional.cross_entropy, nullcontext, lambda _: seconds
    )


def test_a_faster_candidate_is_used_and_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", compiler(0.001))
    compiled_model, message = decided(Slow(), MIN_TRAINING_SECONDS)
    assert compiled_model.choice == "always"
    assert message.startswith("torch.compile: used (a step takes 2")
    assert ", with CUDA graphs failed: no graphs here; benchmarking took " in message


def test_graphs_are_used_if_they_are_the_fastest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", compiler(0.01, with_graphs=0.001))
    compiled_model, message = decided(Slow(), MIN_TRAINING_SECONDS)
    assert compiled_model.choice == "graphs"
    assert message.startswith("torch.compile: used with CUDA graphs (a step takes 2")


def test_slower_graphs_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", compiler(0.001, with_graphs=0.01))
    assert decided(Slow(), MIN_TRAINING_SECONDS)[0].choice == "always"


def test_a_slower_candidate_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", compiler(0.03))
    compiled_model, message = decided(Slow(), MIN_TRAINING_SECONDS)
    assert compiled_model.choice == "never"
    assert message.startswith("torch.compile: not used (a step takes 2")


def test_a_gain_below_the_cost_of_the_benchmark_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", compiler(0.001))
    monkeypatch.setattr(compiling, "MIN_TRAINING_SECONDS", 0.0)
    compiled_model, _ = decided(Slow(), 0.001)
    assert compiled_model.choice == "never"


def test_a_short_training_is_not_benchmarked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", lambda *_, **__: pytest.fail("compiled"))
    compiled_model, message = decided(Slow(), MIN_TRAINING_SECONDS - 1)
    assert (compiled_model.choice, message) == ("never", "")


def test_a_failing_compiler_is_reported_and_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("no compiler of C found\nand much more")

    monkeypatch.setattr(torch, "compile", fail)
    compiled_model, message = decided(Slow(), MIN_TRAINING_SECONDS)
    assert compiled_model.choice == "never"
    assert "compiled failed: no compiler of C found, with CUDA graphs failed: no compiler of C found" in message


def test_a_batch_that_does_not_fit_into_memory_is_left_to_the_loop() -> None:
    class Large(Slow):
        def forward(self, x: Tensor) -> Any:
            raise torch.OutOfMemoryError(f"{len(x)} images")

    assert decided(Large(), MIN_TRAINING_SECONDS)[1] == ""


def test_the_benchmark_does_not_change_network_and_random_states(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", compiler(0.001))
    model = Slow().eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    decided(model, MIN_TRAINING_SECONDS)
    assert torch.equal(torch.rand(1), expected)
    assert not model.training
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_decision_is_made_once_and_kept() -> None:
    compiled_model = Compiled()
    compiled_model.load_state_dict(Compiled("always").state_dict())
    assert compiled_model.choice == "always"
    assert compiled_model.decide(Slow(), PAIR, nn.functional.cross_entropy, nullcontext, lambda _: 1e9) == ""


def test_only_training_batches_of_the_first_size_are_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def compiled(model: nn.Module, **_: Any) -> Callable[[Tensor], Tensor]:
        def call(x: Tensor) -> Tensor:
            sizes.append(len(x))
            return model(x)  # type: ignore[no-any-return]

        return call

    monkeypatch.setattr(torch, "compile", compiled)
    model, compiled_model = nn.Linear(4, 3), Compiled("always")
    for count in (8, 8, 5):
        assert torch.equal(compiled_model(model, torch.ones(count, 4)), model(torch.ones(count, 4)))
    model.eval()
    compiled_model(model, torch.ones(8, 4))
    assert sizes == [8, 8]
