"""`torch.compile`, with CUDA graphs or without, where a timing of all ways says that it pays."""

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

WARM_UP_STEPS, TIMED_STEPS = 2, 3  # steps of each way that are not timed, then such that are
USED: dict[CompileChoice, str] = {"never": "not used", "always": "used", "graphs": "used with CUDA graphs"}
MEASURED: dict[CompileChoice, str] = {"never": "a step takes", "always": "compiled", "graphs": "with CUDA graphs"}
MIN_TRAINING_SECONDS = 300.0  # seconds of training from which a trial is worth its own cost, a minute or so


class Compiled:
    """A `State.forward`: in training the compiled network, where that pays; elsewhere the network itself.

    Weights, their names and what is saved stay the network's own. Batches of another count than the first, such as an
    epoch's last, are not compiled for. What was decided is kept in the checkpoint: a resumed run computes as before.
    """

    def __init__(
        self, choice: CompileChoice | None = None, candidates: Sequence[CompileChoice] = ("always", "graphs")
    ) -> None:
        """Take what is decided already; None: `decide` will, between the network as it is and the candidates."""
        self.choice = choice
        self.candidates = candidates
        self._count = 0
        self._network: Callable[[Any], Any] | None = None

    def __call__(self, model: nn.Module, x: Any) -> Any:
        """What the network says of a batch."""
        if self.choice is None or self.choice == "never" or not model.training:
            return model(x)
        if self._network is None:
            self._network, self._count = compiled(model, self.choice), len(x)
        return self._network(x) if len(x) == self._count else model(x)

    def decide(
        self, model: nn.Module, pair: tuple[Tensor, Tensor], loss: Loss, precision: Context, seconds_left: SecondsLeft
    ) -> str:
        """Time copies each way where training is long enough for it, and say what came of it; "" for nothing to say.

        Args:
            model: what is to be trained; it stays as it is, as do the generators of random numbers.
            pair: a batch, x and y.
            loss: (output, y) -> scalar.
            precision: as `State.precision`.
            seconds_left: seconds per step -> seconds that are left of training.
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
            cost = time.perf_counter() - start  # to compile once more costs less: kernels are kept on disk
            saved = seconds_left(uncompiled) * (1 - seconds / uncompiled) - cost
            if saved > best_saving:
                best_saving, self.choice = saved, choice
            reports.append(report)
        elapsed = time.perf_counter() - started
        return f"torch.compile: {USED[self.choice]} ({', '.join(reports)}; benchmarking took {elapsed:.0f} s)"

    def state_dict(self) -> dict[str, Any]:
        """What was decided."""
        return {"choice": self.choice}

    def load_state_dict(self, content: dict[str, Any]) -> None:
        """Go on as decided."""
        self.choice = content["choice"]


def compiled(model: nn.Module, choice: CompileChoice) -> Callable[[Any], Any]:
    """The network through `torch.compile`, whose kernels keep to `deterministic` too; it compiles when first called.

    CUDA graphs launch a whole pass at once. They write a pass's gradients where the last pass's were, so they are not
    for batches that are split, whose gradients are added up (github.com/pytorch/pytorch/issues/169545).
    """
    if choice == "never":
        return model
    warn = torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(torch.are_deterministic_algorithms_enabled(), warn_only=warn)
    return torch.compile(model, dynamic=False, mode="reduce-overhead" if choice == "graphs" else None)


def time_step(
    model: nn.Module, pair: tuple[Tensor, Tensor], loss: Loss, precision: Context, choice: CompileChoice
) -> tuple[float, str]:  # fmt: skip
    """Seconds per step of a copy, infinite where it fails, and how to say that."""
    try:
        seconds = seconds_per_step(copy.deepcopy(model).train(), pair, loss, precision, choice)
    except Exception as error:  # whatever a compiler may lack: a compiler of C, memory, a kind of layer
        why = (str(error).strip() or type(error).__name__).splitlines()[0]
        return math.inf, f"{MEASURED[choice]} it failed: {why}"
    return seconds, f"{MEASURED[choice]} {1000 * seconds:.1f} ms"


def seconds_per_step(
    model: nn.Module, pair: tuple[Tensor, Tensor], loss: Loss, precision: Context, choice: CompileChoice = "never"
) -> float:
    """The least that a forward and a backward pass take; batch norm's statistics move."""
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
