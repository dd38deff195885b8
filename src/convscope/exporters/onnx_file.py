"""One ONNX file from pictures to answers, that carries all that is needed to use it."""

from collections.abc import Sequence
from typing import Any

import onnx
from onnx import TensorProto, helper

from convscope.datasets.inputs.image_input import ImagePreprocessing
from convscope.exported.facts import FILE_SIZE, IMAGE, KIND, PIXELS, PictureInput, kind_of
from convscope.exporters.graph import Value, onnx_type
from convscope.exporters.network import OPSET, Traced, trace
from convscope.exporters.picture import PictureGraph
from convscope.exporters.source import Source, metadata, preprocessing_of
from convscope.tasks import Task

IR_VERSION = 9  # the oldest in which an input may have a default value and all types that are used here exist
PRODUCER = "convscope"
SIDES = ("batch", "height", "width")


def picture_model(source: Source) -> onnx.ModelProto:
    """The model whose input is a batch of pictures.

    Inputs: `image` (B, H, W, C) uint8, upright RGB (or grey); `file_size` (F, 2) int64, optional, F = 1 or B: the
    height and width of the files if the decoder has reduced them, else 0. Outputs: the task's answers.

    Raises:
        ModelError, ConfigError: see `trace` and `preprocessing_of`.
    """
    task, network = source.task, source.network
    preprocessing = preprocessing_of(network, source.config)
    traced = trace(network, source.config, task)
    picture = PictureGraph(preprocessing, task.any_size, traced.multiple)
    network_nodes, x = _embedded(traced), picture.network_input()
    entry = helper.make_node("Identity", [x.name], ["network/x"])
    after = len(picture.graph.nodes)
    found = []
    for name, info in zip(traced.outputs, traced.model.graph.output, strict=True):
        dtype = helper.tensor_dtype_to_np_dtype(info.type.tensor_type.elem_type).name
        value = picture.answer(Value(picture.graph, f"network/{name}", dtype), task.answer_places.get(name))
        found.append((name, value, info))
    nodes = [*picture.graph.nodes[:after], entry, *network_nodes, *picture.graph.nodes[after:]]
    nodes += [helper.make_node("Identity", [value.name], [name]) for name, value, _ in found]
    outputs = [_output(name, value, info, task) for name, value, info in found]
    graph = helper.make_graph(nodes, PRODUCER, *_pictures(preprocessing, outputs, _prefixed(traced)))
    prepare = preparing_model(preprocessing, task.any_size).SerializeToString()
    given = PictureInput(preprocessing.spec, task.any_size, prepare)
    return _finished(graph, {**metadata(source), **given.to_metadata(), KIND: kind_of(task)})


def preparing_model(preprocessing: ImagePreprocessing, any_size: bool) -> onnx.ModelProto:
    """The first part of `picture_model` alone: from pictures to `pixels` (B, h, w, C) uint8 at the network's size."""
    picture = PictureGraph(preprocessing, any_size, 0)
    nodes = [*picture.graph.nodes, helper.make_node("Identity", [picture.pixels.name], [PIXELS])]
    output = helper.make_tensor_value_info(PIXELS, TensorProto.UINT8, ["batch", "rows", "columns", None])
    return _finished(helper.make_graph(nodes, PRODUCER, *_pictures(preprocessing, [output], [])), {})


def bare_model(source: Source) -> onnx.ModelProto:
    """The network alone: `x` (B, C, h, w) float32, normalised, to `output`, its logits."""
    traced = trace(source.network, source.config, None)
    return _finished(traced.model.graph, metadata(source))


def _embedded(traced: Traced) -> list[onnx.NodeProto]:
    """The network's nodes, with names that no other node has."""
    nodes = []
    for original in traced.model.graph.node:
        node = onnx.NodeProto()
        node.CopyFrom(original)
        node.name = f"network/{node.name}"
        for names in (node.input, node.output):
            names[:] = [f"network/{name}" if name else "" for name in names]
        nodes.append(node)
    return nodes


def _prefixed(traced: Traced) -> list[onnx.TensorProto]:
    tensors = []
    for original in traced.model.graph.initializer:
        tensor = onnx.TensorProto()
        tensor.CopyFrom(original)
        tensor.name = f"network/{tensor.name}"
        tensors.append(tensor)
    return tensors


def _output(name: str, value: Value, info: onnx.ValueInfoProto, task: Task) -> onnx.ValueInfoProto:
    sides: Sequence[Any] = [side.dim_value or "batch" for side in info.type.tensor_type.shape.dim]
    if task.answer_places.get(name) == "pixels":
        sides = ("batch", "file_height", "file_width")
    return helper.make_tensor_value_info(name, onnx_type(value.dtype), sides)


def _pictures(
    preprocessing: ImagePreprocessing, outputs: Sequence[onnx.ValueInfoProto], weights: Sequence[onnx.TensorProto]
) -> tuple[list[onnx.ValueInfoProto], Sequence[onnx.ValueInfoProto], list[onnx.TensorProto]]:
    """Inputs, outputs and fixed tensors of a graph whose input is pictures."""
    channels = preprocessing.channels if preprocessing.channels != 1 else "channels"
    inputs = [
        helper.make_tensor_value_info(IMAGE, TensorProto.UINT8, [*SIDES, channels]),
        helper.make_tensor_value_info(FILE_SIZE, TensorProto.INT64, ["files", 2]),
    ]
    return inputs, outputs, [*weights, helper.make_tensor(FILE_SIZE, TensorProto.INT64, [1, 2], [0, 0])]


def _finished(graph: onnx.GraphProto, facts: dict[str, str]) -> onnx.ModelProto:
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name=PRODUCER
    )
    helper.set_model_props(model, facts)
    onnx.checker.check_model(model)
    return model
