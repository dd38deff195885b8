"""Write ONNX graphs as arithmetic: a `Value` has Python's operators, and each adds a node."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper


@dataclass(frozen=True)
class Value:
    """One tensor of a graph; numbers that it meets in arithmetic become constants of its type."""

    graph: "Graph"
    name: str
    dtype: str

    def __add__(self, other: Any) -> "Value":
        return self.graph.node("Add", self, other)

    def __sub__(self, other: Any) -> "Value":
        return self.graph.node("Sub", self, other)

    def __mul__(self, other: Any) -> "Value":
        return self.graph.node("Mul", self, other)

    def __truediv__(self, other: Any) -> "Value":
        return self.graph.node("Div", self, other)

    def __matmul__(self, other: "Value") -> "Value":
        return self.graph.node("MatMul", self, other)

    def __neg__(self) -> "Value":
        return self.graph.node("Neg", self)

    def __and__(self, other: "Value") -> "Value":
        return self.graph.node("And", self, other)

    def __lt__(self, other: Any) -> "Value":
        return self.graph.node("Less", self, other, dtype="bool")

    def __le__(self, other: Any) -> "Value":
        return self.graph.node("LessOrEqual", self, other, dtype="bool")

    def __gt__(self, other: Any) -> "Value":
        return self.graph.node("Greater", self, other, dtype="bool")

    def __ge__(self, other: Any) -> "Value":
        return self.graph.node("GreaterOrEqual", self, other, dtype="bool")

    def equals(self, other: Any) -> "Value":
        """Where both are equal, as bool."""
        return self.graph.node("Equal", self, other, dtype="bool")

    def to(self, dtype: str) -> "Value":
        """The same numbers in another type; floats lose what follows the point."""
        if dtype == self.dtype:
            return self
        return self.graph.node("Cast", self, dtype=dtype, to=onnx_type(dtype))

    def pick(self, index: int, axis: int = -1) -> "Value":
        """The slice at one index; the axis disappears."""
        return self.graph.node("Gather", self, self.graph.constant(index, "int64"), axis=axis)

    def reduce(self, how: str, axes: Sequence[int], keep: bool = True) -> "Value":
        """`how` is Sum, Max, Min or Mean, over the axes."""
        operation = f"Reduce{how}"
        return self.graph.node(operation, self, self.graph.constant(list(axes), "int64"), keepdims=int(keep))

    def all(self) -> "Value":
        """Whether every element is true: a scalar."""
        return self.graph.node("ReduceMin", self.to("int64"), keepdims=0) > 0

    def reshape(self, *sides: "int | Value") -> "Value":
        """Another shape; a side may be a scalar `Value`."""
        return self.graph.node("Reshape", self, self.graph.vector(*sides))


class Graph:
    """The nodes of a graph as they are added; names begin with `prefix`, so that several graphs can be joined."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.nodes: list[onnx.NodeProto] = []
        self._lists = [self.nodes]
        self._count = 0

    def node(self, operation: str, *inputs: Any, dtype: str | None = None, **attributes: Any) -> Value:
        """Add a node with one output; its type is that of its first input unless given."""
        first = next(value for value in inputs if isinstance(value, Value))
        values = [value if isinstance(value, Value) else self.constant(value, first.dtype) for value in inputs]
        return self._add(operation, [value.name for value in values], dtype or first.dtype, attributes)

    def constant(self, value: Any, dtype: str) -> Value:
        """A tensor of fixed numbers."""
        tensor = numpy_helper.from_array(np.asarray(value, dtype))
        return self._add("Constant", [], dtype, {"value": tensor})

    def vector(self, *elements: "int | Value") -> Value:
        """(n,) int64 of numbers and scalars."""
        parts = [
            element.reshape(1) if isinstance(element, Value) else self.constant([element], "int64")
            for element in elements
        ]
        return self.node("Concat", *parts, axis=0)

    def range(self, count: Value, dtype: str = "float64") -> Value:
        """0, 1 ... `count` - 1 of a scalar int64."""
        return self.node("Range", self.constant(0, "int64"), count, self.constant(1, "int64")).to(dtype)

    def where(self, condition: Value, then: Any, otherwise: Any, dtype: str | None = None) -> Value:
        """Element by element, `then` where the condition holds."""
        kind = dtype or next(value.dtype for value in (then, otherwise) if isinstance(value, Value))
        values = [value if isinstance(value, Value) else self.constant(value, kind) for value in (then, otherwise)]
        return self.node("Where", condition, *values, dtype=kind)

    def choose(
        self, condition: Value, then: Callable[[], Value], otherwise: Callable[[], Value], rank: int = 4
    ) -> Value:
        """The value of one of two branches, of which only that one is computed; the condition is a scalar."""
        branches = [self._branch(name, make, rank) for name, make in (("then", then), ("else", otherwise))]
        attributes = {"then_branch": branches[0][0], "else_branch": branches[1][0]}
        return self._add("If", [condition.name], branches[0][1], attributes)

    def _branch(self, name: str, make: Callable[[], Value], rank: int) -> tuple[onnx.GraphProto, str]:
        with self._nested() as nodes:
            value = make()
            result = self.node("Identity", value)  # a branch returns a value of its own, not of the graph around it
            info = helper.make_tensor_value_info(result.name, onnx_type(result.dtype), [None] * rank)
            return helper.make_graph(nodes, f"{self.prefix}{name}{self._count}", [], [info]), result.dtype

    @contextmanager
    def _nested(self) -> Iterator[list[onnx.NodeProto]]:
        self._lists.append([])
        try:
            yield self._lists[-1]
        finally:
            self._lists.pop()

    def _add(self, operation: str, inputs: Sequence[str], dtype: str, attributes: dict[str, Any]) -> Value:
        self._count += 1
        name = f"{self.prefix}{operation.lower()}_{self._count}"
        self._lists[-1].append(helper.make_node(operation, inputs, [name], name=name, **attributes))
        return Value(self, name, dtype)


def onnx_type(dtype: str) -> int:
    """ONNX's number of a type."""
    return int(helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))
