"""What goes on inside a network while it trains, layer by layer.

    with observe(model) as observer:
        for record in run(...):
            if isinstance(record, Epoch):
                for layer in observer.report(): ...

Nothing in the loop knows of it: hooks see the forward passes, and gradients are read where the last step left them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from convscope.training.init import RECTIFIERS, SATURATING, WEIGHT_LAYERS


@dataclass(frozen=True)
class LayerReport:
    """One layer, over all forward passes since the last report."""

    name: str
    layer_type: str  # its class, for instance Conv2d or ReLU
    dead: float | None  # share of units that were never different from 0, in [0, 1]; activation layers alone
    variance: float | None  # of its outputs, mean over the passes; None where it did not run
    gradient_norm: float | None  # of its weights at the last step; weight layers alone, None without gradients


class LayerTally:
    """What one layer's outputs have shown so far, kept on the device so that nothing waits for it."""

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
    """The tallies of a network's layers; ask it with `report`."""

    def __init__(self, model: nn.Module) -> None:
        """Take the network that is watched."""
        self.model = model
        self.layers = {name: module for name, module in model.named_modules() if is_observed(module)}
        self.tallies = {name: LayerTally() for name in self.layers}

    def on_forward(self, name: str, module: nn.Module, _inputs: Any, output: Any) -> None:
        """Take one forward pass of one layer (a forward hook)."""
        if isinstance(output, Tensor):
            self.tallies[name].update(output, isinstance(module, RECTIFIERS + SATURATING))

    def report(self) -> list[LayerReport]:
        """Return every layer in order, and begin to count anew."""
        norms = gradient_norms(self.model)
        reports = [self._layer(name, module, norms) for name, module in self.layers.items()]
        self.tallies = {name: LayerTally() for name in self.layers}
        return reports

    def _layer(self, name: str, module: nn.Module, norms: dict[str, float]) -> LayerReport:
        tally = self.tallies[name]
        return LayerReport(
            name,
            type(module).__name__,
            dead=None if tally.active is None else 1 - tally.active.float().mean().item(),
            variance=None if tally.variance is None else tally.variance.item() / tally.passes,
            gradient_norm=norms.get(name),
        )


@contextmanager
def observe(model: nn.Module) -> Iterator[Observer]:
    """Watch the activation and weight layers of `model`; the hooks are gone afterwards, also after an error.

    A dead unit is a channel, or a column of a dense layer, whose output was 0 at every place of every image since
    the last report: no gradient passes, so that it cannot come back. Only activations that are modules are seen,
    and one module that is used in several places counts as one.
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
    """Whether a module is a weight layer or an activation."""
    return isinstance(module, WEIGHT_LAYERS + RECTIFIERS + SATURATING)


def gradient_norms(model: nn.Module) -> dict[str, float]:
    """Return the norm of the last step's gradient of each weight layer, by its name; clipped where the step clips.

    With vanishing gradients these fall by orders of magnitude from the last layer to the first.
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
