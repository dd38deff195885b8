"""The evaluation loop."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

from convscope.progress import Progress
from convscope.training import in_float32

Model = Callable[[Any], Any]
EvaluationBatches = Callable[[int], Iterable[tuple[Tensor, Tensor]]]


class Accumulator(Protocol):
    """Accumulates outputs and targets batch by batch."""

    def add(self, output: Tensor, target: Tensor) -> None: ...


MeterT = TypeVar("MeterT", bound=Accumulator)


@torch.inference_mode()
def evaluate_batches(
    model: Model, batches: EvaluationBatches, meter: MeterT, on_progress: Progress | None = None
) -> MeterT:
    """Evaluate a network on all batches and return the meter.

    Args:
        model: maps images (B, C, H, W) to outputs.
        batches: called with epoch 0; yields pairs of images and targets.
        meter: receives the outputs of each batch, as float32, and its targets.
        on_progress: called with (images evaluated, None).
    """
    done = 0
    for x, y in batches(0):
        meter.add(in_float32(model(x)), y)
        done += len(x)
        if on_progress:
            on_progress(done, None)
    return meter
