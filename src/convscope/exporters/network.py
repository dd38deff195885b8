"""A network with its task as an ONNX model, written by PyTorch's exporter."""

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import onnx
import torch
from torch import Tensor, nn

from convscope.bundle import BundleConfig
from convscope.errors import ModelError
from convscope.exporters.free_shape import FreeShape, free_shape
from convscope.tasks import Task

OPSET = 18
LARGEST = 2**31 - 2**20
"""Bytes of one ONNX file, a limit of its format; larger networks would need a second file beside it."""


class Answering(nn.Module):
    """A network followed by its task: normalised images (B, C, h, w) to the tensors of `Task.answers`."""

    def __init__(self, network: nn.Module, task: Task) -> None:
        super().__init__()
        self.network, self.task = network, task

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.task.answers(self.network(x)).values())


@dataclass(frozen=True, eq=False)
class Traced:
    """An ONNX model of the network, with the names of its outputs."""

    model: onnx.ModelProto
    outputs: tuple[str, ...]
    multiple: int
    """The sides of its input must be divisible by this; 0 if they are fixed."""


def trace(network: nn.Module, config: BundleConfig, task: Task | None) -> Traced:
    """Convert a network to ONNX with PyTorch's exporter; the batch is free, the sides too if the task takes any size.

    Args:
        network: from `network_of`.
        config: the model's configuration.
        task: its answers become the outputs; None: the outputs are the network's, named "output".

    Raises:
        ModelError: the network has an operation that ONNX lacks, or is too large for one file.
    """
    module = network if task is None else Answering(network, task)
    shape = free_shape(network, config)
    x = shape.example()
    with torch.no_grad():
        output = network(x[:1])
    names = ("output",) if task is None else tuple(task.answers(output))
    exported = _export(module, shape, names, config.architecture.name)
    if exported.ByteSize() > LARGEST:
        raise ModelError(
            f"export: the network {config.architecture.name} has {exported.ByteSize() / 2**30:.1f} GiB, more than the "
            "2 GiB of an ONNX file; choose a narrower network"
        )
    return Traced(exported, names, shape.multiple)


def _export(module: nn.Module, shape: FreeShape, names: Sequence[str], name: str) -> onnx.ModelProto:
    try:
        with _quiet():
            program = torch.onnx.export(
                module, (shape.example(),), None, dynamo=True, external_data=False, opset_version=OPSET, verbose=False,
                input_names=["x"], output_names=list(names), dynamic_shapes=(shape.dims,),
            )  # fmt: skip
    except (torch.onnx.errors.OnnxExporterError, RuntimeError) as error:
        reason = str(error).strip().splitlines()
        raise ModelError(
            f"export: PyTorch cannot convert the network {name} to ONNX "
            f"({reason[0] if reason else type(error).__name__}); choose another network"
        ) from error
    assert program is not None
    model: onnx.ModelProto = program.model_proto
    return model


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's own progress, warnings and log."""
    levels = {name: logging.getLogger(name).level for name in ("torch.onnx", "onnxscript", "onnx_ir", "torch.export")}
    try:
        for name in levels:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
