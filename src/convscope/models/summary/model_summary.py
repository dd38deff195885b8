"""The summary of a network: what every layer does to shapes, weighs, costs and sees of the image."""

from dataclasses import asdict, dataclass
from typing import Any

from convscope.errors import ModelError
from convscope.models.layers import shape_text

FULLY_CONNECTED = "fully connected"


@dataclass(frozen=True)
class LayerSummary:
    """One layer of a network, as it runs on one image.

    `input_shape` and `output_shape` are shapes without the batch. `num_parameters` are 0 where a layer runs for the
    second time. `memory`
    are the bytes that it gives. Of the receptive field, for each side of the image: `rf_stride` pixels between
    neighbouring
    places, `rf_size` pixels seen, `rf_start` the pixel in the middle of what the first place sees. `flat` says that
    places no longer exist. `source` is the number of the layer that its widest input comes from, None for the image.
    """

    name: str
    layer_type: str
    group: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    shape_formula: str
    num_parameters: int
    parameters_formula: str
    macs: int
    memory: int
    rf_stride: tuple[float, ...]
    rf_size: tuple[int, ...]
    rf_start: tuple[float, ...]
    flat: bool
    source: int | None


@dataclass(frozen=True)
class ModelSummary:
    """A network layer by layer; totals are for one image. `other_parameters` are weights that belong to no layer of the
    list.
    """

    name: str
    shape: tuple[int, ...]
    layers: tuple[LayerSummary, ...]
    num_parameters: int
    macs: int
    memory: int
    other_parameters: int
    warnings: tuple[str, ...] = ()

    def shares(self) -> dict[str, float]:
        """Return where the weights sit: the fraction in each group of layers, the largest first."""
        sums = {layer.group: 0 for layer in self.layers if layer.num_parameters}
        for layer in self.layers:
            if layer.num_parameters:
                sums[layer.group] += layer.num_parameters
        if self.other_parameters:
            sums["other"] = sums.get("other", 0) + self.other_parameters
        return {group: count / self.num_parameters for group, count in sorted(sums.items(), key=lambda item: -item[1])}

    def last_maps(self) -> LayerSummary | None:
        """Return the last layer whose places still see a part of the image, or None."""
        return next((layer for layer in reversed(self.layers) if not layer.flat and max(layer.rf_stride) > 0), None)

    def path(self, name: str) -> tuple[LayerSummary, ...]:
        """Return the layers through which layer `name` sees its widest receptive field, the first one first.

        Raises:
            ModelError: no layer of that name.
        """
        number = next((number for number, layer in enumerate(self.layers) if layer.name == name), None)
        if number is None:
            raise ModelError(f"{self.name}: no layer {name}; the summary lists the names")
        steps = []
        while number is not None:
            steps.append(self.layers[number])
            number = self.layers[number].source
        return tuple(reversed(steps))

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {**asdict(self), "shares": self.shares()}


def table(summary: ModelSummary) -> list[tuple[str, ...]]:
    """Return the summary as rows of text, a heading first, for a terminal or a page."""
    rows = [("layer", "kind", "gives", "weights", "multiplications", "memory", "field", "stride")]
    for one in summary.layers:
        weights = (
            f"{one.parameters_formula} = {one.num_parameters:,}"
            if one.parameters_formula
            else f"{one.num_parameters:,}"
        )
        field = (
            "all"
            if max(one.rf_stride) == 0
            else shape_text(one.rf_size)
            if len(set(one.rf_size)) > 1
            else str(one.rf_size[0])
        )
        rows.append((
            one.name, one.layer_type, shape_text(one.output_shape), weights if one.num_parameters else "",
            f"{one.macs:,}", f"{one.memory / 1024:,.0f} KiB", field, f"{one.rf_stride[0]:g}",
        ))  # fmt: skip
    total = (
        "total",
        "",
        "",
        f"{summary.num_parameters:,}",
        f"{summary.macs:,}",
        f"{summary.memory / 2**20:,.1f} MiB",
    )
    return [*rows, (*total, "", "")]
