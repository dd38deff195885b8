"""Exponential moving average (EMA) of the parameters."""

import copy
from typing import Any

import torch
from torch import nn


class ExponentialAverage:
    """A copy of a network whose parameters are an exponential moving average of the trained ones.

    average = d * average + (1 - d) * weight after every step (Polyak & Juditsky 1992), with
    d = min(decay, (1 + t) / (10 + t)) at step t, so that the initial weights decay quickly.
    Batch norm's running statistics are averaged too; counters are copied.
    """

    def __init__(self, model: nn.Module, decay: float = 0.999) -> None:
        """Start with a copy of `model`; `decay` is in [0, 1), higher averages over more steps."""
        self.module = copy.deepcopy(model).eval().requires_grad_(False)
        self.decay = decay
        self.steps = 0

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Update the average with the parameters of `model`, which must have the same architecture."""
        self.steps += 1
        share = 1 - min(self.decay, (1 + self.steps) / (10 + self.steps))
        pairs = list(zip(tensors(self.module), tensors(model), strict=True))
        weights = [(kept, new) for kept, new in pairs if kept.is_floating_point()]
        # one call for all tensors: on a GPU, one call each would take longer than the arithmetic
        torch._foreach_lerp_([kept for kept, _ in weights], [new for _, new in weights], share)
        for kept, new in pairs:
            if not kept.is_floating_point():
                kept.copy_(new)

    def state_dict(self) -> dict[str, Any]:
        """Return the averaged network's state dict and the number of updates."""
        return {"steps": self.steps, "module": self.module.state_dict()}

    def load_state_dict(self, content: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.steps = content["steps"]
        self.module.load_state_dict(content["module"])


def tensors(model: nn.Module) -> list[torch.Tensor]:
    """Return all parameters and buffers of `model`."""
    return [*model.parameters(), *model.buffers()]
