"""A moving average of the weights while they train."""

import copy
from typing import Any

import torch
from torch import nn


class ExponentialAverage:
    """A copy of a network whose weights follow the trained ones slowly.

    average = d * average + (1 - d) * weight after every step (Polyak & Juditsky 1992), with
    d = min(decay, (1 + t) / (10 + t)) at step t, so that the first, untrained weights are soon forgotten.
    Batch norm's running statistics are averaged alike; counters are copied.
    """

    def __init__(self, model: nn.Module, decay: float = 0.999) -> None:
        """Begin with a copy of `model`; a higher `decay` in [0, 1) remembers longer."""
        self.module = copy.deepcopy(model).eval().requires_grad_(False)
        self.decay = decay
        self.steps = 0

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Move towards the weights of `model`, which must be built alike."""
        self.steps += 1
        share = 1 - min(self.decay, (1 + self.steps) / (10 + self.steps))
        pairs = list(zip(tensors(self.module), tensors(model), strict=True))
        weights = [(kept, new) for kept, new in pairs if kept.is_floating_point()]
        # one call for all of them: on a GPU, one for each would take longer than the arithmetic
        torch._foreach_lerp_([kept for kept, _ in weights], [new for _, new in weights], share)
        for kept, new in pairs:
            if not kept.is_floating_point():
                kept.copy_(new)

    def state_dict(self) -> dict[str, Any]:
        """The averaged network's own state dict, and how many steps went into it."""
        return {"steps": self.steps, "module": self.module.state_dict()}

    def load_state_dict(self, content: dict[str, Any]) -> None:
        """Go on from what `state_dict` returned."""
        self.steps = content["steps"]
        self.module.load_state_dict(content["module"])


def tensors(model: nn.Module) -> list[torch.Tensor]:
    """Return all parameters and buffers of `model`."""
    return [*model.parameters(), *model.buffers()]
