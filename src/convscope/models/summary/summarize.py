"""Summarises any module layer by layer by tracing one image through it, and adds warnings."""

import math
from collections.abc import Sequence

from torch import nn

from convscope.errors import ModelError
from convscope.models.layers import shape_text
from convscope.models.network import Network
from convscope.models.summary.formulas import parameters_formula, shape_formula
from convscope.models.summary.model_summary import FULLY_CONNECTED, LayerSummary, ModelSummary
from convscope.models.summary.trace import TraceRow, trace
from convscope.models.summary.warnings import find_warnings

GROUPS = {"Conv": "convolution", "Linear": FULLY_CONNECTED, "Norm": "norm", "Pool": "pool"}


def summarize(model: nn.Module, shape: Sequence[int], objects: int | None = None) -> ModelSummary:
    """Return the summary of any module for images of `shape` (C, H, W), computed without allocating parameters or maps.

    Args:
        model: on any device, including the meta device; it is not modified.
        shape: of one image.
        objects: size in pixels of the objects to recognise; a smaller receptive field causes a warning.

    Raises:
        ModelError: the network cannot process images of that shape.
    """
    name = model.name if isinstance(model, Network) else type(model).__name__
    try:
        rows = trace(model, shape)
    except (RuntimeError, ValueError) as error:
        first = str(error).splitlines()[0]
        raise ModelError(
            f"{name}: it cannot process an image of {shape_text(shape)} ({first}); give another shape"
        ) from error
    counted: set[int] = set()
    layers = tuple(summarize_layer(row, counted) for row in rows)
    num_parameters = sum(parameter.numel() for parameter in model.parameters())
    summary = ModelSummary(
        name, tuple(shape), layers, num_parameters,
        sum(one.macs for one in layers), sum(one.memory for one in layers),
        num_parameters - sum(one.num_parameters for one in layers),
    )  # fmt: skip
    return ModelSummary(**{**vars(summary), "warnings": tuple(find_warnings(summary, rows, objects))})


def summarize_layer(row: TraceRow, counted: set[int]) -> LayerSummary:
    """Return the summary of a traced layer; `counted` are the ids of parameters counted before."""
    own = [] if row.module is None else [one for one in row.module.parameters() if id(one) not in counted]
    counted.update(id(one) for one in own)
    fields = [axis.field for axis in row.axes]
    input_shape, output_shape = row.input_shape[1:], row.output_shape[1:]
    return LayerSummary(
        row.name, row.layer_type, group(row), input_shape, output_shape,
        shape_formula(row.module, input_shape, output_shape),
        sum(one.numel() for one in own), parameters_formula(row.module) if own else "", row.macs, row.bytes,
        tuple(one.stride for one in fields), tuple(one.size for one in fields), tuple(one.start for one in fields),
        all(axis.dim is None for axis in row.axes) or math.prod(output_shape[1:]) == 1, row.source,
    )  # fmt: skip


def group(row: TraceRow) -> str:
    """Return the group of a layer."""
    return next((word for part, word in GROUPS.items() if part.lower() in row.layer_type.lower()), "other")
