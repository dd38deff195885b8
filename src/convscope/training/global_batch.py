"""Batch norm and dropout over a batch whose rows are spread over several processes.

PyTorch's ``SyncBatchNorm`` replaces the layers and refuses CPUs. Here the layers stay as they are: while a network
computes, the two functions that depend on the other rows of a batch are replaced.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

NormStatistics = Literal["batch", "process"]


class GlobalBatch(TorchFunctionMode):
    """A context in which a process computes the rows ``rank::count`` of a batch as one process computes all of them.

    In training, batch norm has the statistics of all rows; dropout draws the masks of all rows and uses its own.
    """

    def __init__(self, rows: int, rank: int, count: int, statistics: NormStatistics = "batch") -> None:
        """Describe the batch; with statistics "process", batch norm is left as it is."""
        super().__init__()
        self.rows, self.rank, self.count = rows, rank, count
        self.replaced: dict[Callable[..., Any], Callable[..., Any]] = {F.dropout: self.dropout}
        if statistics == "batch":
            self.replaced[F.batch_norm] = self.batch_norm

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Iterable[type],
        arguments: tuple[Any, ...] = (),
        options: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call the function, or what replaces it."""
        return self.replaced.get(function, function)(*arguments, **(options or {}))

    def dropout(self, x: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
        """Drop as one process drops from the whole batch, so that the generators of all processes stay alike."""
        if not training or not 0 < p < 1:
            return F.dropout(x, p, training, inplace)
        layout = torch.channels_last if _is_channels_last(x) else torch.contiguous_format
        whole = torch.empty((self.rows, *x.shape[1:]), dtype=x.dtype, device=x.device, memory_format=layout)
        kept = whole.bernoulli_(1 - p).div_(1 - p)[self.rank :: self.count]
        return x * (kept if len(kept) else whole[:1])

    def batch_norm(
        self,
        x: Tensor,
        running_mean: Tensor | None,
        running_variance: Tensor | None,
        weight: Tensor | None = None,
        bias: Tensor | None = None,
        training: bool = False,
        momentum: float = 0.1,
        eps: float = 1e-5,
    ) -> Tensor:
        """Normalise by mean and variance over all rows, and update the running ones with them."""
        if not training:
            return F.batch_norm(x, running_mean, running_variance, weight, bias, training, momentum, eps)
        mean, variance, count = self._statistics(x.detach())
        with torch.no_grad():
            if running_mean is not None:
                running_mean.lerp_(mean.to(running_mean.dtype), momentum)
            if running_variance is not None:
                unbiased = variance * (count / max(count - 1, 1))
                running_variance.lerp_(unbiased.to(running_variance.dtype), momentum)
        result: Tensor = _Normalise.apply(  # type: ignore[no-untyped-call]
            x, weight, bias, (mean, variance, count, eps, self.rank >= self.rows)
        )
        return result

    def _statistics(self, x: Tensor) -> tuple[Tensor, Tensor, int]:
        """Return mean (C,) and biased variance (C,) of the values of all processes, and their number per channel.

        From those of each process (Chan et al. 1979), so that no large squares are subtracted; all get the same bits.
        """
        mean, variance = torch.batch_norm_update_stats(x, None, None, 0.0)
        own = torch.stack([mean, variance]).double()
        parts = [torch.empty_like(own) for _ in range(self.count)]
        dist.all_gather(parts, own)
        means, variances = torch.stack(parts, 1)
        rows = [len(range(rank, self.rows, self.count)) for rank in range(self.count)]
        shares = (own.new_tensor(rows) / self.rows)[:, None]
        whole = (shares * means).sum(0)
        spread = (shares * (variances + (means - whole) ** 2)).sum(0)
        values = self.rows * (x.numel() // (len(x) * x.shape[1]))
        return whole.to(mean.dtype), spread.to(mean.dtype), values


def _is_channels_last(x: Tensor) -> bool:
    return x.ndim == 4 and x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous()


class _Normalise(torch.autograd.Function):
    """(x - mean) / sqrt(variance + eps) * weight + bias, where mean and variance are those of all processes' x.

    Ioffe & Szegedy 2015, section 3: the gradient of x contains two sums over the batch, which are sums over processes.
    Those of weight and bias are this process's parts, which are added up with all other gradients.
    """

    @staticmethod
    def forward(
        context: Any,
        x: Tensor,
        weight: Tensor | None,
        bias: Tensor | None,
        known: tuple[Tensor, Tensor, int, float, bool],
    ) -> Tensor:
        mean, variance, context.count, context.eps, context.idle = known
        context.save_for_backward(x, weight, mean, variance)
        return F.batch_norm(x, mean, variance, weight, bias, False, 0.0, context.eps)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = gradients
        x, weight, mean, variance = context.saved_tensors
        eps = context.eps
        _, scaled, summed = torch.ops.aten.native_batch_norm_backward(
            gradient, x, weight, mean, variance, None, None, False, eps, [False, True, True]
        )
        both = torch.stack([scaled, summed])
        dist.all_reduce(both)
        if context.idle:
            change = torch.zeros_like(x)
        else:
            deviation = (variance + eps).rsqrt()
            factor = deviation if weight is None else weight * deviation
            slope = -factor * deviation * both[0] / context.count
            offset = -factor * both[1] / context.count - slope * mean
            shape = (1, -1, *[1] * (x.ndim - 2))
            change = torch.addcmul(offset.view(shape), x, slope.view(shape)).addcmul_(gradient, factor.view(shape))
        return change.to(x.dtype), None if weight is None else scaled, None if weight is None else summed, None
