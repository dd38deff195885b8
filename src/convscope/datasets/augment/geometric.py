"""Geometric augmentation: one affine matrix per image and an optional elastic field, for images, masks and boxes.

Positions are in pixels from the centre of the image, x to the right and y down. Matrices map a position in the output
to its position in the input, as resampling needs.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from convscope.datasets.augment.policies import Policy

SMALL = 64  # smaller images are shifted by whole pixels if the policy only shifts: interpolation would blur them
_KNOTS = 5  # per side of the coarse grid of an elastic field
_ITERATIONS = 12  # of the inversion of an elastic field
_MIN_VISIBLE = 0.25  # share of a transformed box that must be inside the image


@dataclass(frozen=True, eq=False)
class Motion:
    """The geometric transforms of a batch of B images and their targets."""

    size: tuple[int, int]
    matrix: Tensor
    """(B, 2, 3)"""
    field: Tensor | None = None
    """(B, 2, H, W) offsets of the input position, x and y in pixels, at every pixel of the output."""
    whole_pixels: tuple[Tensor, Tensor, Tensor] | None = None
    """The matrix as shifts by whole pixels, see `sample_shift`, which need no interpolation."""

    def subset(self, rows: slice) -> "Motion":
        """The transforms of some of the images."""
        field = None if self.field is None else self.field[rows]
        whole = None if self.whole_pixels is None else tuple(numbers[rows] for numbers in self.whole_pixels)
        return Motion(self.size, self.matrix[rows], field, whole)  # type: ignore[arg-type]

    def warp_images(self, x: Tensor) -> Tensor:
        """(B, C, H, W) float, resampled once."""
        if self.whole_pixels is not None:
            return shift_whole(x, *self.whole_pixels)
        return warp(x, self.matrix, field=self.field)

    def warp_masks(self, y: Tensor) -> Tensor:
        """(B, H, W) integers, resampled by nearest neighbour."""
        if self.whole_pixels is not None:
            return shift_whole(y[:, None], *self.whole_pixels)[:, 0]
        return warp(y[:, None].float(), self.matrix, "nearest", self.field)[:, 0].to(y.dtype)

    def warp_boxes(self, y: Tensor) -> Tensor:
        """(B, 5) class and xyxy in pixels of the image; see `warp_boxes`."""
        return torch.cat([y[:, :1], warp_boxes(y[:, 1:], self.matrix, self.size, self.field).to(y)], 1)


Mirror = bool | Tensor
"""Whether to mirror half of the images at random, or (B,) which to mirror."""


def sample_motion(
    policy: Policy, batch: int, size: tuple[int, int], mirror: Mirror, generator: torch.Generator
) -> Motion:
    """Random transforms; shifts by whole pixels for small images if the policy only shifts."""
    if not policy.resamples and min(size) < SMALL:
        down, right, mirrored = sample_shift(policy, batch, size, mirror, generator)
        sign, zero, one = torch.where(mirrored, -1.0, 1.0), torch.zeros(batch), torch.ones(batch)
        rows = [torch.stack([sign, zero, -sign * right], 1), torch.stack([zero, one, -down.float()], 1)]
        return Motion(size, torch.stack(rows, 1), whole_pixels=(down, right, mirrored))
    matrix = sample_affine(policy, batch, size, mirror, generator)
    return Motion(size, matrix, sample_elastic_field(policy, batch, size, generator) if policy.elastic else None)


def sample_shift(
    policy: Policy, batch: int, size: tuple[int, int], mirror: Mirror, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Whole pixels down (B,), whole pixels right (B,), and whether to mirror first (B,)."""
    down, right = (torch.round(_uniform(batch, generator) * int(policy.shift * side)).to(torch.int64) for side in size)
    return down, right, _sample_flips(mirror, batch, generator)


