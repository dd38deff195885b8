"""Trace of one forward pass: every operation, its input and output values, and the modules that produced them."""

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
    """An executed PyTorch operation: its name without overload, the operation, its arguments by name, its module."""

    name: str
    function: Callable[..., Any]
    arguments: dict[str, Any]
    sources: dict[int, int]
    """From `id` of a tensor among the arguments to the index of its value."""
    module: str

    def source(self, name: str) -> int | None:
        """Return the index of the value passed as an argument; None for weights and other constants."""
        return self.sources.get(id(self.arguments.get(name)))

    def rerun(self, /, **replaced: Any) -> Any:
        """Run the operation again with some arguments replaced."""
        return self.function(**{**self.arguments, **replaced})


@dataclass(eq=False)
class Value:
    """A tensor that depends on the input; `names` are the modules that returned it, innermost first."""

    tensor: Tensor
    call: Call | None
    names: list[str] = field(default_factory=list)
    unchanged_by: list[str] = field(default_factory=list)
    """Modules that returned it unchanged: dropout in evaluation mode, identity."""


@dataclass(frozen=True)
class ModuleRun:
    """The execution of a module: indices of its input and output values, and its start and end time."""

    name: str
    module: nn.Module
    inputs: tuple[int, ...]
    output: int
    first_value: int
    last_value: int


class Trace(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """The values of a forward pass in order of computation; value 0 is the input."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.values: list[Value] = []
        self.runs: list[ModuleRun] = []
        self._number: dict[int, int] = {}
        self._module_stack: list[tuple[str, int]] = []
        self._clock = 0

    def start(self, x: Tensor) -> None:
        """Register the input as value 0."""
        self._add_value(x, None)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run one operation and record its inputs and output."""
        arguments = _by_name(func, args, kwargs or {})
        name = func._schema.name.removeprefix("aten::")
        overwritten = next(iter(args), None) if name.endswith("_") and not name.startswith("_") else None
        if isinstance(overwritten, Tensor) and id(overwritten) in self._number:
            arguments = self._preserve_overwritten(overwritten, arguments)
        sources = {id(one): self._number[id(one)] for one in tree_leaves(arguments) if id(one) in self._number}
        out = func(*args, **(kwargs or {}))
        if sources:
            call = Call(
                name.rstrip("_"), func, arguments, sources, self._module_stack[-1][0] if self._module_stack else ""
            )
            for result in tree_leaves(out)[:1]:
                if isinstance(result, Tensor) and result.is_floating_point():
                    self._add_value(result, call)
        return out

    def _preserve_overwritten(self, overwritten: Tensor, arguments: dict[str, Any]) -> dict[str, Any]:
        """Copy the tensor that an in-place operation overwrites, and substitute the copy in the recorded arguments."""
        number = self._number[id(overwritten)]
        before = overwritten.clone()
        self.values[number].tensor = before
        self._number[id(before)] = number
        return {name: before if one is overwritten else one for name, one in arguments.items()}

    def _add_value(self, tensor: Tensor, call: Call | None) -> None:
        self._number[id(tensor)] = len(self.values)
        self.values.append(Value(tensor, call))

    def enter(self, name: str, module: nn.Module, inputs: Any) -> None:  # noqa: ARG002
        """Record the start of a module."""
        self._module_stack.append((name, self._clock))
        self._clock += 1

    def leave(self, name: str, module: nn.Module, inputs: Any, output: Any) -> None:
        """Record the inputs and output of a module."""
        _, started = self._module_stack.pop()
        self._clock += 1
        if not isinstance(output, Tensor) or id(output) not in self._number:
            return
        input_indices = tuple(self._number[id(one)] for one in tree_leaves(inputs) if id(one) in self._number)
        output_index = self._number[id(output)]
        self.runs.append(ModuleRun(name, module, input_indices, output_index, started, self._clock))
        if name:  # "" is the whole network: its output is already named by a layer
            value = self.values[output_index]
            (value.unchanged_by if output_index in input_indices else value.names).append(name)

    def name_of(self, number: int) -> str:
        """Return the name of a value: the outermost module that returned it, "input", or "@" and its index."""
        value = self.values[number]
        if number == 0:
            return INPUT
        return value.names[-1] if value.names else f"{UNNAMED}{number}"

    def number_of(self, model: nn.Module, name: str) -> int:
        """Return the index of a layer's last output, by module name or a name from `name_of`.

        Raises:
            ModelError: there is no such layer, or it was not executed.
        """
        if name == INPUT:
            return 0
        if name.startswith(UNNAMED):
            number = name.removeprefix(UNNAMED)
            if number.isdigit() and int(number) < len(self.values):
                return int(number)
            raise ModelError(f"layer {name}: the trace has {len(self.values)} values; choose a layer by its name")
        for run in reversed(self.runs):
            if run.name == name:
                return run.output
        find_layer(model, name)
        hint = did_you_mean(name, [run.name for run in self.runs if "." not in run.name])
        raise ModelError(f"layer {name}: returned no tensor in the forward pass{hint}")


@contextmanager
def trace_pass(model: nn.Module, x: Tensor) -> Iterator[Trace]:
    """Trace the forward pass of one image (1, C, H, W) in evaluation mode; the network's state is restored.

    >>> net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU())
    >>> with trace_pass(net, torch.zeros(1, 1, 5, 5)) as trace:
    ...     [trace.name_of(number) for number in range(len(trace.values))]
    ['input', '0', '1']
    """
    trace = Trace()
    handles = []
    deterministic = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
    with preserve_state(model), deterministic:
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
