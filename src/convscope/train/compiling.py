"""`torch.compile`, where a timing of both ways says that it pays."""

import copy
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Literal

import torch
from torch import Tensor, nn

from convscope.train.precision import in_float32
from convscope.train.step import Loss

Compiling = Literal["auto", "always", "never"]
Left = Callable[[float], float]
Context = Callable[[], AbstractContextManager[Any]]

WARM, TIMED = 2, 3  # steps of each way that are not timed, then such that are
LONG = 300.0  # seconds of training from which a trial is worth its own cost, a minute or so


class Compiled:
    """A `State.enter`: in training the compiled network, where that pays; elsewhere the network itself.

    Weights, their names and what is saved stay the network's own. Batches of another count than the first, such as an
    epoch's last, are not compiled for. What was decided is kept in the checkpoint: a resumed run computes as before.
    """

    def __init__(self, on: bool | None = None) -> None:
        """Take what is decided already; None: `decide` will."""
        self.on = on
        self._count = 0
        self._network: Callable[[Any], Any] | None = None

    def __call__(self, model: nn.Module, x: Any) -> Any:
        """What the network says of a batch."""
        if not (self.on and model.training):
            return model(x)
        if self._network is None:
            self._network, self._count = compiled(model), len(x)
        return self._network(x) if len(x) == self._count else model(x)

    def decide(self, model: nn.Module, pair: tuple[Tensor, Tensor], loss: Loss, precision: Context, left: Left) -> str:
        """Time copies both ways where training is long enough for it, and say what came of it; "" for nothing to say.

        Args:
            model: what is to be trained; it stays as it is, as do the generators of random numbers.
            pair: a batch, x and y.
            loss: (output, y) -> scalar.
            precision: as `State.precision`.
            left: seconds per step -> seconds that are left of training.
        """
        if self.on is not None:
            return ""
        self.on = False
        try:
            plain = seconds_per_step(copy.deepcopy(model).train(), *pair, loss, precision)
            if left(plain) < LONG:
                return ""
            began = time.perf_counter()
            other = compiled(copy.deepcopy(model).train())
            faster = seconds_per_step(other, *pair, loss, precision)
            cost = time.perf_counter() - began
        except Exception as error:  # whatever a compiler may lack: a compiler of C, memory, a kind of layer
            why = (str(error).strip() or type(error).__name__).splitlines()[0]
            return f"torch.compile: not used, as it failed ({why})"
        self.on = left(plain) * (1 - faster / plain) > cost  # to compile once more costs less: kernels are kept on disk
        took = f"a step takes {1000 * plain:.1f} ms, compiled {1000 * faster:.1f} ms; finding out took {cost:.0f} s"
        return f"torch.compile: {'used' if self.on else 'not used'} ({took})"

    def state_dict(self) -> dict[str, Any]:
        """What was decided."""
        return {"on": self.on}

    def load_state_dict(self, content: dict[str, Any]) -> None:
        """Go on as decided."""
        self.on = content["on"]


def compiled(model: nn.Module) -> Callable[[Any], Any]:
    """The network through `torch.compile`, whose kernels keep to `deterministic` too; it compiles when first called."""
    warn = torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(torch.are_deterministic_algorithms_enabled(), warn_only=warn)
    return torch.compile(model, dynamic=False)


def seconds_per_step(model: Callable[[Any], Any], x: Tensor, y: Tensor, loss: Loss, precision: Context) -> float:
    """The least that a forward and a backward pass take; gradients add up, and batch norm's statistics move."""
    took = []
    devices = [x.device] if x.device.type == "cuda" else []
    with torch.random.fork_rng(devices), torch.enable_grad():
        for _ in range(WARM + TIMED):
            began = time.perf_counter()
            with precision():
                output = model(x)
            loss(in_float32(output), y).backward()  # type: ignore[no-untyped-call]
            if devices:
                torch.cuda.synchronize(x.device)
            took.append(time.perf_counter() - began)
    return min(took[WARM:])