def sample_affine(
    policy: Policy, batch: int, size: tuple[int, int], mirror: Mirror, generator: torch.Generator
) -> Tensor:
    """(B, 2, 3) matrices from positions in the output to positions in the input."""
    angle = math.radians(policy.rotate) * _uniform(batch, generator)
    shear = torch.tan(math.radians(policy.shear) * _uniform(batch, generator))
    scale = torch.exp(math.log(policy.scale) * _uniform(batch, generator))
    down, right = (policy.shift * side * _uniform(batch, generator) for side in size)
    mirrored = _sample_flips(mirror, batch, generator)
    sign = torch.where(mirrored, -1.0, 1.0)
    cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale
    # mirror . rotation / scale . shear . (position - shift)
    linear = torch.stack(
        [torch.stack([sign * cos, sign * (cos * shear - sin)], 1), torch.stack([sin, sin * shear + cos], 1)], 1
    )
    offset = -(linear @ torch.stack([right, down], 1)[:, :, None])
    if policy.flip:
        upside_down = torch.where(torch.rand(batch, generator=generator, device=generator.device) < 0.5, -1.0, 1.0)
        linear = linear * torch.stack([torch.ones(batch), upside_down], 1)[:, None]
    if policy.crop < 1:
        part = policy.crop + (1 - policy.crop) * torch.rand(batch, generator=generator, device=generator.device)
        free = [(1 - part) * side / 2 * _uniform(batch, generator) for side in (size[1], size[0])]
        offset = offset + linear @ torch.stack(free, 1)[:, :, None]
        linear = linear * part[:, None, None]
    return torch.cat([linear, offset], 2)


def sample_elastic_field(policy: Policy, batch: int, size: tuple[int, int], generator: torch.Generator) -> Tensor:
    """(B, 2, H, W) smooth offsets of at most `elastic` of the side, interpolated from a coarse random grid.

    Simard et al. 2003 smooth a random offset per pixel; a coarse grid is as smooth and much faster.
    """
    knots = torch.rand((batch, 2, _KNOTS, _KNOTS), generator=generator, device=generator.device) * 2 - 1
    smooth = functional.interpolate(knots, size, mode="bicubic", align_corners=True).clamp(-1, 1)
    return policy.elastic * smooth * torch.tensor([size[1], size[0]]).view(1, 2, 1, 1)


def warp(x: Tensor, matrix: Tensor, mode: str = "bilinear", field: Tensor | None = None) -> Tensor:
    """Resample images (B, C, H, W) by (B, 2, 3) matrices and a field in one step, with reflected borders.

    `mode` is "bilinear", or "nearest" for masks.
    """
    height, width = x.shape[-2:]
    half = torch.tensor([width / 2, height / 2])
    matrix = matrix.cpu()
    # grid_sample has coordinates from -1 to 1 over the width and height of the image
    linear = matrix[:, :, :2] * half[None, None, :] / half[None, :, None]
    normal = torch.cat([linear, matrix[:, :, 2:] / half[None, :, None]], 2).to(x.device, x.dtype)
    grid = _grid(normal, height, width)
    if field is not None:
        grid = grid + (field / half.to(field.device).view(1, 2, 1, 1)).permute(0, 2, 3, 1).to(x.device, x.dtype)
    return functional.grid_sample(x, grid, mode=mode, padding_mode="reflection", align_corners=False)


def _grid(matrix: Tensor, height: int, width: int) -> Tensor:
    """(B, H, W, 2) positions from (B, 2, 3) matrices, in units of half the image, by broadcast addition.

    PyTorch's `affine_grid` uses matrix products, which take as long as the resampling.
    """
    across, down = ((2 * torch.arange(side).to(matrix) + 1) / side - 1 for side in (width, height))
    grid = matrix.new_empty(len(matrix), height, width, 2)
    for axis in range(2):
        by_column, by_row, offset = matrix[:, axis].unbind(1)
        rows = by_row[:, None] * down + offset[:, None]
        torch.add((by_column[:, None] * across)[:, None, :], rows[:, :, None], out=grid[..., axis])
    return grid


