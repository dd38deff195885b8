"""Data types for the arithmetic of one unit."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

Position = tuple[int, ...]
"""Index of a value in a tensor without the batch: (channel, row, column), or (channel,) in a vector."""


@dataclass(frozen=True)
class Term:
    """One product: a value, its position, and its weight. `padded`: the position is padding and the value 0."""

    source: int
    position: Position
    value: float
    weight: float = 1.0
    padded: bool = False
    chosen: bool = True

    @property
    def product(self) -> float:
        """Value times weight."""
        return self.value * self.weight


@dataclass(frozen=True)
class UnitStep:
    """One operation at one position.

    Attributes:
        op: the operation, as listed in `docs/reference/explorer-api.md`.
        layer: the module that executed it.
        description: a sentence.
        value: the network's result, in its own precision.
        sum: the result recomputed in float64 from the terms.
        bound: upper bound of their difference due to rounding.
        terms: the products, largest first.
        bias: added to the sum of the products.
        parameters: further values, depending on op.
        window: the region that the terms span.
        count: total number of terms; `rest` is the sum of those not listed.
        padding: number of padded terms.
    """

    op: str
    layer: str
    description: str
    value: float
    sum: float
    bound: float
    terms: tuple[Term, ...]
    bias: float | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    window: dict[str, Any] | None = None
    count: int = 0
    padding: int = 0
    rest: float = 0.0

    def truncated(self, most: int) -> "UnitStep":
        """Return a copy with the `most` largest terms; the maximum of a pooling is always among them."""
        order = sorted(range(len(self.terms)), key=lambda i: (not self.terms[i].chosen, -abs(self.terms[i].product)))
        kept = sorted(order[:most], key=lambda i: -abs(self.terms[i].product))
        omitted = sum(self.terms[i].product for i in order[most:])
        return replace(self, terms=tuple(self.terms[i] for i in kept), count=len(self.terms), rest=float(omitted))


@dataclass(frozen=True)
class Unit:
    """The operations that produced one value, in order of computation.

    Attributes:
        layer: the layer's name.
        position: index in its output.
        value: the value.
        steps: a step that combines several values, then the elementwise steps that follow.
        names: names of the values that the terms refer to, by index.
    """

    layer: str
    position: Position
    value: float
    steps: tuple[UnitStep, ...]
    names: dict[int, str]

    def to_json(self) -> dict[str, Any]:
        """Return plain data, with positions as channel, row and column."""
        channel, row, column = to_channel_row_column(self.position)
        return {
            "layer": self.layer, "channel": channel, "row": row, "column": column, "value": self.value,
            "steps": [self._step(step) for step in self.steps],
        }  # fmt: skip

    def _step(self, step: UnitStep) -> dict[str, Any]:
        data = asdict(step)
        data["terms"] = [self._term(term) for term in step.terms]
        data["rest"] = {"count": step.count - len(step.terms), "sum": step.rest}
        if step.window is not None:
            data["window"]["layer"] = self.names[step.window["layer"]]
        if "gate_layer" in step.parameters:
            data["parameters"]["gate_layer"] = self.names[step.parameters["gate_layer"]]
        return data

    def _term(self, term: Term) -> dict[str, Any]:
        channel, row, column = to_channel_row_column(term.position)
        return {
            "layer": self.names[term.source], "channel": channel, "row": row, "column": column,
            "value": term.value, "weight": term.weight, "product": term.product,
            "padded": term.padded, "chosen": term.chosen,
        }  # fmt: skip


def to_channel_row_column(position: Position) -> tuple[int, int, int]:
    """Return a position as channel, row and column; in a vector, row and column are 0."""
    channel, row, column = (*position, 0, 0)[:3]
    return int(channel), int(row), int(column)


def total(terms: Sequence[Term], bias: float | None = None) -> float:
    """Return the sum of the products and the bias in float64."""
    return float(np.sum([term.product for term in terms])) + (bias or 0.0)


def rounding(terms: Sequence[Term], bias: float | None, unit: float) -> float:
    """Bound the rounding error of a floating-point sum, for any order of summation.

    Higham 2002, Accuracy and Stability of Numerical Algorithms, section 3.1: n u / (1 - n u) times the sum of the
    magnitudes; n includes one addition for the bias and one rounding of the result.

    Args:
        terms: the products.
        bias: added to the sum.
        unit: unit roundoff, half the distance from 1 to the next number: 2^-24 for float32.
    """
    count = (len(terms) + 2) * unit
    magnitude = float(np.sum([abs(term.product) for term in terms])) + abs(bias or 0.0)
    return count / (1 - count) * magnitude + 1e-37  # 1e-37 allows for underflow to zero
