"""`torch.compile`, with or without CUDA graphs, chosen by a benchmark."""

import copy
import math
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal

import torch
from torch import Tensor, nn

from convscope.training.precision import in_float32
from convscope.training.step import Loss

CompileMode = Literal["auto", "never", "always", "graphs"]
CompileChoice = Literal["never", "always", "graphs"]
SecondsLeft = Callable[[float], float]
Context = Callable[[], AbstractContextManager[Any]]

WARM_UP_STEPS, TIMED_STEPS = 2, 3  # steps per candidate
USED: dict[CompileChoice, str] = {"never": "not used", "always": "used", "graphs": "used with CUDA graphs"}
MEASURED: dict[CompileChoice, str] = {"never": "a step takes", "always": "compiled", "graphs": "with CUDA graphs"}
MIN_TRAINING_SECONDS = 300.0  # remaining training time from which the benchmark, of about a minute, pays off


class Compiled:
    """A `State.forward` that uses the compiled network in training if that is faster, else the network itself.

    Parameters, their names and the state dict are those of the network. Batches of another size than the first, such as
    the last of an epoch, run uncompiled. The choice is saved in the checkpoint, so that a resumed run computes alike.
    """

    def __init__(
        self, choice: CompileChoice | None = None, candidates: Sequence[CompileChoice] = ("always", "graphs")
    ) -> None:
        """Fix the choice; None: `decide` chooses between the uncompiled network and the candidates."""
        self.choice = choice
        self.candidates = candidates
        self._count = 0
        self._network: Callable[[Any], Any] | None = None

    def __call__(self, model: nn.Module, x: Any) -> Any:
        """Return the output of the network for a batch."""
        if self.choice is None or self.choice == "never" or not model.training:
            return model(x)
        if self._network is None:
            self._network, self._count = compiled(model, self.choice), len(x)
        return self._network(x) if len(x) == self._count else model(x)

    def decide(
        self, model: nn.Module, pair: tuple[Tensor, Tensor], loss: Loss, precision: Context, seconds_left: SecondsLeft
    ) -> str:
        """Benchmark copies if training is long enough, and return a message; "" if nothing was benchmarked.

        Args:
            model: the network to train; it and the random number generators are not changed.
            pair: a batch, x and y.
            loss: (output, y) -> scalar.
            precision: as `State.precision`.
            seconds_left: seconds per step -> remaining seconds of training.
        """
        if self.choice is not None:
            return ""
        self.choice = "never"
        started, best_saving = time.perf_counter(), 0.0
        uncompiled, report = time_step(model, pair, loss, precision, "never")
        if seconds_left(uncompiled) < MIN_TRAINING_SECONDS or math.isinf(uncompiled):
            return ""
        reports = [report]
        for choice in self.candidates:
            start = time.perf_counter()
            seconds, report = time_step(model, pair, loss, precision, choice)
            cost = time.perf_counter() - start  # compiling again is cheaper, as kernels are cached on disk
            saved = seconds_left(uncompiled) * (1 - seconds / uncompiled) - cost
            if saved > best_saving:
                best_saving, self.choice = saved, choice
            reports.append(report)
        elapsed = time.perf_counter() - started
        return f"torch.compile: {USED[self.choice]} ({', '.join(reports)}; benchmarking took {elapsed:.0f} s)"

    def state_dict(self) -> dict[str, Any]:
        """Return the choice."""
        return {"choice": self.choice}

    def load_state_dict(self, content: dict[str, Any]) -> None:
        """Restore the choice."""
        self.choice = content["choice"]


def compiled(model: nn.Module, choice: CompileChoice) -> Callable[[Any], Any]:
    """Return the network compiled according to `choice`, respecting `deterministic`; it compiles at the first call.

    CUDA graphs launch a whole pass at once. They reuse the memory of the gradients of the previous pass, so they cannot
    be used with gradient accumulation (github.com/pytorch/pytorch/issues/169545).
    """
    if choice == "never":
        return model
    warn = torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(torch.are_deterministic_algorithms_enabled(), warn_only=warn)
    return torch.compile(model, dynamic=False, mode="reduce-overhead" if choice == "graphs" else None)


def time_step(
    model: nn.Module, pair: tuple[Tensor, Tensor], loss: Loss, precision: Context, choice: CompileChoice
) -> tuple[float, str]:  # fmt: skip
    """Return the seconds per step of a copy, infinite if it fails, and a text for the report."""
    try:
        seconds = seconds_per_step(copy.deepcopy(model).train(), pair, loss, precision, choice)
    except Exception as error:  # many causes: no C compiler, too little memory, an unsupported layer
        why = (str(error).strip() or type(error).__name__).splitlines()[0]
        return math.inf, f"{MEASURED[choice]} failed: {why}"
    return seconds, f"{MEASURED[choice]} {1000 * seconds:.1f} ms"


def seconds_per_step(
    model: nn.Module, pair: tuple[Tensor, Tensor], loss: Loss, precision: Context, choice: CompileChoice = "never"
) -> float:
    """Return the minimum time of a forward and a backward pass; batch norm's running statistics change."""
    (x, y), times, network = pair, [], compiled(model, choice)
    devices = [x.device] if x.device.type == "cuda" else []
    with torch.random.fork_rng(devices), torch.enable_grad():
        for _ in range(WARM_UP_STEPS + TIMED_STEPS):
            started = time.perf_counter()
            with precision():
                output = network(x)
            value = loss(in_float32(output), y)
            model.zero_grad(set_to_none=True)
            value.backward()  # type: ignore[no-untyped-call]
            if devices:
                torch.cuda.synchronize(x.device)
            times.append(time.perf_counter() - started)
    return min(times[WARM_UP_STEPS:])