def warp_boxes(boxes: Tensor, matrix: Tensor, size: tuple[int, int], field: Tensor | None = None) -> Tensor:
    """(B, 4) xyxy in pixels: the box around the transformed corners and midpoints of sides, clipped to the image.

    A box of which less than a quarter is inside the image becomes nan (unknown).
    """
    height, width = size
    boxes = boxes.cpu().double()
    x1, y1, x2, y2 = boxes.unbind(1)
    across, down = (x1 + x2) / 2, (y1 + y2) / 2
    corners = [(x1, y1), (x2, y1), (x1, y2), (x2, y2), (across, y1), (across, y2), (x1, down), (x2, down)]
    center = torch.tensor([width / 2, height / 2], dtype=torch.float64)
    positions = torch.stack([torch.stack(corner, 1) for corner in corners], 1) - center  # (B, 8, 2)
    transformed = _to_output(positions, matrix.cpu().double(), None if field is None else field.cpu().double()) + center
    low, high = transformed.amin(1), transformed.amax(1)
    edge = torch.tensor([width, height], dtype=torch.float64)
    inside = torch.cat([low.clamp(min=0).minimum(edge), high.clamp(min=0).minimum(edge)], 1)
    lost = (inside[:, 2:] - inside[:, :2]).prod(1) < _MIN_VISIBLE * (high - low).prod(1)
    return torch.where(lost[:, None], math.nan, inside)


def _to_output(positions: Tensor, matrix: Tensor, field: Tensor | None) -> Tensor:
    """Map input positions (B, P, 2) to output positions: input = linear . output + offset + field(output)."""
    inverse: Tensor = torch.linalg.inv(matrix[:, :, :2])
    offset = matrix[:, :, 2]
    target = positions - offset[:, None]
    result = target @ inverse.mT
    if field is None:
        return result
    half = torch.tensor([field.shape[3] / 2, field.shape[2] / 2], dtype=result.dtype)
    for _ in range(_ITERATIONS):  # fixed-point iteration: the field varies slowly
        grid = (result / half)[:, :, None]
        shift = functional.grid_sample(field, grid, padding_mode="border", align_corners=False)[..., 0].mT
        result = (target - shift) @ inverse.mT
    return result


def shift_whole(x: Tensor, down: Tensor, right: Tensor, mirrored: Tensor) -> Tensor:
    """Mirror and shift images by whole pixels, with reflected borders."""
    return (shift_by_slice if x.device.type == "cpu" else shift_by_index)(x, down, right, mirrored)


def shift_by_index(x: Tensor, down: Tensor, right: Tensor, mirrored: Tensor) -> Tensor:
    """`shift_whole` on any device."""
    height, width = x.shape[-2:]
    rows = _reflected(torch.arange(height)[None] - down.cpu()[:, None], height)
    columns = _reflected(torch.arange(width)[None] - right.cpu()[:, None], width)
    columns = torch.where(mirrored.cpu()[:, None], width - 1 - columns, columns)
    images = torch.arange(len(x))[:, None, None]
    rows, columns, images = rows.to(x.device), columns.to(x.device), images.to(x.device)
    return x.permute(0, 2, 3, 1)[images, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def shift_by_slice(x: Tensor, down: Tensor, right: Tensor, mirrored: Tensor) -> Tensor:
    """`shift_whole` on a CPU: slices of padded images."""
    height, width = x.shape[-2:]
    flipped = mirrored.cpu().numpy()
    down_by, right_by = down.cpu().numpy(), right.cpu().numpy() * np.where(flipped, -1, 1)
    above, beside = int(np.abs(down_by).max(initial=0)), int(np.abs(right_by).max(initial=0))
    padded = np.pad(x.numpy(), ((0, 0), (0, 0), (above, above), (beside, beside)), mode="symmetric")
    parts = np.lib.stride_tricks.sliding_window_view(padded, (height, width), (2, 3))
    cut = parts[np.arange(len(x)), :, above - down_by, beside - right_by]
    cut[flipped] = cut[flipped][..., ::-1]
    return torch.from_numpy(cut)


def _reflected(index: Tensor, length: int) -> Tensor:
    """Indices outside 0 .. length - 1 reflected, with the border pixel repeated as in `grid_sample`."""
    index = index % (2 * length)
    return torch.where(index < length, index, 2 * length - 1 - index)


def _sample_flips(mirror: Mirror, batch: int, generator: torch.Generator) -> Tensor:
    """(B,) which images to mirror."""
    flips = torch.rand(batch, generator=generator, device=generator.device) < 0.5 * (mirror is True)
    return mirror.to(flips.device) if isinstance(mirror, Tensor) else flips


def _uniform(batch: int, generator: torch.Generator) -> Tensor:
    """(B,) uniform in [-1, 1)."""
    return torch.rand(batch, generator=generator, device=generator.device) * 2 - 1
