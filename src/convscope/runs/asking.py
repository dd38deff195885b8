"""All of a set's images put to a network."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

from convscope.progress import Progress
from convscope.training import in_float32

Model = Callable[[Any], Any]
EvaluationBatches = Callable[[int], Iterable[tuple[Tensor, Tensor]]]


class Accumulator(Protocol):
    """What a network's answers go into."""

    def add(self, output: Tensor, target: Tensor) -> None: ...


Into = TypeVar("Into", bound=Accumulator)


@torch.inference_mode()
def evaluate_batches(
    model: Model, batches: EvaluationBatches, meter: Into, on_progress: Progress | None = None
) -> Into:
    """The meter, after the network has answered all batches.

    Args:
        model: (B, ...) images to outputs.
        batches: epoch, 0 -> pairs of images and targets.
        meter: takes each batch's outputs, as float32, and targets.
        on_progress: called with (images answered, None).
    """
    done = 0
    for x, y in batches(0):
        meter.add(in_float32(model(x)), y)
        done += len(x)
        if on_progress:
            on_progress(done, None)
    return meter
