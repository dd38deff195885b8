"""The anatomy of a network: what every layer does to shapes, weighs, costs and sees of the image."""

from dataclasses import asdict, dataclass
from typing import Any

from convscope.errors import ModelError
from convscope.models.layers import shape_text

FULLY_CONNECTED = "fully connected"


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
