"""Muon (Jordan et al. 2024, kellerjordan.github.io/posts/muon): orthogonalised updates of weight matrices."""

from collections.abc import Callable, Iterable, Iterator
from inspect import unwrap
from itertools import zip_longest
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw

from convscope.training.precision import computes_bfloat16

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the quintic below: steepest at zero, so that few iterations suffice
ITERATIONS = 3  # five in the post; three work as well for small networks (airbench94_muon)
BIAS_AND_NORM_LR_FACTOR = 10  # times the AdamW rate of dense weights (docs/benchmarks/recipes.md)
MIN_BFLOAT16_OUTPUTS = 128  # from which bfloat16 is faster, if the processor supports it; steps differ by 1 %
MAX_STACKED_OUTPUTS = 128  # up to which stacked matrices of one shape are faster than single ones


class Muon(torch.optim.Optimizer):
    """Muon for convolutions, AdamW for all other parameters.

    The momentum of a convolution's gradient is reshaped to a matrix of output channels x the rest; the update is that
    matrix with all singular values moved close to 1, times the rate. Before each step the weight is rescaled to norm
    sqrt(output channels), so that the rate alone determines the angle of the update. This suits convolutions followed
    by a norm, whose scale has no effect; those with a bias, and so without a norm, use AdamW like dense weights.

    Args:
        groups: parameter groups; those with ``muon`` true use Muon.
        lr: learning rate of the convolutions, about the angle of an update in radians.
        momentum: of the convolutions.
        betas: AdamW's decay rates of the first and second moment.
        eps: AdamW's epsilon.
    """

    def __init__(
        self,
        groups: Iterable[dict[str, Any]],
        lr: float = 0.12,
        momentum: float = 0.6,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        groups = list(groups)
        on_gpu = all(parameter.is_cuda for group in groups for parameter in group["params"])
        defaults = {"lr": lr, "momentum": momentum, "betas": betas, "eps": eps, "muon": False, "weight_decay": 0.0}
        # PyTorch restores the counts of steps of such groups on the device, where the fused update needs them
        super().__init__(groups, {**defaults, "capturable": True} if on_gpu else defaults)

    # PyTorch excludes these four from compilation by importing its compiler: a second at the first use of an optimiser.
    add_param_group = unwrap(torch.optim.Optimizer.add_param_group)
    state_dict = unwrap(torch.optim.Optimizer.state_dict)
    load_state_dict = unwrap(torch.optim.Optimizer.load_state_dict)
    zero_grad = unwrap(torch.optim.Optimizer.zero_grad)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Update the parameters from their gradients."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            parameters: list[Tensor] = [parameter for parameter in group["params"] if parameter.grad is not None]
            if not parameters:
                continue
            (self._orthogonal_step if group["muon"] else self._adam_step)(parameters, group)
        return loss

    def _orthogonal_step(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        lengths = torch._foreach_norm(parameters)
        torch._foreach_mul_(
            parameters, [len(w) ** 0.5 / length.clamp(min=1e-7) for w, length in zip(parameters, lengths, strict=True)]
        )
        by_shape: dict[tuple[int, ...], list[tuple[Tensor, Tensor]]] = {}
        for parameter, step in zip(parameters, self._smoothed(parameters, group["momentum"]), strict=True):
            by_shape.setdefault(parameter.shape, []).append((parameter, step))
        for shape, pairs in by_shape.items():
            stacked = shape[0] <= MAX_STACKED_OUTPUTS or parameters[0].is_cuda
            stack_size = len(pairs) if stacked else 1
            for first in range(0, len(pairs), stack_size):
                weights, steps = zip(*pairs[first : first + stack_size], strict=True)
                _subtract(list(weights), orthogonal(torch.stack(steps)), group["lr"])

    def _adam_step(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        for parameter in parameters:
            if "step" not in self.state[parameter]:
                zeros = (torch.zeros_like(parameter) for _ in range(2))
                step = torch.zeros((), device=parameter.device)
                self.state[parameter].update(zip(("exp_avg", "exp_avg_sq"), zeros, strict=True), step=step)
        means, squares, steps = (
            [self.state[parameter][name] for parameter in parameters] for name in ("exp_avg", "exp_avg_sq", "step")
        )
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        adamw(
            parameters, gradients, means, squares, [], steps, amsgrad=False, beta1=group["betas"][0],
            beta2=group["betas"][1], lr=group["lr"], weight_decay=group["weight_decay"], eps=group["eps"],
            maximize=False, fused=parameters[0].device.type in ("cpu", "cuda"), capturable=parameters[0].is_cuda,
        )  # fmt: skip

    def _smoothed(self, parameters: list[Tensor], momentum: float) -> list[Tensor]:
        """Return the Nesterov momentum: gradient + momentum * buffer, with the gradient added to the buffer first."""
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        for parameter in parameters:
            if "momentum_buffer" not in self.state[parameter]:
                self.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
        buffers = [self.state[parameter]["momentum_buffer"] for parameter in parameters]
        torch._foreach_mul_(buffers, momentum)
        torch._foreach_add_(buffers, gradients)
        return list(torch._foreach_add(gradients, buffers, alpha=momentum))


def _subtract(weights: list[Tensor], directions: Tensor, rate: float | Tensor) -> None:
    """Subtract `rate` times each direction from its weight; a rate on a GPU stays there (`CapturedStep`)."""
    if isinstance(rate, Tensor):
        torch._foreach_sub_(weights, list(directions * rate))
    else:
        torch._foreach_add_(weights, list(directions), alpha=-rate)


def orthogonal(gradients: Tensor, iterations: int = ITERATIONS) -> Tensor:
    """Return matrices of output channels x the rest with singular values moved to between about 0.5 and 1.5.

    Each iteration is X <- (a + b A + c A A) X with A = X X^T (Newton-Schulz iteration of degree 5). All factors are
    polynomials of the first A and commute, so A is updated as F A F and X is multiplied once at the end: half the work
    for 3x3 convolutions, with the same result to 1e-5. The trace of A is the squared norm by which X is divided first.

    Args:
        gradients: (N, output channels, ...), all of one shape.
        iterations: number of iterations.
    """
    a, b, c = COEFFICIENTS
    x = gradients.flatten(2)
    x = x.mT if (tall := x.shape[1] > x.shape[2]) else x
    if x.shape[1] >= MIN_BFLOAT16_OUTPUTS and computes_bfloat16(x.device):
        x = x.bfloat16()
    square, product = x @ x.mT, x
    lengths = square.diagonal(dim1=1, dim2=2).sum(1).clamp(min=1e-14)[:, None, None]
    square = square / lengths
    for number in range(iterations):
        factor = b * square + c * (square @ square)
        factor.diagonal(dim1=1, dim2=2).add_(a)
        product = factor if number == 0 else product @ factor
        square = factor @ square @ factor if number < iterations - 1 else square
    product = (product * lengths.rsqrt()) @ x
    found: Tensor = product.mT if tall else product
    return found.reshape(gradients.shape).to(gradients.dtype)


def muon_groups(
    model: nn.Module, rate: float, momentum: float, other_rate: float, decay: float
) -> list[dict[str, Any]]:
    """Return three groups without frozen parameters: convolutions followed by a norm, biases and norms, other weights.

    Args:
        model: the network to train.
        rate: of convolutions; they have a fixed norm, and so no weight decay.
        momentum: of convolutions.
        other_rate: learning rate of dense weights; biases and norms have `BIAS_AND_NORM_LR_FACTOR` times this rate.
        decay: weight decay of dense weights.
    """
    convolutions: list[nn.Parameter] = []
    weights: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    normed = set(map(id, muon_parameters(model)))
    for parameter in model.parameters():
        if parameter.requires_grad:
            group = others if parameter.ndim < 2 else convolutions if id(parameter) in normed else weights
            group.append(parameter)
    groups: list[dict[str, Any]] = [
        {"params": convolutions, "lr": rate, "momentum": momentum, "muon": True, "weight_decay": 0.0},
        {"params": others, "lr": BIAS_AND_NORM_LR_FACTOR * other_rate, "weight_decay": 0.0},
        {"params": weights, "lr": other_rate, "weight_decay": decay},
    ]
    return [group for group in groups if group["params"]]


def muon_parameters(model: nn.Module) -> Iterator[Tensor]:
    """Yield the weights of ungrouped convolutions followed by a norm, so that their scale has no effect.

    A convolution without a bias is followed by a norm; one with a bias may be followed by one directly, as in SegNet.
    """
    for module in model.modules():
        children = list(module.children())
        for layer, following in zip_longest(children, children[1:]):
            if not isinstance(layer, nn.Conv1d | nn.Conv2d | nn.Conv3d) or layer.groups > 1:
                continue
            if layer.bias is None or "Norm" in type(following).__name__:
                yield layer.weight
