"""The network as a tree of modules in the order of execution, with shapes, parameters, descriptions and formulas."""

from typing import Any

from convscope.explainers import ModuleNode
from convscope.explorer.backend.live_run import LoadedModel
from convscope.files import to_plain
from convscope.models import ModelSummary, summarize
from convscope.models.summary.descriptions import describe, group
from convscope.models.summary.model_summary import LayerSummary


def network_tree(shown: LoadedModel) -> dict[str, Any]:
    """Return sections, blocks and layers as `docs/reference/explorer-api.md` describes them."""
    subject = shown.subject
    summary = summarize(subject.model, (len(subject.mean), *subject.size))
    rows = {layer.name: layer for layer in summary.layers}
    found: dict[str, Any] = to_plain({
        "name": shown.config.architecture.name, "input": [len(subject.mean), *subject.size],
        "parameters": summary.num_parameters, "macs": summary.macs, "output": shown.module_tree.output,
        "sections": [_node(part, rows, summary, "", True) for part in shown.module_tree.parts],
        "warnings": summary.warnings,
    })  # fmt: skip
    return found


def _node(
    part: ModuleNode, rows: dict[str, LayerSummary], summary: ModelSummary, parent: str, is_section: bool
) -> dict[str, Any]:
    row, inside = rows.get(part.name), _inside(part.name, summary)
    last = row or (inside[-1] if inside else None)
    has_receptive_field = last is not None and bool(last.rf_size)
    return {
        "name": part.name,
        "label": part.name.removeprefix(f"{parent}."),
        "role": "section" if is_section else "block" if part.parts else "layer",
        "class": type(part.module).__name__,
        "description": describe(part.module),
        "group": group(part.module),
        "shape": part.output_shape,
        "input_shape": part.input_shape,
        "parameters": sum(weight.numel() for weight in part.module.parameters()),
        "macs": sum(layer.macs for layer in ([row] if row else inside)),
        "formulas": {"shape": row.shape_formula, "parameters": row.parameters_formula} if row else None,
        "rf_size": last.rf_size if last is not None and has_receptive_field else None,
        "rf_stride": last.rf_stride if last is not None and has_receptive_field else None,
        "inputs": part.inputs,
        "children": [_node(one, rows, summary, part.name, False) for one in part.parts],
    }


def _inside(name: str, summary: ModelSummary) -> list[LayerSummary]:
    return [layer for layer in summary.layers if layer.name.startswith(f"{name}.")]
