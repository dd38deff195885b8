"""Upsampling modules; each is called with the coarse map, the finer map (or None) and the target sides."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from convscope.models.layers import LayerFactory


def nearest(x: Tensor, sides: tuple[int, ...]) -> Tensor:
    """Nearest-neighbour upsampling; no parameters.

    >>> import torch
    >>> nearest(torch.tensor([[[1.0, 2.0]]]), (4,)).tolist()
    [[[1.0, 1.0, 2.0, 2.0]]]
    """
    return functional.interpolate(x, size=sides, mode="nearest")


def bilinear(x: Tensor, sides: tuple[int, ...]) -> Tensor:
    """Linear, bilinear or trilinear interpolation; no parameters."""
    mode = {3: "linear", 4: "bilinear", 5: "trilinear"}[x.dim()]
    return functional.interpolate(x, size=sides, mode=mode, align_corners=False)


def max_unpool(x: Tensor, fine: Tensor) -> Tensor:
    """Max unpooling: put each value at the position where `fine` is largest in its window, zeros elsewhere.

    If `x` was max-pooled from `fine`, these are the pooling indices (Badrinarayanan 2015). No parameters.

    Args:
        x: (B, C, h, w).
        fine: (B, C, H, W), with the same number of channels.
    """
    if torch.compiler.is_exporting():
        return _unpool_windows(x, fine)
    positions: Any = (
        functional.adaptive_max_pool1d, functional.adaptive_max_pool2d, functional.adaptive_max_pool3d,
    )[x.dim() - 3]  # fmt: skip
    _, indices = positions(fine, x.shape[2:], return_indices=True)
    # A scatter, since torch's unpooling has no deterministic implementation.
    flat = x.new_zeros(*x.shape[:2], fine.shape[2:].numel()).scatter(2, indices.flatten(2), x.flatten(2))
    return flat.view(fine.shape)


def _unpool_windows(x: Tensor, fine: Tensor) -> Tensor:
    """`max_unpool` by comparison with each position of a window: ONNX has no pooling indices of adaptive pooling.

    The sides of `fine` are whole multiples of those of `x`, as they are after padding (`EncoderDecoder.multiple`).
    """
    sides, rank = x.shape[2:], x.dim() - 2
    factors = [int(side // coarse) for side, coarse in zip(fine.shape[2:], sides, strict=True)]
    split = [length for side, factor in zip(sides, factors, strict=True) for length in (side, factor)]
    coarse_first = [0, 1, *range(2, 2 + 2 * rank, 2), *range(3, 3 + 2 * rank, 2)]
    windows = fine.reshape(*x.shape[:2], *split).permute(coarse_first).flatten(2 + rank)
    chosen = torch.arange(windows.shape[-1], device=x.device) == windows.argmax(-1, keepdim=True)
    spread = torch.where(chosen, x.unsqueeze(-1), x.new_zeros(())).reshape(*x.shape, *factors)
    back = [0, 1, *(axis for number in range(rank) for axis in (2 + number, 2 + rank + number))]
    return spread.permute(back).reshape(fine.shape)


def center_crop(x: Tensor, sides: tuple[int, ...]) -> Tensor:
    """Return the central crop of a map."""
    for dim, side in enumerate(sides, start=2):
        x = x.narrow(dim, (x.shape[dim] - side) // 2, side)
    return x


class Enlarge(nn.Module):
    """Resize to `sides` without parameters, then a 3x3 convolution from `c_in` to `c_out` channels."""

    def __init__(
        self, resize: Callable[[Tensor, tuple[int, ...]], Tensor], c_in: int, c_out: int, layer: LayerFactory
    ) -> None:
        super().__init__()
        self.resize, self.conv = resize, layer.conv_norm(c_in, c_out, 3)

    def forward(self, x: Tensor, fine: Tensor | None, sides: tuple[int, ...]) -> Tensor:  # noqa: ARG002
        out: Tensor = self.conv(self.resize(x, sides))
        return out


class Unpool(nn.Module):
    """A convolution to the channels of the finer map, then max unpooling to its pooling indices."""

    def __init__(self, c_in: int, c_out: int, layer: LayerFactory) -> None:
        super().__init__()
        self.conv = layer.conv_norm(c_in, c_out, 3)

    def forward(self, x: Tensor, fine: Tensor | None, sides: tuple[int, ...]) -> Tensor:
        x = self.conv(x)
        # The stem may have no map at the finest resolution, and so no pooling indices.
        return nearest(x, sides) if fine is None else max_unpool(x, fine)


class Transposed(nn.Module):
    """A transposed convolution with kernel size equal to stride: no overlap, so no checkerboard artefacts."""

    def __init__(self, c_in: int, c_out: int, factor: int, layer: LayerFactory) -> None:
        super().__init__()
        self.conv = layer.transposed(c_in, c_out, factor, factor)

    def forward(self, x: Tensor, fine: Tensor | None, sides: tuple[int, ...]) -> Tensor:  # noqa: ARG002
        x = self.conv(x)
        return x if tuple(x.shape[2:]) == tuple(sides) else bilinear(x, sides)


UPSAMPLES: dict[str, Callable[[int, int, int, LayerFactory], nn.Module]] = {
    "nearest": lambda c_in, c_out, _, layer: Enlarge(nearest, c_in, c_out, layer),
    "bilinear": lambda c_in, c_out, _, layer: Enlarge(bilinear, c_in, c_out, layer),
    "max_unpool": lambda c_in, c_out, _, layer: Unpool(c_in, c_out, layer),
    "transposed": Transposed,
}
