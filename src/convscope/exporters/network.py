"""A network with its task as an ONNX model, written by PyTorch's exporter."""

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import onnx
import torch
from torch import Tensor, nn

from convscope.bundle import BundleConfig
from convscope.bundle.tta import with_tta
from convscope.errors import ModelError
from convscope.models import remove_auxiliary
from convscope.tasks import Task

OPSET = 18
LARGEST = 2**31 - 2**20
"""Bytes of one ONNX file, a limit of its format; larger networks would need a second file beside it."""
EXAMPLES = 3  # images of the example batch: PyTorch takes a batch of 1 for a constant


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


def network_of(model: nn.Module, config: BundleConfig, task: Task) -> nn.Module:
    """The network that predictions use: with its views averaged, and without auxiliary classifiers."""
    bare = remove_auxiliary(model).eval()
    return bare if task.any_size else with_tta(bare, config, None)


def input_size(network: nn.Module, config: BundleConfig) -> tuple[int, int]:
    """(H, W) of the input: of the largest view if several are averaged."""
    height, width = getattr(network, "input_size", config.preprocessing.size)
    return int(height), int(width)


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
    multiple = int(getattr(network, "multiple", 1)) if config.build_task().any_size else 0
    height, width = input_size(network, config)
    if multiple:
        height, width = (max(2, -(-side // multiple)) * multiple for side in (height, width + multiple))
    x = torch.zeros(EXAMPLES, config.preprocessing.channels, height, width)
    with torch.no_grad():
        output = network(x[:1])
    names = ("output",) if task is None else tuple(task.answers(output))
    exported = _export(module, x, names, multiple, config.architecture.name)
    if exported.ByteSize() > LARGEST:
        raise ModelError(
            f"export: the network {config.architecture.name} has {exported.ByteSize() / 2**30:.1f} GiB, more than the "
            "2 GiB of an ONNX file; choose a narrower network"
        )
    return Traced(exported, names, multiple)


def _export(module: nn.Module, x: Tensor, names: Sequence[str], multiple: int, name: str) -> onnx.ModelProto:
    free: dict[int, Any] = {0: torch.export.Dim("batch", min=1)}
    if multiple:
        free |= {axis: _sides(side, multiple) for axis, side in ((2, "rows"), (3, "columns"))}
    try:
        with _quiet():
            program = torch.onnx.export(
                module, (x,), None, dynamo=True, external_data=False, opset_version=OPSET, verbose=False,
                input_names=["x"], output_names=list(names), dynamic_shapes=(free,),
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


def _sides(name: str, multiple: int) -> Any:
    steps = torch.export.Dim(name, min=1)
    return multiple * steps if multiple > 1 else steps


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
