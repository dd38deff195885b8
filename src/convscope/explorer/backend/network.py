"""The network as a landscape: what ran, in order, with shapes, weights, words and formulas."""

from typing import Any

from convscope.explain import Part
from convscope.explorer.backend.live_run import Shown
from convscope.files import plain
from convscope.models import Anatomy, dissect
from convscope.models.summary.descriptions import group, words
from convscope.models.summary.model_summary import Layer


def network(shown: Shown) -> dict[str, Any]:
    """Sections, blocks and layers as `docs/explorer-api.md` describes them."""
    subject = shown.subject
    anatomy = dissect(subject.model, (len(subject.mean), *subject.size))
    rows = {layer.name: layer for layer in anatomy.layers}
    found: dict[str, Any] = plain({
        "name": shown.config.architecture.name, "input": [len(subject.mean), *subject.size],
        "weights": anatomy.weights, "multiplications": anatomy.multiplications, "output": shown.landscape.output,
        "sections": [_node(part, rows, anatomy, "", True) for part in shown.landscape.parts],
        "warnings": anatomy.warnings,
    })  # fmt: skip
    return found


def _node(part: Part, rows: dict[str, Layer], anatomy: Anatomy, around: str, outermost: bool) -> dict[str, Any]:
    row, inside = rows.get(part.name), _inside(part.name, anatomy)
    last = row or (inside[-1] if inside else None)
    seen = last is not None and bool(last.field)
    return {
        "name": part.name,
        "label": part.name.removeprefix(f"{around}."),
        "role": "section" if outermost else "block" if part.parts else "layer",
        "class": type(part.module).__name__,
        "says": words(part.module),
        "group": group(part.module),
        "shape": part.gives,
        "takes": part.takes,
        "weights": sum(weight.numel() for weight in part.module.parameters()),
        "multiplications": sum(layer.multiplications for layer in ([row] if row else inside)),
        "formulas": {"shape": row.shape_formula, "weights": row.weights_formula} if row else None,
        "field": last.field if last is not None and seen else None,
        "jump": last.jump if last is not None and seen else None,
        "reads": part.reads,
        "children": [_node(one, rows, anatomy, part.name, False) for one in part.parts],
    }


def _inside(name: str, anatomy: Anatomy) -> list[Layer]:
    return [layer for layer in anatomy.layers if layer.name.startswith(f"{name}.")]
