"""Statistics per layer during training: dead units, output variance, gradient norm.

    with observe(model) as observer:
        for record in run(...):
            if isinstance(record, Epoch):
                for layer in observer.report(): ...

It is independent of the loop: hooks observe the forward passes, and gradients are read after the last step.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from convscope.modules import eval_mode
from convscope.training.init import RECTIFIERS, SATURATING, TRANSPOSED, WEIGHT_LAYERS

IDENTICAL = 1e-6  # of the largest weight: differences that rounding explains


@dataclass(frozen=True)
class LayerReport:
    """Statistics of one layer over all forward passes since the last report."""

    name: str
    layer_type: str  # class name, for instance Conv2d or ReLU
    dead: float | None  # fraction of units whose output was always 0, in [0, 1]; activation layers only
    variance: float | None  # of its outputs, mean over the passes; None if it did not run
    gradient_norm: float | None  # of its weights at the last step; weight layers only, None without gradients
    weight_norm: float | None = None  # weight layers only
    identical: bool | None = None  # whether all units have the same weights; weight layers of two units and more


class LayerTally:
    """Running statistics of one layer's outputs, kept on the device to avoid synchronisation."""

    def __init__(self) -> None:
        self.passes = 0
        self.active: Tensor | None = None
        self.variance: Tensor | None = None

    def update(self, output: Tensor, is_activation: bool) -> None:
        output = output.detach()
        variance = output.float().var(correction=0)
        self.variance = variance if self.variance is None else self.variance + variance
        self.passes += 1
        if is_activation:
            # a unit is a channel of (B, C, ...) and a column of (B, C)
            active = (output != 0).transpose(0, 1).flatten(1).any(1) if output.ndim > 1 else output != 0
            self.active = active if self.active is None else self.active | active


class Observer:
    """Collects the statistics of a network's layers; `report` returns them."""

    def __init__(self, model: nn.Module) -> None:
        """Start with the network to observe."""
        self.model = model
        self.layers = {name: module for name, module in model.named_modules() if is_observed(module)}
        self.tallies = {name: LayerTally() for name in self.layers}

    def on_forward(self, name: str, module: nn.Module, _inputs: Any, output: Any) -> None:
        """Add one forward pass of one layer (a forward hook)."""
        if isinstance(output, Tensor):
            self.tallies[name].update(output, isinstance(module, RECTIFIERS + SATURATING))

    def report(self) -> list[LayerReport]:
        """Return the statistics of every layer in order, and reset them."""
        norms = gradient_norms(self.model)
        reports = [self._layer(name, module, norms.get(name)) for name, module in self.layers.items()]
        self.tallies = {name: LayerTally() for name in self.layers}
        return reports

    def _layer(self, name: str, module: nn.Module, gradient_norm: float | None) -> LayerReport:
        tally, is_weighted = self.tallies[name], isinstance(module, WEIGHT_LAYERS)
        return LayerReport(
            name,
            type(module).__name__,
            dead=None if tally.active is None else 1 - tally.active.float().mean().item(),
            variance=None if tally.variance is None else tally.variance.item() / tally.passes,
            gradient_norm=gradient_norm,
            weight_norm=module.weight.detach().float().norm().item() if is_weighted else None,  # type: ignore[operator]
            identical=has_identical_units(module) if is_weighted else None,
        )


@contextmanager
def observe(model: nn.Module) -> Iterator[Observer]:
    """Observe the activation and weight layers of `model`; hooks are removed afterwards, also after an error.

    A dead unit is a channel, or a unit of a dense layer, whose output was 0 at every position of every image since the
    last report; it gets no gradient, so it cannot recover. Only activations that are modules are observed, and a
    module that is used several times counts once.
    """
    observer = Observer(model)
    hooks = [
        module.register_forward_hook(partial(observer.on_forward, name)) for name, module in observer.layers.items()
    ]
    try:
        yield observer
    finally:
        for hook in hooks:
            hook.remove()


def is_observed(module: nn.Module) -> bool:
    """Return whether a module is a weight layer or an activation."""
    return isinstance(module, WEIGHT_LAYERS + RECTIFIERS + SATURATING)


def has_identical_units(layer: nn.Module) -> bool | None:
    """Return whether all units of a weight layer have the same weights; None if it has a single unit.

    Such units have the same output and, where the next layer weights them alike, the same gradient: they stay
    identical, so that the layer computes what one unit could.
    """
    weight = layer.weight.detach()  # type: ignore[operator]
    units = weight.transpose(0, 1) if isinstance(layer, TRANSPOSED) else weight
    if len(units) < 2:
        return None
    tolerance = IDENTICAL * units.abs().amax()
    return bool(((units - units[:1]).abs().amax() <= tolerance).item())


@torch.no_grad()
def measure_layers(model: nn.Module, x: Tensor | None) -> list[LayerReport]:
    """Return the statistics of every layer: activations for the images `x` in eval mode, gradients of the last step.

    Modes and random states are as before. Nothing is recorded of activations where `x` is None.

    Args:
        model: after the last step of an epoch, whose gradients are not deleted yet.
        x: (B, C, H, W) images as the network gets them.
    """
    with observe(model) as observer:
        if x is not None:
            with eval_mode(model):
                model(x)
        return observer.report()


def gradient_norms(model: nn.Module) -> dict[str, float]:
    """Return the gradient norm of each weight layer at the last step, by name, after clipping.

    With vanishing gradients they decrease by orders of magnitude from the last layer to the first.
    """
    found = {
        name: gradient
        for name, module in model.named_modules()
        if isinstance(module, WEIGHT_LAYERS) and (gradient := module.weight.grad) is not None
    }
    if not found:
        return {}
    norms = torch.stack([gradient.float().norm() for gradient in found.values()]).tolist()
    return dict(zip(found, norms, strict=True))
