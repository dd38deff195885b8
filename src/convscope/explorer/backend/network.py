"""The network as a landscape: what ran, in order, with shapes, weights, words and formulas."""

from typing import Any

from convscope.explainers import ModuleNode
from convscope.explorer.backend.live_run import LoadedModel
from convscope.files import to_plain
from convscope.models import ModelSummary, summarize
from convscope.models.summary.descriptions import describe, group
from convscope.models.summary.model_summary import LayerSummary


def network_tree(shown: LoadedModel) -> dict[str, Any]:
    """Sections, blocks and layers as `docs/reference/explorer-api.md` describes them."""
    subject = shown.subject
    summary = summarize(subject.model, (len(subject.mean), *subject.size))
    rows = {layer.name: layer for layer in summary.layers}
    found: dict[str, Any] = to_plain({
        "name": shown.config.architecture.name, "input": [len(subject.mean), *subject.size],
        "weights": summary.num_parameters, "multiplications": summary.macs, "output": shown.module_tree.output,
        "sections": [_node(part, rows, summary, "", True) for part in shown.module_tree.parts],
        "warnings": summary.warnings,
    })  # fmt: skip
    return found


def _node(
    part: ModuleNode, rows: dict[str, LayerSummary], anatomy: ModelSummary, around: str, outermost: bool
) -> dict[str, Any]:
    row, inside = rows.get(part.name), _inside(part.name, anatomy)
    last = row or (inside[-1] if inside else None)
    has_receptive_field = last is not None and bool(last.rf_size)
    return {
        "name": part.name,
        "label": part.name.removeprefix(f"{around}."),
        "role": "section" if outermost else "block" if part.parts else "layer",
        "class": type(part.module).__name__,
        "says": describe(part.module),
        "group": group(part.module),
        "shape": part.output_shape,
        "takes": part.input_shape,
        "weights": sum(weight.numel() for weight in part.module.parameters()),
        "multiplications": sum(layer.macs for layer in ([row] if row else inside)),
        "formulas": {"shape": row.shape_formula, "weights": row.parameters_formula} if row else None,
        "field": last.rf_size if last is not None and has_receptive_field else None,
        "jump": last.rf_stride if last is not None and has_receptive_field else None,
        "reads": part.inputs,
        "children": [_node(one, rows, anatomy, part.name, False) for one in part.parts],
    }


def _inside(name: str, anatomy: ModelSummary) -> list[LayerSummary]:
    return [layer for layer in anatomy.layers if layer.name.startswith(f"{name}.")]
