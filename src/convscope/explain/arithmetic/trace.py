"""One forward pass, operation by operation: which values there were, what made each, and what the modules call them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from convscope.errors import ModelError, did_you_mean
from convscope.explain.hooks import find_layer
from convscope.modules import preserve_state

INPUT = "input"
UNNAMED = "@"


@dataclass(frozen=True, eq=False)
class Call:
    """An operation of PyTorch's: its name without overload, what it is, its arguments by name, the module around it."""

    name: str
    function: Callable[..., Any]
    arguments: dict[str, Any]
    sources: dict[int, int]
    """From the identity of a tensor among the arguments to its value's number."""
    module: str

    def source(self, name: str) -> int | None:
        """The number of the value that an argument is; None for weights and other constants."""
        return self.sources.get(id(self.arguments.get(name)))

    def rerun(self, /, **replaced: Any) -> Any:
        """Run the operation anew with some arguments replaced."""
        return self.function(**{**self.arguments, **replaced})


@dataclass(eq=False)
class Value:
    """A tensor that depends on the input; `names` are the modules that gave it, innermost first."""

    tensor: Tensor
    call: Call | None
    names: list[str] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    """Modules that gave it just as they got it: dropout in evaluation, identity."""


@dataclass(frozen=True)
class ModuleRun:
    """A module's run: the values it took and gave, and when it began and ended."""

    name: str
    module: nn.Module
    inputs: tuple[int, ...]
    output: int
    first_value: int
    last_value: int


class Trace(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """The values of a pass in the order in which they were made; number 0 is the input."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.values: list[Value] = []
        self.runs: list[ModuleRun] = []
        self._number: dict[int, int] = {}
        self._inside: list[tuple[str, int]] = []
        self._clock = 0

    def start(self, x: Tensor) -> None:
        """Take the input for value 0."""
        self._keep(x, None)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run one operation and note what it made of which values."""
        given = _by_name(func, args, kwargs or {})
        name = func._schema.name.removeprefix("aten::")
        written = next(iter(args), None) if name.endswith("_") and not name.startswith("_") else None
        if isinstance(written, Tensor) and id(written) in self._number:
            given = self._set_aside(written, given)
        sources = {id(one): self._number[id(one)] for one in tree_leaves(given) if id(one) in self._number}
        out = func(*args, **(kwargs or {}))
        if sources:
            call = Call(name.rstrip("_"), func, given, sources, self._inside[-1][0] if self._inside else "")
            for made in tree_leaves(out)[:1]:
                if isinstance(made, Tensor) and made.is_floating_point():
                    self._keep(made, call)
        return out

    def _set_aside(self, written: Tensor, given: dict[str, Any]) -> dict[str, Any]:
        """Keep what an operation in place is about to overwrite, and hand it that as its argument."""
        number = self._number[id(written)]
        before = written.clone()
        self.values[number].tensor = before
        self._number[id(before)] = number
        return {name: before if one is written else one for name, one in given.items()}

    def _keep(self, tensor: Tensor, call: Call | None) -> None:
        self._number[id(tensor)] = len(self.values)
        self.values.append(Value(tensor, call))

    def enter(self, name: str, module: nn.Module, inputs: Any) -> None:  # noqa: ARG002
        """Note that a module begins."""
        self._inside.append((name, self._clock))
        self._clock += 1

    def leave(self, name: str, module: nn.Module, inputs: Any, output: Any) -> None:
        """Note what a module took and gave."""
        _, began = self._inside.pop()
        self._clock += 1
        if not isinstance(output, Tensor) or id(output) not in self._number:
            return
        takes = tuple(self._number[id(one)] for one in tree_leaves(inputs) if id(one) in self._number)
        gives = self._number[id(output)]
        self.runs.append(ModuleRun(name, module, takes, gives, began, self._clock))
        if name:  # the whole network's own run names nothing that a layer does not
            (self.values[gives].passed if gives in takes else self.values[gives].names).append(name)

    def name_of(self, number: int) -> str:
        """What to call a value: the outermost module that gave it, "input", or its number behind @."""
        value = self.values[number]
        if number == 0:
            return INPUT
        return value.names[-1] if value.names else f"{UNNAMED}{number}"

    def number_of(self, model: nn.Module, name: str) -> int:
        """The value that a layer gave last, by its module's name or as `name_of` says.

        Raises:
            ModelError: there is no such layer, or the pass did not come through it.
        """
        if name == INPUT:
            return 0
        if name.startswith(UNNAMED):
            number = name.removeprefix(UNNAMED)
            if number.isdigit() and int(number) < len(self.values):
                return int(number)
            raise ModelError(f"layer {name}: the network made {len(self.values)} values; choose a layer by its name")
        for run in reversed(self.runs):
            if run.name == name:
                return run.output
        find_layer(model, name)
        ran = did_you_mean(name, [run.name for run in self.runs if "." not in run.name])
        raise ModelError(f"layer {name}: the network gave no tensor there{ran}")


@contextmanager
def trace_pass(model: nn.Module, x: Tensor) -> Iterator[Trace]:
    """A pass of one image (1, C, H, W) through the network in evaluation mode, which is left as it was found.

    >>> net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU())
    >>> with trace_pass(net, torch.zeros(1, 1, 5, 5)) as trace:
    ...     [trace.name_of(number) for number in range(len(trace.values))]
    ['input', '0', '1']
    """
    trace = Trace()
    handles = []
    exact = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
    with preserve_state(model), exact:
        try:
            for name, module in model.named_modules():
                handles.append(module.register_forward_pre_hook(partial(trace.enter, name)))
                handles.append(module.register_forward_hook(partial(trace.leave, name)))
            trace.start(x)
            with trace:
                model(x)
        finally:
            for handle in handles:
                handle.remove()
        yield trace


def _by_name(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    names = [argument.name for argument in func._schema.arguments]
    return {**dict(zip(names, args, strict=False)), **kwargs}
