"""Random places: one matrix per image, and where wanted a field of small shifts; images, masks and boxes move by them.

Places are pixels from the middle of the image, x to the right and y down. Matrices lead from a place in the result to
the place in the source that it shows, which is what resampling needs.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from convscope.datasets.augment.policies import Policy

SMALL = 64  # below it one pixel is much of the picture: policies that only shift do so by whole pixels, without blur
_KNOTS = 5  # per side of the coarse grid of an elastic field
_ROUNDS = 12  # of the search for where a place goes under an elastic field
_LEFT = 0.25  # share of a moved box that must still be in the image


@dataclass(frozen=True, eq=False)
class Motion:
    """How a batch of B images moves; everything of an image moves by the same."""

    size: tuple[int, int]
    matrix: Tensor
    """(B, 2, 3)"""
    field: Tensor | None = None
    """(B, 2, H, W) what is added to the source's place, x and y in pixels, at every place of the result."""
    whole_pixels: tuple[Tensor, Tensor, Tensor] | None = None
    """The same as the matrix as whole pixels, see `sample_shift`: then no pixel is mixed."""

    def subset(self, rows: slice) -> "Motion":
        """That of some of the images."""
        field = None if self.field is None else self.field[rows]
        whole = None if self.whole_pixels is None else tuple(numbers[rows] for numbers in self.whole_pixels)
        return Motion(self.size, self.matrix[rows], field, whole)  # type: ignore[arg-type]

    def warp_images(self, x: Tensor) -> Tensor:
        """(B, C, H, W) float, resampled once."""
        if self.whole_pixels is not None:
            return shift_whole(x, *self.whole_pixels)
        return warp(x, self.matrix, field=self.field)

    def warp_masks(self, y: Tensor) -> Tensor:
        """(B, H, W) whole numbers; every place takes the number of the nearest pixel, so none is new."""
        if self.whole_pixels is not None:
            return shift_whole(y[:, None], *self.whole_pixels)[:, 0]
        return warp(y[:, None].float(), self.matrix, "nearest", self.field)[:, 0].to(y.dtype)

    def warp_boxes(self, y: Tensor) -> Tensor:
        """(B, 5) class and xyxy in pixels of the image; see `warp_boxes`."""
        return torch.cat([y[:, :1], warp_boxes(y[:, 1:], self.matrix, self.size, self.field).to(y)], 1)


Mirror = bool | Tensor
"""Whether to mirror half of the images at random, or (B,) which of them."""


def sample_motion(
    policy: Policy, batch: int, size: tuple[int, int], mirror: Mirror, generator: torch.Generator
) -> Motion:
    """A random motion; by whole pixels where nothing but a shift is asked of small images."""
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
    down, right = (
        torch.round(_either_way(batch, generator) * int(policy.shift * side)).to(torch.int64) for side in size
    )
    return down, right, _sample_flips(mirror, batch, generator)


def sample_affine(
    policy: Policy, batch: int, size: tuple[int, int], mirror: Mirror, generator: torch.Generator
) -> Tensor:
    """(B, 2, 3) matrices from a place in the result to the place in the source that it shows."""
    angle = math.radians(policy.rotate) * _either_way(batch, generator)
    shear = torch.tan(math.radians(policy.shear) * _either_way(batch, generator))
    scale = torch.exp(math.log(policy.scale) * _either_way(batch, generator))
    down, right = (policy.shift * side * _either_way(batch, generator) for side in size)
    mirrored = _sample_flips(mirror, batch, generator)
    sign = torch.where(mirrored, -1.0, 1.0)
    cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale
    # mirror . turn / scale . shear . (place - shift)
    linear = torch.stack(
        [torch.stack([sign * cos, sign * (cos * shear - sin)], 1), torch.stack([sin, sin * shear + cos], 1)], 1
    )
    offset = -(linear @ torch.stack([right, down], 1)[:, :, None])
    if policy.flip:
        upside_down = torch.where(torch.rand(batch, generator=generator, device=generator.device) < 0.5, -1.0, 1.0)
        linear = linear * torch.stack([torch.ones(batch), upside_down], 1)[:, None]
    if policy.crop < 1:
        part = policy.crop + (1 - policy.crop) * torch.rand(batch, generator=generator, device=generator.device)
        free = [(1 - part) * side / 2 * _either_way(batch, generator) for side in (size[1], size[0])]
        offset = offset + linear @ torch.stack(free, 1)[:, :, None]
        linear = linear * part[:, None, None]
    return torch.cat([linear, offset], 2)


def sample_elastic_field(policy: Policy, batch: int, size: tuple[int, int], generator: torch.Generator) -> Tensor:
    """(B, 2, H, W) smooth shifts of at most `elastic` of the side, from a coarse grid of random ones.

    Simard et al. 2003 smooth a shift for every pixel; a coarse grid is as smooth and costs nothing.
    """
    knots = torch.rand((batch, 2, _KNOTS, _KNOTS), generator=generator, device=generator.device) * 2 - 1
    smooth = functional.interpolate(knots, size, mode="bicubic", align_corners=True).clamp(-1, 1)
    return policy.elastic * smooth * torch.tensor([size[1], size[0]]).view(1, 2, 1, 1)


