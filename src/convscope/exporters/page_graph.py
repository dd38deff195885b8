"""A network as the page's engine reads it: nodes, weights of 16 bits, and where the stages are."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from convscope.errors import ConfigError
from convscope.exporters.first_difference import SCOPES
from convscope.exporters.network import Traced

SMALL = 64  # numbers of a tensor that is kept in 32 bits: biases, means
STAGE = re.compile(r"network(?:\.model)?\.(stem|(?:stages|decoder)\.\d+)")
LABELS = {"stages": "stage", "decoder": "decoder"}
SQUASHING = ("Softmax", "Sigmoid")
PROBABILITIES, VALUES = "probabilities", "values"


@dataclass(frozen=True, eq=False)
class PageGraph:
    """A network for the page.

    Attributes:
        model: the ONNX model with the weights that the page has, to prove it.
        content: the graph as a JSON object.
        weights: the bytes of the weights.
        stages: label and value of each stage's maps, in order.
        scores: the value from which the answers' probabilities come; "" if the answers are masks.
    """

    model: onnx.ModelProto
    content: dict[str, Any]
    weights: bytes
    stages: tuple[tuple[str, str], ...]
    scores: str


def page_graph(traced: Traced, dtype: str, name: str) -> PageGraph:
    """Convert a traced network.

    Args:
        traced: from `network.trace`.
        dtype: of the weights: "float16" or "float32".
        name: of the network, for messages.

    Raises:
        ConfigError: the engine lacks an operator of the network.
    """
    _check_operators(traced.model, name)
    model = onnx.ModelProto()
    model.CopyFrom(traced.model)
    content: dict[str, Any] = {"nodes": [], "weights": [], "constants": {}}
    blobs, offset = [], 0
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32:
            content["constants"][tensor.name] = _plain(values)
            continue
        kept = "float32" if values.size < SMALL else dtype
        with np.errstate(over="ignore"):  # the proof finds what 16 bits cannot hold
            stored = values.astype(kept)
        tensor.CopyFrom(numpy_helper.from_array(stored.astype(np.float32), tensor.name))
        blobs.append(stored.tobytes() + b"\0" * (-stored.nbytes % 4))
        content["weights"].append({"name": tensor.name, "shape": values.shape, "offset": offset, "type": kept})
        offset += len(blobs[-1])
    for node in model.graph.node:
        if node.op_type == "Constant":
            content["constants"][node.output[0]] = _plain(numpy_helper.to_array(node.attribute[0].t))
        else:
            content["nodes"].append(_node(node))
    return PageGraph(model, content, b"".join(blobs), tuple(_stages(model)), _scores(model))


@cache
def operators() -> frozenset[str]:
    """The operators of the engine, as ``operators.js`` lists them."""
    text = (files("convscope.exporters") / "page" / "operators.js").read_text(encoding="utf-8")
    table = text[text.index("export const OPERATORS") :]
    return frozenset(re.findall(r"^  ([A-Z]\w+):", table[: table.index("\n};")], re.MULTILINE))


def _check_operators(model: onnx.ModelProto, name: str) -> None:
    known = operators() | {"Constant"}
    missing = sorted({node.op_type for node in model.graph.node} - known)
    if missing:
        raise ConfigError(
            f"export --to page: the network {name} needs {', '.join(missing)}, which the page cannot compute; export "
            "it with --to onnx, or train another network"
        )


def _plain(values: NDArray[Any]) -> dict[str, Any]:
    return {"shape": values.shape, "values": [float(value) for value in values.ravel()]}


def _node(node: onnx.NodeProto) -> dict[str, Any]:
    attributes = {attribute.name: _attribute(attribute) for attribute in node.attribute}
    return {
        "operator": node.op_type, "inputs": list(node.input), "output": node.output[0], "attributes": attributes,
    }  # fmt: skip


def _attribute(attribute: onnx.AttributeProto) -> Any:
    value = helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode()
    return value if isinstance(value, int | float) else list(value)


def _stages(model: onnx.ModelProto) -> Iterator[tuple[str, str]]:
    """Label and last value of each stage; of a network that runs several times, for views, in its first run."""
    current, value, found = "", "", set()
    for node in model.graph.node:
        scopes = next((entry.value for entry in node.metadata_props if entry.key == SCOPES), "[]")
        inside = next((part[1] for name in ast.literal_eval(scopes) if (part := STAGE.fullmatch(name))), "")
        if inside != current and current and current not in found:
            found.add(current)
            yield _label(current), value
        current, value = inside, node.output[0]


def _label(stage: str) -> str:
    kind, _, number = stage.partition(".")
    return f"{LABELS[kind]} {int(number) + 1}" if number else kind


def _scores(model: onnx.ModelProto) -> str:
    """The value before the softmax or sigmoid of the probabilities, or the numbers themselves."""
    outputs = {output.name for output in model.graph.output}
    makers = {node.output[0]: node for node in model.graph.node}
    if PROBABILITIES in outputs:
        maker = makers[PROBABILITIES]
        return str(maker.input[0]) if maker.op_type in SQUASHING else PROBABILITIES
    return VALUES if VALUES in outputs else ""
