"""Muon (Jordan et al. 2024, kellerjordan.github.io/posts/muon): steps that move all directions of a weight alike."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the quintic below: steepest at zero, so that few rounds suffice
ROUNDS = 3  # five in the post; three did as well for the paper's small networks (airbench94_muon)
REST_MOMENTUM = 0.85  # of what is no convolution
DENSE = 0.67 / 0.053  # rate of a dense weight of mean square 1, in those of biases (airbench94_muon)


class Muon(torch.optim.Optimizer):
    """Convolutions by Muon, whatever else there is by SGD with Nesterov's momentum.

    A convolution's gradient, smoothed, is a matrix of outputs x everything else; its step is that matrix with all
    singular values brought near 1, times the rate. Before each step the weight is brought to norm sqrt(outputs), so
    that the rate alone says how far it turns. That suits convolutions whose scale does not matter because a norm
    follows; those that have a bias, and so no norm behind them, are trained as dense weights are.

    Args:
        groups: parameter groups; those with ``muon`` true are convolutions.
        lr: of the convolutions: the angle of a step, about.
        momentum: of the convolutions.
    """

    def __init__(self, groups: Iterable[dict[str, Any]], lr: float = 0.24, momentum: float = 0.6) -> None:
        super().__init__(list(groups), {"lr": lr, "momentum": momentum, "muon": False, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Change the weights by the gradients in them."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            known = [parameter for parameter in group["params"] if parameter.grad is not None]
            if not known:
                continue
            steps = self._smoothed(known, group["momentum"])
            if group["muon"]:
                for parameter, step in zip(known, steps, strict=True):
                    parameter.mul_(len(parameter) ** 0.5 / parameter.norm().clamp(min=1e-7))
                    parameter.add_(orthogonal(step), alpha=-group["lr"])
            else:
                full = group.get("initial_lr", group["lr"])
                torch._foreach_mul_(known, 1 - group["weight_decay"] * group["lr"] / full)
                torch._foreach_add_(known, steps, alpha=-group["lr"])
        return loss

    def _smoothed(self, parameters: list[nn.Parameter], momentum: float) -> list[Tensor]:
        """Nesterov's: the gradient and momentum times the sum of those before, this one included."""
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        for parameter in parameters:
            if "momentum_buffer" not in self.state[parameter]:
                self.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
        memory = [self.state[parameter]["momentum_buffer"] for parameter in parameters]
        torch._foreach_mul_(memory, momentum)
        torch._foreach_add_(memory, gradients)
        return list(torch._foreach_add(gradients, memory, alpha=momentum))


def orthogonal(gradient: Tensor, rounds: int = ROUNDS) -> Tensor:
    """The matrix of outputs x everything else with its singular values brought to between about 0.5 and 1.5.

    Each round is a X + (b A + c A A) X with A = X X^T (Newton and Schulz's iteration, of degree 5).
    """
    a, b, c = COEFFICIENTS
    x = gradient.flatten(1)
    x = x / (x.norm() + 1e-7)
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    for _ in range(rounds):
        square = x @ x.T
        x = torch.addmm(x, torch.addmm(square, square, square, beta=b, alpha=c), x, beta=a)
    return (x.T if tall else x).reshape(gradient.shape)


def muon_groups(
    model: nn.Module, rate: float, momentum: float, other_rate: float, decay: float
) -> list[dict[str, Any]]:
    """Convolutions that a norm follows; biases and norms; each other weight. What is frozen is in none.

    A dense weight's rate goes with the square of its first weights' size, so that a step turns all of them alike.

    Args:
        model: what is to train.
        rate: of convolutions.
        momentum: of convolutions.
        other_rate: of biases and norms.
        decay: share by which dense weights shrink at each step at full rate; convolutions keep their length.
    """
    convolutions: list[nn.Parameter] = []
    weights: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    normed = {
        id(module.weight)
        for module in model.modules()
        if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d) and module.bias is None
    }
    for parameter in model.parameters():
        if parameter.requires_grad:
            place = others if parameter.ndim < 2 else convolutions if id(parameter) in normed else weights
            place.append(parameter)
    rest = {"momentum": REST_MOMENTUM, "weight_decay": decay}
    groups: list[dict[str, Any]] = [
        {"params": convolutions, "lr": rate, "momentum": momentum, "muon": True, "weight_decay": 0.0},
        {"params": others, "lr": other_rate, **rest, "weight_decay": 0.0},
        *({"params": [weight], "lr": DENSE * other_rate * _square(weight), **rest} for weight in weights),
    ]
    return [group for group in groups if group["params"]]


@torch.no_grad()
def _square(weight: Tensor) -> float:
    """The mean square of a weight, that of N(0, 1 / inputs^2) at least."""
    return max(float(weight.square().mean()), weight[0].numel() ** -2)
