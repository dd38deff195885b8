"""An HTML diagram of a network, self-contained; hovering over a layer shows its numbers and receptive field."""

import math
from html import escape

from convscope.models.layers import shape_text
from convscope.models.summary.model_summary import LayerSummary, ModelSummary, table

COLORS = {"convolution": "#4477aa", "pool": "#ee6677", "fully connected": "#ccbb44", "other": "#bbbbbb"}
THUMBNAIL_SIDE = 120  # pixels, of the drawing of the receptive field

STYLE = """
body { font: 14px/1.4 system-ui, sans-serif; margin: 1.5rem; color: #222; }
.net { display: flex; flex-wrap: wrap; align-items: center; gap: 3px; }
.layer { position: relative; }
.layer > svg { display: block; }
.card { display: none; position: absolute; z-index: 1; left: 0; top: 100%; width: 22rem; padding: .6rem;
  background: #fff; border: 1px solid #888; box-shadow: 0 2px 8px #0003; }
.layer:hover .card, .layer:focus .card { display: block; }
table { border-collapse: collapse; margin-top: 1rem; }
td, th { padding: .15rem .6rem; text-align: left; white-space: nowrap; }
tr:nth-child(even) { background: #f4f4f4; }
"""


def page(summary: ModelSummary) -> str:
    """Return the HTML page: diagram, warnings and table, without scripts or external resources."""
    shown = [layer for layer in summary.layers if is_drawn(layer)]
    boxes = "\n".join(box(layer, summary.shape) for layer in shown)
    heading, *rows = table(summary)
    head = "".join(f"<th>{escape(word)}</th>" for word in heading)
    body = "\n".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    warnings = "".join(f"<li>{escape(text)}</li>" for text in summary.warnings)
    shares = ", ".join(f"{100 * share:.1f} % {group}" for group, share in summary.shares().items())
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(summary.name)}</title><style>{STYLE}</style></head><body>
<h1>{escape(summary.name)} on {shape_text(summary.shape)}</h1>
<p>{summary.num_parameters:,} parameters ({shares}), {summary.macs:,} multiplications per image.</p>
<div class="net">
{boxes}
</div>
<ul>{warnings}</ul>
<table><tr>{head}</tr>
{body}
</table></body></html>
"""


def is_drawn(layer: LayerSummary) -> bool:
    """Return whether a layer gets a box: it has weights or changes the shape, and is not a norm."""
    return layer.group in ("convolution", "pool", "fully connected") or (
        layer.input_shape != layer.output_shape and layer.layer_type != "Flatten"
    )


def box(layer: LayerSummary, shape: tuple[int, ...]) -> str:
    """Return one layer: height shows the map size, width the channels; a card with its numbers appears on hover."""
    across = 2 if len(layer.output_shape) > 1 else 1
    height = round(12 + 100 * math.sqrt(max(layer.output_shape[1:], default=1) / max(shape[1:]))) if across == 2 else 60
    width = round(4 + 3 * math.log2(1 + layer.output_shape[0]))
    colour = COLORS.get(layer.group, COLORS["other"])
    words = [
        f"{layer.layer_type}: {shape_text(layer.input_shape)} → {shape_text(layer.output_shape)}", layer.shape_formula,
        f"{layer.parameters_formula} = {layer.num_parameters:,} parameters"
        if layer.parameters_formula
        else f"{layer.num_parameters:,} parameters",
        f"{layer.macs:,} multiplications",
        "receptive field: the whole image" if layer.flat else f"receptive field {shape_text(layer.rf_size)}, stride "
        f"{layer.rf_stride[0]:g}",
    ]  # fmt: skip
    lines = "<br>".join(escape(word) for word in words if word)
    return f"""<div class="layer" tabindex="0"><svg width="{width}" height="{height}" role="img" aria-label="{
        escape(layer.name)
    }"><title>{escape(layer.name)}</title><rect width="{width}" height="{height}" rx="2" fill="{colour}"/></svg>
<div class="card"><b>{escape(layer.name)}</b><br>{lines}<br>{receptive_field_svg(layer, shape)}</div></div>"""


def receptive_field_svg(layer: LayerSummary, shape: tuple[int, ...]) -> str:
    """Return an SVG of the image with the receptive field of the central position of the layer, clipped."""
    sides = (shape[1:] * 2)[:2] if len(shape) == 2 else shape[-2:]
    scale = THUMBNAIL_SIDE / max(sides)
    tall, wide = (scale * side for side in sides)
    rectangle = ""
    if not layer.flat and max(layer.rf_stride) > 0:
        positions = layer.output_shape[-2:] if len(shape) > 2 else layer.output_shape[-1:] * 2
        spans = []
        for axis in (-2, -1):
            axis = max(axis, -len(layer.rf_size))
            centre = layer.rf_start[axis] + layer.rf_stride[axis] * (positions[axis] // 2) + 0.5
            spans.append((scale * (centre - layer.rf_size[axis] / 2), scale * layer.rf_size[axis]))
        (top, high), (left, long) = spans
        rectangle = (
            f'<rect x="{left:.1f}" y="{top:.1f}" width="{long:.1f}" height="{high:.1f}" '
            'fill="#4477aa55" stroke="#4477aa"/>'
        )
    else:
        rectangle = f'<rect width="{wide:.1f}" height="{tall:.1f}" fill="#4477aa55"/>'
    return (
        f'<svg width="{wide:.0f}" height="{tall:.0f}" viewBox="0 0 {wide:.1f} {tall:.1f}">'
        f'<rect width="{wide:.1f}" height="{tall:.1f}" fill="#eee"/>{rectangle}</svg>'
    )
