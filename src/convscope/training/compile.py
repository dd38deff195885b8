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
CompileWay = Literal["never", "always", "graphs"]
Left = Callable[[float], float]
Context = Callable[[], AbstractContextManager[Any]]

WARM, TIMED = 2, 3  # steps of each way that are not timed, then such that are
USED: dict[CompileWay, str] = {"never": "not used", "always": "used", "graphs": "used with CUDA graphs"}
LONG_TRIAL: dict[CompileWay, str] = {"never": "a step takes", "always": "compiled", "graphs": "with CUDA graphs"}
LONG = 300.0  # seconds of training from which a trial is worth its own cost, a minute or so


class Compiled:
    """A `State.enter`: in training the compiled network, where that pays; elsewhere the network itself.

    Weights, their names and what is saved stay the network's own. Batches of another count than the first, such as an
    epoch's last, are not compiled for. What was decided is kept in the checkpoint: a resumed run computes as before.
    """

    def __init__(self, way: CompileWay | None = None, candidates: Sequence[CompileWay] = ("always", "graphs")) -> None:
        """Take what is decided already; None: `decide` will, between the network as it is and the candidates."""
        self.way = way
        self.candidates = candidates
        self._count = 0
        self._network: Callable[[Any], Any] | None = None

    def __call__(self, model: nn.Module, x: Any) -> Any:
        """What the network says of a batch."""
        if self.way is None or self.way == "never" or not model.training:
            return model(x)
        if self._network is None:
            self._network, self._count = compiled(model, self.way), len(x)
        return self._network(x) if len(x) == self._count else model(x)

    def decide(self, model: nn.Module, pair: tuple[Tensor, Tensor], loss: Loss, precision: Context, left: Left) -> str:
        """Time copies each way where training is long enough for it, and say what came of it; "" for nothing to say.

        Args:
            model: what is to be trained; it stays as it is, as do the generators of random numbers.
            pair: a batch, x and y.
            loss: (output, y) -> scalar.
            precision: as `State.precision`.
            left: seconds per step -> seconds that are left of training.
        """
        if self.way is not None:
            return ""
        self.way = "never"
        began, most = time.perf_counter(), 0.0
        plain, said = time_step(model, pair, loss, precision, "never")
        if left(plain) < LONG or math.isinf(plain):
            return ""
        told = [said]
        for way in self.candidates:
            start = time.perf_counter()
            took, said = time_step(model, pair, loss, precision, way)
            cost = time.perf_counter() - start  # to compile once more costs less: kernels are kept on disk
            saved = left(plain) * (1 - took / plain) - cost
            if saved > most:
                most, self.way = saved, way
            told.append(said)
        spent = time.perf_counter() - began
        return f"torch.compile: {USED[self.way]} ({', '.join(told)}; finding out took {spent:.0f} s)"

    def state_dict(self) -> dict[str, Any]:
        """What was decided."""
        return {"way": self.way}

    def load_state_dict(self, content: dict[str, Any]) -> None:
        """Go on as decided."""
        self.way = content["way"]


def compiled(model: nn.Module, way: CompileWay) -> Callable[[Any], Any]:
    """The network through `torch.compile`, whose kernels keep to `deterministic` too; it compiles when first called.

    CUDA graphs launch a whole pass at once. They write a pass's gradients where the last pass's were, so they are not
    for batches that are split, whose gradients are added up (github.com/pytorch/pytorch/issues/169545).
    """
    if way == "never":
        return model
    warn = torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(torch.are_deterministic_algorithms_enabled(), warn_only=warn)
    return torch.compile(model, dynamic=False, mode="reduce-overhead" if way == "graphs" else None)


def time_step(
    model: nn.Module, pair: tuple[Tensor, Tensor], loss: Loss, precision: Context, way: CompileWay
) -> tuple[float, str]:  # fmt: skip
    """Seconds per step of a copy, infinite where it fails, and how to say that."""
    try:
        took = seconds_per_step(copy.deepcopy(model).train(), pair, loss, precision, way)
    except Exception as error:  # whatever a compiler may lack: a compiler of C, memory, a kind of layer
        why = (str(error).strip() or type(error).__name__).splitlines()[0]
        return math.inf, f"{LONG_TRIAL[way]} it failed: {why}"
    return took, f"{LONG_TRIAL[way]} {1000 * took:.1f} ms"


def seconds_per_step(
    model: nn.Module, pair: tuple[Tensor, Tensor], loss: Loss, precision: Context, way: CompileWay = "never"
) -> float:
    """The least that a forward and a backward pass take; batch norm's statistics move."""
    (x, y), took, network = pair, [], compiled(model, way)
    devices = [x.device] if x.device.type == "cuda" else []
    with torch.random.fork_rng(devices), torch.enable_grad():
        for _ in range(WARM + TIMED):
            began = time.perf_counter()
            with precision():
                output = network(x)
            value = loss(in_float32(output), y)
            model.zero_grad(set_to_none=True)
            value.backward()  # type: ignore[no-untyped-call]
            if devices:
                torch.cuda.synchronize(x.device)
            took.append(time.perf_counter() - began)
    return min(took[WARM:])
