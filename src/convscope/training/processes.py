"""The processes that train a network together, each on its part of every batch.

A process computes the rows r, r + N, r + 2 N ... of each batch, and all gather the outputs. Each then has the outputs
of the whole batch and computes the same loss, whatever mean a task takes; the gradient of its own rows is its part of
the gradient, and the sum over all processes is that of the whole batch. So the loop needs to know nothing of processes,
and the same batch gives the same step, up to rounding, for any number of them.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from convscope.training.global_batch import GlobalBatch, NormStatistics
from convscope.training.precision import in_float32, map_tensors

Value = TypeVar("Value")


class Processes:
    """The processes of a training: here a single one, for which there is nothing to exchange."""

    rank = 0
    """The number of this process, from 0."""
    count = 1
    """The number of processes."""

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes and shows."""
        return self.rank == 0

    def forward(self, function: Callable[[Any], Any], x: Any) -> Any:
        """Return the outputs of `function` for the batch `x`, (B, ...) tensors with the rows of all processes."""
        return function(x)

    def add_gradients(self, model: nn.Module, parameters: list[nn.Parameter]) -> None:
        """Replace the gradients of `parameters` by their sums over the processes."""

    def from_first(self, value: Value) -> Value:
        """Return the first process's value, so that all decide alike what depends on time or on one machine."""
        return value

    def copy_from_first(self, tensors: list[Tensor]) -> None:
        """Replace the values of tensors by the first process's."""

    def all_equal(self, value: object) -> bool:  # noqa: ARG002
        """Return whether all processes have the same value."""
        return True


ONE_PROCESS = Processes()


class ProcessGroup(Processes):
    """The processes of the default group of ``torch.distributed``, which the caller has joined.

    All call the same methods in the same order. Every process needs the memory for the outputs of the whole batch.
    """

    def __init__(self, statistics: NormStatistics = "batch") -> None:
        """Batch norm has the statistics of the whole batch, or with "process" of each process's images alone."""
        self.rank, self.count = dist.get_rank(), dist.get_world_size()
        self.statistics = statistics

    def forward(self, function: Callable[[Any], Any], x: Any) -> Any:
        """Compute this process's rows and gather those of the others, which have no gradient here.

        Where there are fewer rows than processes, those without one compute the first row and discard it, since all
        must take part in the exchange.
        """
        rows, own = len(x), x[self.rank :: self.count]
        with GlobalBatch(rows, self.rank, self.count, self.statistics):
            output = in_float32(function(own if len(own) else x[:1]))
        return map_tensors(partial(self._gather, rows), output)

    def _gather(self, rows: int, part: Tensor) -> Tensor:
        missing = -(-rows // self.count) - len(part)
        if missing > 0:
            part = torch.cat([part, part.new_zeros(missing, *part.shape[1:])])
        parts = [torch.empty(part.shape, dtype=part.dtype, device=part.device) for _ in range(self.count)]
        dist.all_gather(parts, part.detach().contiguous())
        parts[self.rank] = part
        return torch.stack(parts, 1).flatten(0, 1)[:rows]

    @torch.no_grad()
    def add_gradients(self, model: nn.Module, parameters: list[nn.Parameter]) -> None:
        """Add the gradients up; with statistics per process also average the running ones, which then differ."""
        found = [parameter.grad for parameter in parameters if parameter.grad is not None]
        self._sum(found, 1.0)
        if self.statistics == "process":
            self._sum([buffer for buffer in model.buffers() if buffer.is_floating_point()], 1 / self.count)

    def _sum(self, tensors: list[Tensor], factor: float) -> None:
        if not tensors:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        dist.all_reduce(flat)
        parts = torch.split(flat.mul_(factor), [tensor.numel() for tensor in tensors])
        for tensor, values in zip(tensors, parts, strict=True):
            tensor.copy_(values.view(tensor.shape))

    def from_first(self, value: Value) -> Value:
        """Send the first process's value to the others."""
        values = [value]
        dist.broadcast_object_list(values)
        return values[0]

    @torch.no_grad()
    def copy_from_first(self, tensors: list[Tensor]) -> None:
        """Send the first process's values to the others."""
        for tensor in tensors:
            values = tensor.detach().contiguous()
            dist.broadcast(values, 0)
            tensor.copy_(values)

    def all_equal(self, value: object) -> bool:
        """Compare the values of all processes."""
        values: list[object] = [None] * self.count
        dist.all_gather_object(values, value)
        return all(other == values[0] for other in values)