def warp(x: Tensor, matrix: Tensor, mode: str = "bilinear", field: Tensor | None = None) -> Tensor:
    """Images (B, C, H, W) seen through (B, 2, 3) matrices and a field, in one resampling; borders are mirrored.

    `mode` is "bilinear", or "nearest" for masks, whose numbers must not be mixed.
    """
    height, width = x.shape[-2:]
    half = torch.tensor([width / 2, height / 2])
    matrix = matrix.cpu()
    # grid_sample counts from -1 to 1 over the image's width and height
    linear = matrix[:, :, :2] * half[None, None, :] / half[None, :, None]
    normal = torch.cat([linear, matrix[:, :, 2:] / half[None, :, None]], 2).to(x.device, x.dtype)
    grid = _grid(normal, height, width)
    if field is not None:
        grid = grid + (field / half.to(field.device).view(1, 2, 1, 1)).permute(0, 2, 3, 1).to(x.device, x.dtype)
    return functional.grid_sample(x, grid, mode=mode, padding_mode="reflection", align_corners=False)


def _grid(matrix: Tensor, height: int, width: int) -> Tensor:
    """(B, H, W, 2) places that (B, 2, 3) matrices lead to, in units of half the image; one sum per number.

    PyTorch's `affine_grid` multiplies matrices for it, which takes as long as the resampling.
    """
    across, down = ((2 * torch.arange(side).to(matrix) + 1) / side - 1 for side in (width, height))
    grid = matrix.new_empty(len(matrix), height, width, 2)
    for axis in range(2):
        by_column, by_row, offset = matrix[:, axis].unbind(1)
        rows = by_row[:, None] * down + offset[:, None]
        torch.add((by_column[:, None] * across)[:, None, :], rows[:, :, None], out=grid[..., axis])
    return grid


def warp_boxes(boxes: Tensor, matrix: Tensor, size: tuple[int, int], field: Tensor | None = None) -> Tensor:
    """(B, 4) xyxy in pixels: the box around the moved corners (and middles of sides), cut at the image's border.

    A box of which less than a quarter is left in the image becomes nan: it is not known any more.
    """
    height, width = size
    boxes = boxes.cpu().double()
    x1, y1, x2, y2 = boxes.unbind(1)
    across, down = (x1 + x2) / 2, (y1 + y2) / 2
    corners = [(x1, y1), (x2, y1), (x1, y2), (x2, y2), (across, y1), (across, y2), (x1, down), (x2, down)]
    middle = torch.tensor([width / 2, height / 2], dtype=torch.float64)
    places = torch.stack([torch.stack(corner, 1) for corner in corners], 1) - middle  # (B, 8, 2)
    moved = _results(places, matrix.cpu().double(), None if field is None else field.cpu().double()) + middle
    low, high = moved.amin(1), moved.amax(1)
    edge = torch.tensor([width, height], dtype=torch.float64)
    inside = torch.cat([low.clamp(min=0).minimum(edge), high.clamp(min=0).minimum(edge)], 1)
    left = (inside[:, 2:] - inside[:, :2]).prod(1) < _LEFT * (high - low).prod(1)
    return torch.where(left[:, None], math.nan, inside)


def _results(places: Tensor, matrix: Tensor, field: Tensor | None) -> Tensor:
    """Where places of the source (B, P, 2) show in the result: source = linear . result + offset + field(result)."""
    inverse: Tensor = torch.linalg.inv(matrix[:, :, :2])
    offset = matrix[:, :, 2]
    aim = places - offset[:, None]
    found = aim @ inverse.mT
    if field is None:
        return found
    half = torch.tensor([field.shape[3] / 2, field.shape[2] / 2], dtype=found.dtype)
    for _ in range(_ROUNDS):  # the field changes slowly, so that each round comes nearer
        there = (found / half)[:, :, None]
        shift = functional.grid_sample(field, there, padding_mode="border", align_corners=False)[..., 0].mT
        found = (aim - shift) @ inverse.mT
    return found


def shift_whole(x: Tensor, down: Tensor, right: Tensor, mirrored: Tensor) -> Tensor:
    """Images mirrored and moved by whole pixels, exactly; the border is mirrored into what opens up."""
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
    """`shift_whole` on a CPU: whole rows are copied out of images with their borders mirrored around them."""
    height, width = x.shape[-2:]
    turned = mirrored.cpu().numpy()
    down_by, right_by = down.cpu().numpy(), right.cpu().numpy() * np.where(turned, -1, 1)
    above, beside = int(np.abs(down_by).max(initial=0)), int(np.abs(right_by).max(initial=0))
    wider = np.pad(x.numpy(), ((0, 0), (0, 0), (above, above), (beside, beside)), mode="symmetric")
    parts = np.lib.stride_tricks.sliding_window_view(wider, (height, width), (2, 3))
    cut = parts[np.arange(len(x)), :, above - down_by, beside - right_by]
    cut[turned] = cut[turned][..., ::-1]
    return torch.from_numpy(cut)


def _reflected(index: Tensor, length: int) -> Tensor:
    """Indices beyond 0 .. length - 1 folded back, the border pixel repeated as `grid_sample` does."""
    index = index % (2 * length)
    return torch.where(index < length, index, 2 * length - 1 - index)


def _sample_flips(mirror: Mirror, batch: int, generator: torch.Generator) -> Tensor:
    """(B,) which images to mirror."""
    by_chance = torch.rand(batch, generator=generator, device=generator.device) < 0.5 * (mirror is True)
    return mirror.to(by_chance.device) if isinstance(mirror, Tensor) else by_chance


def _either_way(batch: int, generator: torch.Generator) -> Tensor:
    """(B,) uniform in -1 .. 1."""
    return torch.rand(batch, generator=generator, device=generator.device) * 2 - 1
