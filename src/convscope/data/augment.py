"""Random changes that leave a picture's class as it is, for a whole batch at once.

Geometry and colour are apart: geometry is drawn as one matrix per image and applied in one resampling (`geometry`), so
that masks and boxes are moved by the same matrices; colour touches pixels alone (`colour`).
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from convscope.data.colour import blur, cut_out, noise, recolour
from convscope.data.geometry import draw_geometry, draw_motion, draw_shift, shift_whole, warp
from convscope.data.policy import POLICIES, Policy
from convscope.errors import ConfigError, did_you_mean

Moved = Literal["none", "masks", "boxes"]

__all__ = [
    "POLICIES",
    "Augment",
    "Moved",
    "Policy",
    "augment",
    "cut_out",
    "draw_geometry",
    "draw_shift",
    "recolour",
    "shift_whole",
    "warp",
]


@dataclass(frozen=True)
class Augment:
    """Changes batches by a policy; the same generator state gives the same changes on every device."""

    policy: Policy
    mirror: bool

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """(B, C, H, W) float32 in [0, 1], changed at random; shape and range stay."""
        return self.both(x, torch.empty(0), "none", generator)[0]

    def both(self, x: Tensor, y: Tensor, moved: Moved, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Images and what moves with them.

        Args:
            x: (B, C, H, W).
            y: masks (B, H, W), or classes and boxes (B, 5); whatever else stays as it is.
            moved: what `y` is.
            generator: may lie elsewhere than the batch.
        """
        if self.policy == Policy():
            return x, y
        size = (x.shape[-2], x.shape[-1])
        motion = draw_motion(self.policy, len(x), size, self.mirror, generator)
        x = recolour(motion.images(x), self.policy, generator)
        x = noise(blur(x, self.policy, generator), self.policy, generator)
        y = motion.masks(y) if moved == "masks" else motion.boxes(y) if moved == "boxes" else y
        return cut_out(x, self.policy, generator), y


def augment(policy: str | Policy, mirror: bool = True) -> Augment:
    """A function that changes a batch (B, C, H, W) of float32 in [0, 1] at random; the result has its shape and range.

    It takes the batch and a generator; where the generator lies (CPU) and where the batch lies may differ, and the same
    generator state gives the same changes on every device.

    Args:
        policy: a name in `POLICIES`, or a policy.
        mirror: also mirror half of the images, left to right. Not for digits and letters. "none" never mirrors.

    Raises:
        ConfigError: no such policy.
    """
    if isinstance(policy, Policy):
        return Augment(policy, mirror)
    if policy not in POLICIES:
        raise ConfigError(f"augment: no policy {policy}{did_you_mean(policy, POLICIES)}")
    return Augment(POLICIES[policy], mirror)
