"""Trace an image through any module: the shapes, multiplications and receptive field of every layer."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

from convscope.models.shape_inference import run_on_meta
from convscope.models.summary.receptive_field import PIXELS
from convscope.models.summary.receptive_field_rules import Axes, ImageAxis, follow

# Operations between modules that are listed although they have no multiplications.
SHOWN_OPERATIONS = {
    "add": "add", "add_": "add", "mul": "multiply", "mul_": "multiply", "cat": "concatenate",
    "max_pool2d_with_indices": "max pool", "avg_pool2d": "average pool", "mean": "average",
    "_adaptive_avg_pool2d": "average pool", "upsample_nearest2d": "nearest", "upsample_bilinear2d": "bilinear",
    "max_unpool2d": "max unpool",
}  # fmt: skip


@dataclass
class TraceRow:
    """One executed layer; `source` is the row that produced its input with the largest receptive field."""

    name: str
    module: nn.Module | None
    layer_type: str
    input_shape: tuple[int, ...]
    source: int | None
    output_shape: tuple[int, ...] = ()
    macs: int = 0
    axes: Axes = ()
    bytes: int = 0


@dataclass(frozen=True)
class TracedTensor:
    """A tensor with its receptive field and the row that produced it."""

    tensor: Tensor  # a reference, so that its id is not reused
    axes: Axes
    row: int | None

    @property
    def widest(self) -> int:
        """The receptive field along its largest axis, in pixels."""
        return max(axis.field.size for axis in self.axes)


class Tracer(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Intercepts every operation that PyTorch runs, inside and between modules."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.traced_tensors: dict[int, TracedTensor] = {}
        self.rows: list[TraceRow] = []
        self.running: list[tuple[str, nn.Module]] = []  # running modules, outermost first
        self.total_macs = self.macs_at_entry = 0  # multiplications in total, and when the last module was entered

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Nothing is compiled here; excluding PyTorch's compiler explicitly would import it, which takes a second."""
        return False

    def traced(self, tensors: Any) -> list[TracedTensor]:
        """Return the traced tensors in a structure."""
        return [
            self.traced_tensors[id(item)]
            for item in tree_leaves(tensors)
            if isinstance(item, Tensor) and id(item) in self.traced_tensors
        ]

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run one operation and track the receptive fields."""
        arguments = (args, kwargs or {})
        if any(
            tensor.is_meta for tensor in tensors_in(arguments)
        ):  # plain attributes of a module may be on another device
            arguments = tree_map_only(Tensor, to_meta, arguments)
        out = func(*arguments[0], **arguments[1])
        inputs, outputs = self.traced((args, kwargs)), tensors_in(out)
        if not inputs or not outputs:
            return out
        name, first = func._schema.name.removeprefix("aten::"), outputs[0]
        macs, row = count_macs(name, args, first), max(inputs, key=lambda item: item.widest).row
        axes = follow(name, args, [(item.tensor, item.axes) for item in inputs], first)
        self.total_macs += macs
        if self.is_between() and (macs or (name in SHOWN_OPERATIONS and changes(inputs, first))):
            kind = SHOWN_OPERATIONS.get(name, name)
            row_name = f"{self.running[-1][0]}.{kind}" if self.running and self.running[-1][0] else kind
            self.rows.append(TraceRow(row_name.replace(" ", "_"), None, kind, tuple(inputs[0].tensor.shape), row))
            row = self.complete_row(first, axes, macs)
        for tensor in outputs:
            if tensor.dim() == first.dim():
                self.traced_tensors[id(tensor)] = TracedTensor(tensor, axes, row)
        return out

    def is_between(self) -> bool:
        """Return whether the operation runs between modules, not inside one that has a row of its own."""
        return not self.running or next(self.running[-1][1].children(), None) is not None

    def complete_row(self, out: Tensor, axes: Axes, macs: int) -> int:
        """Record the output of the last row and return its index."""
        row = self.rows[-1]
        row.output_shape, row.axes, row.macs = tuple(out.shape), axes, macs
        row.bytes = out.numel() * out.element_size()
        return len(self.rows) - 1

    def enter(self, name: str, module: nn.Module, inputs: Any) -> None:  # noqa: ARG002
        """Record that a module starts."""
        self.running.append((name, module))
        self.macs_at_entry = self.total_macs

    def leave(self, name: str, module: nn.Module, inputs: Any, output: Any) -> None:
        """Record the output of a module; a module without children becomes a row."""
        self.running.pop()
        sources, results = self.traced(inputs), self.traced(output)
        if next(module.children(), None) is not None or not sources or not results:
            return
        widest = max(sources, key=lambda item: item.widest)
        kind = type(module).__name__
        self.rows.append(TraceRow(name or kind, module, kind, tuple(sources[0].tensor.shape), widest.row))
        number = self.complete_row(results[0].tensor, results[0].axes, self.total_macs - self.macs_at_entry)
        for result in results:
            self.traced_tensors[id(result.tensor)] = TracedTensor(result.tensor, result.axes, number)


def changes(inputs: list[TracedTensor], out: Tensor) -> bool:
    """Return whether an operation combines tensors or changes the shape."""
    return len(inputs) > 1 or out.shape != inputs[0].tensor.shape


def tensors_in(structure: Any) -> list[Tensor]:
    """Return the tensors of a structure of tuples, lists and dicts."""
    return [item for item in tree_leaves(structure) if isinstance(item, Tensor)]


def to_meta(tensor: Tensor) -> Tensor:
    """Return the tensor on the meta device."""
    return tensor if tensor.is_meta else torch.empty_like(tensor, device="meta")


def count_macs(name: str, args: Sequence[Any], out: Tensor) -> int:
    """Return the number of multiplications of an operation; norms count as 0.

    A convolution has (kernel x channels per group) of them per output value, a transposed one per input value.
    """
    if name == "convolution":
        weights = args[1]
        return int((args[0] if args[6] else out).numel() * math.prod(weights.shape[1:]))
    if name in ("mm", "bmm"):
        return out.numel() * int(args[0].shape[-1])
    if name in ("addmm", "baddbmm"):
        return out.numel() * int(args[1].shape[-1])
    return 0


@contextmanager
def traced_modules(model: nn.Module, tracer: Tracer) -> Iterator[None]:
    """Register hooks that notify the tracer of modules; they are removed afterwards, also after an error."""
    handles: list[Any] = []
    try:
        for name, module in model.named_modules():
            before, after = partial(tracer.enter, name), partial(tracer.leave, name)
            handles += [module.register_forward_pre_hook(before), module.register_forward_hook(after)]
        yield
    finally:
        for handle in handles:
            handle.remove()


def trace(model: nn.Module, shape: Sequence[int]) -> list[TraceRow]:
    """Return a row for every executed layer, in order, for one image of this shape (C, H, W)."""
    tracer = Tracer()

    def run(x: Tensor) -> Any:
        axes = tuple(ImageAxis(dim, PIXELS) for dim in range(2, x.dim()))
        tracer.traced_tensors[id(x)] = TracedTensor(x, axes, None)
        with tracer:
            return model(x)

    with traced_modules(model, tracer):
        run_on_meta(model, run, (1, *shape))
    return tracer.rows
