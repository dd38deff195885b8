"""Random changes that leave a picture's class as it is, for a whole batch at once.

Geometry and colour are apart: geometry is drawn as one matrix per image and applied in one resampling (`geometry`), so
that masks and boxes are moved by the same matrices; colour touches pixels alone (`colour`).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from convscope.data.augment.color import ColorChange, blur, change_color, cut_out, noise, sample_color
from convscope.data.augment.geometric import Motion, sample_affine, sample_motion, sample_shift, shift_whole, warp
from convscope.data.augment.policies import POLICIES, Policy
from convscope.data.targets.registry import DEFAULT_KIND, TARGET_KINDS
from convscope.errors import ConfigError, did_you_mean

PIECE = 1 << 18  # numbers that are changed at a time on a CPU: they stay in its cache, and no memory is asked for anew

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
    """Changes batches by a policy; the same generator state gives the same changes on every device."""

    policy: Policy
    mirror: bool

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """(B, C, H, W) float32 in [0, 1], or bytes, changed at random; shape and range stay."""
        return to_unit_floats(self.augment_pair(x, torch.empty(0), DEFAULT_KIND, generator)[0])

    def augment_pair(
        self,
        x: Tensor,
        y: Tensor,
        target_kind: str,
        generator: torch.Generator,
        mirror: Tensor | bool | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Images and what moves with them.

        Args:
            x: (B, C, H, W), float32 in [0, 1] or bytes in 0 .. 255, which become such unless whole pixels move alone.
            y: masks (B, H, W), or classes and boxes (B, 5); whatever else stays as it is.
            target_kind: what `y` is.
            generator: may lie elsewhere than the batch.
            mirror: (B,) which images to mirror, or whether to mirror half of them; None: as `self.mirror` says.
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
    """(B, C, H, W) every image moved, then coloured; float32, or still bytes where whole pixels were moved alone."""
    if motion.whole_pixels is not None and colour is None:
        return motion.warp_images(x)
    result = torch.empty(x.shape, dtype=torch.float32, device=x.device)
    for rows in chunks(x):
        moved = motion.subset(rows).warp_images(to_unit_floats(x[rows]))
        result[rows] = moved if colour is None else colour.subset(rows).apply(moved)
    return result


def normalised(x: Tensor, mean: Tensor, std: Tensor, layout: torch.memory_format) -> Tensor:
    """(B, C, H, W) float32: shares, or bytes that become such, less `mean` (1, C, 1, 1) and over `std`.

    Args:
        x: what nobody else needs: its memory may be used.
        mean: of shares.
        std: of shares.
        layout: of the result's memory.
    """
    if x.is_floating_point():
        return x.sub_(mean).div_(std).contiguous(memory_format=layout)
    result = torch.empty(x.shape, dtype=torch.float32, device=x.device, memory_format=layout)
    for rows in chunks(x):
        result[rows] = to_unit_floats(x[rows]).sub_(mean).div_(std)
    return result


def chunks(x: Tensor) -> Iterator[slice]:
    """The images of a batch, a few at a time on a CPU."""
    step = len(x) if x.is_cuda else max(1, PIECE // x[:1].numel())
    return (slice(first, first + step) for first in range(0, len(x), max(step, 1)))


def to_unit_floats(x: Tensor) -> Tensor:
    """Bytes as float32 in [0, 1]; anything else as it is."""
    return x.float().div_(255) if x.dtype == torch.uint8 else x


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
