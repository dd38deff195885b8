"""The anatomy of a network: what every layer does to shapes, weighs, costs and sees of the image."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from torch import nn

from convscope.errors import ModelError
from convscope.models.formulas import shape_formula, weights_formula
from convscope.models.layers import shape_text
from convscope.models.network import Network
from convscope.models.trace import Row, trace

FULLY_CONNECTED = "fully connected"
GROUPS = {"Conv": "convolution", "Linear": FULLY_CONNECTED, "Norm": "norm", "Pool": "pool"}


@dataclass(frozen=True)
class Layer:
    """One layer of a network, as it runs on one image.

    `takes` and `gives` are shapes without the batch. `weights` are 0 where a layer runs for the second time. `memory`
    are the bytes that it gives. Of the receptive field, for each side of the image: `jump` pixels between neighbouring
    places, `field` pixels seen, `start` the pixel in the middle of what the first place sees. `flat` says that places
    no longer exist. `source` is the number of the layer that its widest input comes from, None for the image.
    """

    name: str
    kind: str
    group: str
    takes: tuple[int, ...]
    gives: tuple[int, ...]
    shape_formula: str
    weights: int
    weights_formula: str
    multiplications: int
    memory: int
    jump: tuple[float, ...]
    field: tuple[int, ...]
    start: tuple[float, ...]
    flat: bool
    source: int | None


@dataclass(frozen=True)
class Anatomy:
    """A network layer by layer; totals are for one image. `other` are weights that belong to no layer of the list."""

    name: str
    shape: tuple[int, ...]
    layers: tuple[Layer, ...]
    weights: int
    multiplications: int
    memory: int
    other: int
    warnings: tuple[str, ...] = ()

    def shares(self) -> dict[str, float]:
        """Return where the weights sit: the fraction in each group of layers, the largest first."""
        sums = {layer.group: 0 for layer in self.layers if layer.weights}
        for layer in self.layers:
            if layer.weights:
                sums[layer.group] += layer.weights
        if self.other:
            sums["other"] = sums.get("other", 0) + self.other
        return {group: count / self.weights for group, count in sorted(sums.items(), key=lambda item: -item[1])}

    def last_maps(self) -> Layer | None:
        """Return the last layer whose places still see a part of the image, or None."""
        return next((layer for layer in reversed(self.layers) if not layer.flat and max(layer.jump) > 0), None)

    def path(self, name: str) -> tuple[Layer, ...]:
        """Return the layers through which layer `name` sees its widest receptive field, the first one first.

        Raises:
            ModelError: no layer of that name.
        """
        number = next((number for number, layer in enumerate(self.layers) if layer.name == name), None)
        if number is None:
            raise ModelError(f"{self.name}: no layer {name}; the anatomy lists the names")
        steps = []
        while number is not None:
            steps.append(self.layers[number])
            number = self.layers[number].source
        return tuple(reversed(steps))

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {**asdict(self), "shares": self.shares()}


def dissect(model: nn.Module, shape: Sequence[int], objects: int | None = None) -> Anatomy:
    """Return the anatomy of any module for images of `shape` (C, H, W), computed without memory for weights or maps.

    Args:
        model: on any device, the meta device too; left as it was found.
        shape: of one image.
        objects: the side in pixels of what is to be recognised, to be warned when the network sees less.

    Raises:
        ModelError: images of that shape do not go through.
    """
    from convscope.models.advice import advice

    name = model.name if isinstance(model, Network) else type(model).__name__
    try:
        rows = trace(model, shape)
    except (RuntimeError, ValueError) as error:
        first = str(error).splitlines()[0]
        raise ModelError(f"{name}: an image of {shape_text(shape)} does not go through ({first})") from error
    counted: set[int] = set()
    layers = tuple(layer(row, counted) for row in rows)
    weights = sum(parameter.numel() for parameter in model.parameters())
    anatomy = Anatomy(
        name, tuple(shape), layers, weights,
        sum(one.multiplications for one in layers), sum(one.memory for one in layers),
        weights - sum(one.weights for one in layers),
    )  # fmt: skip
    return Anatomy(**{**vars(anatomy), "warnings": tuple(advice(anatomy, rows, objects))})


def layer(row: Row, counted: set[int]) -> Layer:
    """Return a traced row in words; `counted` are the parameters that earlier rows have."""
    mine = [] if row.module is None else [one for one in row.module.parameters() if id(one) not in counted]
    counted.update(id(one) for one in mine)
    fields = [axis.field for axis in row.axes]
    takes, gives = row.takes[1:], row.gives[1:]
    return Layer(
        row.name, row.kind, group(row), takes, gives, shape_formula(row.module, takes, gives),
        sum(one.numel() for one in mine), weights_formula(row.module) if mine else "", row.multiplications, row.bytes,
        tuple(one.jump for one in fields), tuple(one.size for one in fields), tuple(one.start for one in fields),
        all(axis.dim is None for axis in row.axes) or math.prod(gives[1:]) == 1, row.source,
    )  # fmt: skip


def group(row: Row) -> str:
    """Return what sort of layer it is."""
    return next((word for part, word in GROUPS.items() if part.lower() in row.kind.lower()), "other")


def table(anatomy: Anatomy) -> list[tuple[str, ...]]:
    """Return the anatomy as rows of text, a heading first, for a terminal or a page."""
    rows = [("layer", "kind", "gives", "weights", "multiplications", "memory", "field", "stride")]
    for one in anatomy.layers:
        weights = f"{one.weights_formula} = {one.weights:,}" if one.weights_formula else f"{one.weights:,}"
        field = "all" if max(one.jump) == 0 else shape_text(one.field) if len(set(one.field)) > 1 else str(one.field[0])
        rows.append((
            one.name, one.kind, shape_text(one.gives), weights if one.weights else "", f"{one.multiplications:,}",
            f"{one.memory / 1024:,.0f} KiB", field, f"{one.jump[0]:g}",
        ))  # fmt: skip
    total = (
        "total",
        "",
        "",
        f"{anatomy.weights:,}",
        f"{anatomy.multiplications:,}",
        f"{anatomy.memory / 2**20:,.1f} MiB",
    )
    return [*rows, (*total, "", "")]
