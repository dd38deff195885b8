"""The summary of a network folded to its stages."""

from itertools import groupby

from convscope.models.layers import shape_text
from convscope.models.summary.model_summary import LayerSummary, ModelSummary, field_text

FEW_LAYERS = 24  # up to which nothing is folded
NUMBERED = ("stages", "decoder", "auxiliary")


def folds(summary: ModelSummary) -> bool:
    """Whether the network has so many layers that its table is folded."""
    return len(summary.layers) > FEW_LAYERS


def stages_table(summary: ModelSummary) -> list[tuple[str, ...]]:
    """Return a row of text for each stage and the total, header first."""
    rows: list[tuple[str, ...]] = [
        ("stage", "layers", "output", "parameters", "macs", "memory", "receptive field", "stride")
    ]
    for name, found in groupby(summary.layers, lambda layer: stage_of(layer.name)):
        rows.append(_row(name, list(found)))
    total = ("total", str(len(summary.layers)), "", f"{summary.num_parameters:,}", f"{summary.macs:,}")
    return [*rows, (*total, f"{summary.memory / 2**20:,.1f} MiB", "", "")]


def stage_of(layer: str) -> str:
    """Return the stage of a layer: the first part of its name, with the number in a list of stages.

    >>> stage_of("stages.1.0.body.0.conv"), stage_of("stem.conv")
    ('stages.1', 'stem')
    """
    first, _, rest = layer.partition(".")
    return f"{first}.{rest.partition('.')[0]}" if first in NUMBERED and rest else first


def _row(name: str, layers: list[LayerSummary]) -> tuple[str, ...]:
    last = layers[-1]
    parameters, macs = sum(one.num_parameters for one in layers), sum(one.macs for one in layers)
    return (
        name, str(len(layers)), shape_text(last.output_shape), f"{parameters:,}" if parameters else "", f"{macs:,}",
        f"{sum(one.memory for one in layers) / 1024:,.0f} KiB", field_text(last), f"{last.rf_stride[0]:g}",
    )  # fmt: skip
