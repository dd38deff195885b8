"""The first layer whose values differ between a network in PyTorch and its ONNX model."""

import ast
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import helper
from torch import nn

from convscope.exported.facts import FILE_SIZE, IMAGE
from convscope.exporters.proof import TOLERANCE, Example, network_input
from convscope.exporters.source import Source

SCOPES = "pkg.torch.onnx.name_scopes"
INPUT = "network/x"


def first_difference(source: Source, model: onnx.ModelProto, example: Example) -> str:
    """Where the first difference arises, for one image: the preprocessing, a layer by its name, or the answers.

    Layers that the exporter merged with others have no values of their own and are left out.
    """
    layers = _last_nodes(model)
    expected = _torch_values(source, example, set(layers))
    outputs = {name: layers[name] if name else INPUT for name in expected}
    actual = _onnx_values(model, list(outputs.values()), example)
    if actual is None:
        return "the model cannot be run on one image"
    for name, truth in expected.items():
        found = actual[outputs[name]]
        if not name:
            found = found[..., : truth.shape[-2], : truth.shape[-1]]  # without the padding to a multiple
        elif truth.shape != found.shape:
            continue
        scale = max(1.0, float(np.abs(truth).max()))
        if truth.shape != found.shape or not float(np.abs(truth - found).max()) / scale <= TOLERANCE:
            return f"the first difference arises in {f'the layer {name}' if name else 'the preprocessing'}"
    return "the first difference arises in the answers, after the network's last layer"


def _last_nodes(model: onnx.ModelProto) -> dict[str, str]:
    """Names of modules, and of the last value that each computes."""
    found: dict[str, str] = {}
    for node in model.graph.node:
        scopes = next((entry.value for entry in node.metadata_props if entry.key == SCOPES), "[]")
        for name in ast.literal_eval(scopes):
            found[name] = node.output[0]
    return found


def _torch_values(source: Source, example: Example, known: set[str]) -> dict[str, Any]:
    """Outputs of the leaf modules, in the order in which they are computed; "" is the network's input."""
    prefix, network, x = "network.", source.network, network_input(source, example.decoded)
    values: dict[str, Any] = {"": x.numpy()}
    hooks = []
    for name, module in network.named_modules():
        if name and next(module.children(), None) is None and prefix + name in known:

            def keep(_module: nn.Module, _given: Any, output: Any, name: str = name) -> None:
                values.setdefault(prefix + name, output.numpy())

            hooks.append(module.register_forward_hook(keep))
    try:
        with torch.inference_mode():
            network(x)
    finally:
        for hook in hooks:
            hook.remove()
    return values


def _onnx_values(model: onnx.ModelProto, outputs: list[str], example: Example) -> dict[str, Any] | None:
    probed = onnx.ModelProto()
    probed.CopyFrom(model)
    existing = {output.name for output in model.graph.output}
    wanted = [name for name in dict.fromkeys(outputs) if name not in existing]
    probed.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in wanted)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    pixels = np.ascontiguousarray(example.decoded.pixels.transpose(1, 2, 0)[None])
    try:
        session = onnxruntime.InferenceSession(probed.SerializeToString(), options, providers=["CPUExecutionProvider"])
        given = {IMAGE: pixels, FILE_SIZE: np.array([example.decoded.frame.size], np.int64)}
        found = session.run(outputs, given)
    except Exception:  # the runtime has its own exceptions; the proof has named its failure
        return None
    return dict(zip(outputs, found, strict=True))
