"""One ONNX file from pictures to answers, that carries all that is needed to use it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import onnx
from onnx import TensorProto, helper
from torch import nn

from convscope.bundle import BundleConfig
from convscope.datasets.inputs.image_input import ImagePreprocessing
from convscope.errors import ConfigError
from convscope.exporters.graph import Value, onnx_type
from convscope.exporters.network import OPSET, Traced, input_size, network_of, trace
from convscope.exporters.picture import PictureGraph
from convscope.tasks import Task

IR_VERSION = 9  # the oldest in which an input may have a default value and all types that are used here exist
PRODUCER = "convscope"
IMAGE, FILE_SIZE = "image", "file_size"
SIDES = ("batch", "height", "width")


@dataclass(frozen=True, eq=False)
class Source:
    """What is exported: a network, its configuration, and where it came from."""

    model: nn.Module
    config: BundleConfig
    digest: str
    """SHA-256 of the weights file."""
    card: dict[str, Any]
    """Facts about the run: data, scores, versions."""

    @property
    def task(self) -> Task:
        """The task with its settings."""
        return self.config.build_task()

    @property
    def network(self) -> nn.Module:
        """The network that predictions use; see `network_of`."""
        return network_of(self.model, self.config, self.task)


def preprocessing_of(network: nn.Module, config: BundleConfig) -> ImagePreprocessing:
    """The preprocessing for the size of the network's input.

    Raises:
        ConfigError: the network's inputs are not images.
    """
    preprocessing: Any = config.preprocessing
    if not isinstance(preprocessing, ImagePreprocessing):
        raise ConfigError(
            f"export: the network's input is of kind {preprocessing.kind}; only networks for images are exported with "
            "their preprocessing, use --bare"
        )
    return preprocessing.model_copy(update={"size": input_size(network, config)})


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
    channels = preprocessing.channels if preprocessing.channels != 1 else "channels"
    graph = helper.make_graph(
        nodes,
        PRODUCER,
        [
            helper.make_tensor_value_info(IMAGE, TensorProto.UINT8, [*SIDES, channels]),
            helper.make_tensor_value_info(FILE_SIZE, TensorProto.INT64, ["files", 2]),
        ],
        [_output(name, value, info, task) for name, value, info in found],
        [*_prefixed(traced), helper.make_tensor(FILE_SIZE, TensorProto.INT64, [1, 2], [0, 0])],
    )
    return _finished(graph, source)


def bare_model(source: Source) -> onnx.ModelProto:
    """The network alone: `x` (B, C, h, w) float32, normalised, to `output`, its logits."""
    traced = trace(source.network, source.config, None)
    return _finished(traced.model.graph, source)


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


def _finished(graph: onnx.GraphProto, source: Source) -> onnx.ModelProto:
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name=PRODUCER
    )
    helper.set_model_props(model, metadata(source))
    onnx.checker.check_model(model)
    return model


def metadata(source: Source) -> dict[str, str]:
    """What the file says about itself, as texts; `config` is the content of config.json."""
    config = source.config
    return {
        "task": config.task,
        "classes": json.dumps(config.classes, ensure_ascii=False),
        "weights_sha256": source.digest,
        "origin": json.dumps(config.origin, ensure_ascii=False),
        "licence": str(config.origin.get("licence", "")),
        "config": config.model_dump_json(),
        "card": json.dumps(source.card, ensure_ascii=False),
    }
