"""The arithmetic of one unit as plain numbers."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

Position = tuple[int, ...]
"""Where a value lies in a tensor, without the batch: (channel, row, column), or (channel,) of a vector."""


@dataclass(frozen=True)
class Term:
    """One product: a value, where it lies, and its weight. `padded`: it lies outside the map and is 0."""

    source: int
    position: Position
    value: float
    weight: float = 1.0
    padded: bool = False
    chosen: bool = True

    @property
    def product(self) -> float:
        """What it adds."""
        return self.value * self.weight


@dataclass(frozen=True)
class UnitStep:
    """One operation at one place.

    Attributes:
        op: what it is, as `docs/reference/explorer-api.md` lists.
        layer: the module around it.
        description: in a sentence.
        value: what the network computed, in its own precision.
        sum: the same in float64, from the terms.
        bound: they differ by no more, since the network's numbers are rounded.
        terms: the largest products first.
        bias: what is added at the end.
        parameters: further numbers, by op.
        window: what the terms span.
        count: terms in all; `rest` is the sum of those that are folded.
        padding: terms outside the map.
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
        """The same with the `most` largest terms; the winner of a pool stays among them."""
        order = sorted(range(len(self.terms)), key=lambda i: (not self.terms[i].chosen, -abs(self.terms[i].product)))
        kept = sorted(order[:most], key=lambda i: -abs(self.terms[i].product))
        left = sum(self.terms[i].product for i in order[most:])
        return replace(self, terms=tuple(self.terms[i] for i in kept), count=len(self.terms), rest=float(left))


@dataclass(frozen=True)
class Unit:
    """How one number came about, in the order of computation.

    Attributes:
        layer: whose.
        position: where in its answer.
        value: the number.
        steps: a step that mixes several values, then what follows place by place.
        names: of the values that terms lie in, by their number.
    """

    layer: str
    position: Position
    value: float
    steps: tuple[UnitStep, ...]
    names: dict[int, str]

    def to_json(self) -> dict[str, Any]:
        """Plain data, with places as channel, row and column."""
        channel, row, column = to_channel_row_column(self.position)
        return {
            "layer": self.layer, "channel": channel, "row": row, "column": column, "value": self.value,
            "steps": [self._step(step) for step in self.steps],
        }  # fmt: skip

    def _step(self, step: UnitStep) -> dict[str, Any]:
        plain = asdict(step)
        plain["terms"] = [self._term(term) for term in step.terms]
        plain["rest"] = {"count": step.count - len(step.terms), "sum": step.rest}
        if step.window is not None:
            plain["window"]["layer"] = self.names[step.window["layer"]]
        if "gate_layer" in step.parameters:
            plain["parameters"]["gate_layer"] = self.names[step.parameters["gate_layer"]]
        return plain

    def _term(self, term: Term) -> dict[str, Any]:
        channel, row, column = to_channel_row_column(term.position)
        return {
            "layer": self.names[term.source], "channel": channel, "row": row, "column": column,
            "value": term.value, "weight": term.weight, "product": term.product,
            "padded": term.padded, "chosen": term.chosen,
        }  # fmt: skip


def to_channel_row_column(position: Position) -> tuple[int, int, int]:
    """A place as channel, row and column; of a vector row and column are 0."""
    channel, row, column = (*position, 0, 0)[:3]
    return int(channel), int(row), int(column)


def total(terms: Sequence[Term], bias: float | None = None) -> float:
    """The sum of the products in float64, and the bias."""
    return float(np.sum([term.product for term in terms])) + (bias or 0.0)


def rounding(terms: Sequence[Term], bias: float | None, unit: float) -> float:
    """How far a sum in floating point may be from the exact one, whatever the order of summing.

    Higham 2002, Accuracy and Stability of Numerical Algorithms, section 3.1: n u / (1 - n u) times the sum of the
    magnitudes; with the bias that is one more addition, and one for the result's own rounding.

    Args:
        unit: half the distance from 1 to the next number, 2^-24 for float32.
    """
    count = (len(terms) + 2) * unit
    magnitude = float(np.sum([abs(term.product) for term in terms])) + abs(bias or 0.0)
    return count / (1 - count) * magnitude + 1e-37  # the last for numbers so small that they are rounded to zero
