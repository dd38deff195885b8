"""Model summary: shapes, parameters, multiplications, memory and receptive field of every layer."""

from dataclasses import asdict, dataclass
from typing import Any

from convscope.errors import ModelError
from convscope.models.layers import shape_text
from convscope.models.summary.kernel_ranks import KernelRanks, to_json
from convscope.tables import html_notes, html_table

FULLY_CONNECTED = "fully connected"


@dataclass(frozen=True)
class LayerSummary:
    """One layer of a network, for one input image.

    `input_shape` and `output_shape` exclude the batch. `num_parameters` is 0 where a layer runs again. `memory` is the
    size of its output in bytes. The receptive field per spatial axis, in pixels: `rf_stride` between neighbouring
    positions, `rf_size`, and `rf_start`, the centre of the field of the first position. `flat` means that the output
    has no spatial positions. `source` is the index of the layer that provides the input with the largest receptive
    field, None for the image.
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


@dataclass(frozen=True, repr=False)
class ModelSummary:
    """A network layer by layer, with totals for one image.

    `other_parameters` counts parameters that belong to no layer of the list. `kernels` describes trained kernels of a
    run or a saved model.
    """

    name: str
    shape: tuple[int, ...]
    layers: tuple[LayerSummary, ...]
    num_parameters: int
    macs: int
    memory: int
    other_parameters: int
    warnings: tuple[str, ...] = ()
    kernels: tuple[KernelRanks, ...] = ()

    def __repr__(self) -> str:
        """The totals; `table` has the layers."""
        totals = f"{self.num_parameters:,} parameters, {self.macs:,} MACs"
        return f"ModelSummary({self.name!r}, input {shape_text(self.shape)}: {len(self.layers)} layers, {totals})"

    def _repr_html_(self) -> str:
        heading, *rows = table(self)
        return html_table(heading, rows, repr(self)) + html_notes(self.warnings)

    def shares(self) -> dict[str, float]:
        """Return the fraction of parameters in each group of layers, largest first."""
        sums = {layer.group: 0 for layer in self.layers if layer.num_parameters}
        for layer in self.layers:
            if layer.num_parameters:
                sums[layer.group] += layer.num_parameters
        if self.other_parameters:
            sums["other"] = sums.get("other", 0) + self.other_parameters
        return {group: count / self.num_parameters for group, count in sorted(sums.items(), key=lambda item: -item[1])}

    def last_maps(self) -> LayerSummary | None:
        """Return the last layer with spatial positions that do not see the whole image, or None."""
        return next((layer for layer in reversed(self.layers) if not layer.flat and max(layer.rf_stride) > 0), None)

    def path(self, name: str) -> tuple[LayerSummary, ...]:
        """Return the path with the largest receptive field to layer `name`, first layer first.

        Raises:
            ModelError: there is no layer of that name.
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
        return {**asdict(self), "shares": self.shares(), "kernels": to_json(self.kernels)}


def field_text(layer: LayerSummary) -> str:
    """Return the receptive field of a layer as text: "all" if every position sees the whole image."""
    if max(layer.rf_stride) == 0:
        return "all"
    return shape_text(layer.rf_size) if len(set(layer.rf_size)) > 1 else str(layer.rf_size[0])


def table(summary: ModelSummary) -> list[tuple[str, ...]]:
    """Return the summary as rows of text, header first."""
    rows = [("layer", "type", "output", "parameters", "macs", "memory", "receptive field", "stride")]
    for one in summary.layers:
        weights = (
            f"{one.parameters_formula} = {one.num_parameters:,}"
            if one.parameters_formula
            else f"{one.num_parameters:,}"
        )
        rows.append((
            one.name, one.layer_type, shape_text(one.output_shape), weights if one.num_parameters else "",
            f"{one.macs:,}", f"{one.memory / 1024:,.0f} KiB", field_text(one), f"{one.rf_stride[0]:g}",
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
