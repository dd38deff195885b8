"""Data augmentation of whole batches.

Geometric transforms are sampled as one matrix per image and applied in one resampling (`geometric`), so that masks and
boxes are transformed by the same matrices; photometric transforms change pixels only (`color`).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from convscope.datasets.augment.color import ColorChange, blur, change_color, cut_out, noise, sample_color
from convscope.datasets.augment.geometric import Motion, sample_affine, sample_motion, sample_shift, shift_whole, warp
from convscope.datasets.augment.policies import POLICIES, Policy, named_policy
from convscope.datasets.targets.registry import DEFAULT_KIND, TARGET_KINDS

PIECE = 1 << 18  # values processed at a time on a CPU: they stay in its cache, without new allocations

__all__ = [
    "POLICIES",
    "Augment",
    "Policy",
    "augment",
    "change_color",
    "cut_out",
    "sample_affine",
    "sample_shift",
    "shift_whole",
    "warp",
]


@dataclass(frozen=True)
class Augment:
    """Augments batches by a policy; the same generator state gives the same result on every device."""

    policy: Policy
    mirror: bool

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Augment (B, C, H, W) float32 in [0, 1], or uint8; shape and range are preserved."""
        return to_unit_floats(self.augment_pair(x, torch.empty(0), DEFAULT_KIND, generator)[0])

    def augment_pair(
        self,
        x: Tensor,
        y: Tensor,
        target_kind: str,
        generator: torch.Generator,
        mirror: Tensor | bool | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Augment images and targets.

        Args:
            x: (B, C, H, W), float32 in [0, 1] or uint8, which only shifts by whole pixels preserve.
            y: masks (B, H, W), or classes and boxes (B, 5); other targets are returned unchanged.
            target_kind: the kind of `y`.
            generator: may be on another device than the batch.
            mirror: (B,) which images to mirror, or whether to mirror half of them; None: `self.mirror`.
        """
        if self.policy == Policy():
            return x, y
        size = (x.shape[-2], x.shape[-1])
        motion = sample_motion(self.policy, len(x), size, self.mirror if mirror is None else mirror, generator)
        x = apply_augmentation(x, motion, sample_color(self.policy, len(x), x.shape[1], generator))
        if self.policy.blur or self.policy.noise or self.policy.cutout:
            x = to_unit_floats(x)
        x = noise(blur(x, self.policy, generator), self.policy, generator)
        y = TARGET_KINDS[target_kind].warp(y, motion)
        return cut_out(x, self.policy, generator), y


def apply_augmentation(x: Tensor, motion: Motion, colour: ColorChange | None) -> Tensor:
    """(B, C, H, W) with geometric, then colour changes; float32, or uint8 after shifts by whole pixels only."""
    if motion.whole_pixels is not None and colour is None:
        return motion.warp_images(x)
    result = torch.empty(x.shape, dtype=torch.float32, device=x.device)
    for rows in chunks(x):
        moved = motion.subset(rows).warp_images(to_unit_floats(x[rows]))
        result[rows] = moved if colour is None else colour.subset(rows).apply(moved)
    return result


def normalised(x: Tensor, mean: Tensor, std: Tensor, layout: torch.memory_format) -> Tensor:
    """(B, C, H, W) float32: images in [0, 1], or uint8 converted to it, minus `mean` (1, C, 1, 1), divided by `std`.

    Args:
        x: may be modified in place.
        mean: in units of [0, 1].
        std: in units of [0, 1].
        layout: memory format of the result.
    """
    if x.is_floating_point():
        return x.sub_(mean).div_(std).contiguous(memory_format=layout)
    result = torch.empty(x.shape, dtype=torch.float32, device=x.device, memory_format=layout)
    for rows in chunks(x):
        result[rows] = to_unit_floats(x[rows]).sub_(mean).div_(std)
    return result


def chunks(x: Tensor) -> Iterator[slice]:
    """Slices of a batch, a few images each on a CPU."""
    step = len(x) if x.is_cuda else max(1, PIECE // x[:1].numel())
    return (slice(first, first + step) for first in range(0, len(x), max(step, 1)))


def to_unit_floats(x: Tensor) -> Tensor:
    """Convert uint8 to float32 in [0, 1]; return other types unchanged."""
    return x.float().div_(255) if x.dtype == torch.uint8 else x


def augment(policy: str | Policy, mirror: bool = True) -> Augment:
    """A function that augments a batch (B, C, H, W) of float32 in [0, 1]; shape and range are preserved.

    Its arguments are the batch and a generator on the CPU; the same generator state gives the same result on every
    device.

    Args:
        policy: a name in `POLICIES`, or a policy.
        mirror: also mirror half of the images left to right; not suitable for text. "none" never mirrors.

    Raises:
        ConfigError: the policy does not exist.
    """
    return Augment(named_policy(policy, POLICIES), mirror)
