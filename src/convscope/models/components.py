"""Activations, norms, poolings, paddings and gates, registered by name in plain dicts.

A name may have one number after a colon: ``leaky:0.2`` (slope), ``group:8`` (groups), ``batch:0.001`` (epsilon),
``max:3`` (window of the pools).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from convscope.errors import ModelError, did_you_mean

CONVOLUTIONS: dict[int, Any] = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
BATCH_NORMS: dict[int, Any] = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
MAX_POOLS: dict[int, Any] = {1: nn.MaxPool1d, 2: nn.MaxPool2d, 3: nn.MaxPool3d}
AVERAGE_POOLS: dict[int, Any] = {1: nn.AvgPool1d, 2: nn.AvgPool2d, 3: nn.AvgPool3d}
ADAPTIVE_POOLS: dict[int, Any] = {1: nn.AdaptiveAvgPool1d, 2: nn.AdaptiveAvgPool2d, 3: nn.AdaptiveAvgPool3d}
ADAPTIVE_MAX_POOLS: dict[int, Any] = {1: nn.AdaptiveMaxPool1d, 2: nn.AdaptiveMaxPool2d, 3: nn.AdaptiveMaxPool3d}

Named = str | Callable[..., Any]
Activation = Callable[[], nn.Module]
Norm = Callable[[int, int], nn.Module]
Pooling = Callable[..., nn.Module]


@dataclass(frozen=True)
class PoolSettings:
    """Settings of a pooling layer: `channels` in and out; window size, stride and padding in pixels."""

    channels: int
    size: int = 2
    stride: int = 2
    padding: int = 0
    ceil: bool = False  # round the output size up, as Caffe does
    rank: int = 2


class Blur(nn.Module):
    """Blur with the binomial [1, 2, 1] kernel, then subsample by `stride` (Zhang 2019, arXiv:1904.11486)."""

    kernel: Tensor

    def __init__(self, channels: int, stride: int, rank: int) -> None:
        super().__init__()
        self.stride, self.rank = stride, rank
        line = torch.tensor([0.25, 0.5, 0.25])
        window = line
        for _ in range(rank - 1):
            window = window.unsqueeze(-1) * line
        self.register_buffer("kernel", window.expand(channels, 1, *window.shape).clone(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.pad(x, (1, 1) * self.rank, mode="replicate")
        convolve: Any = (functional.conv1d, functional.conv2d, functional.conv3d)[self.rank - 1]
        smooth: Tensor = convolve(x, self.kernel.to(x.dtype), stride=self.stride, groups=x.shape[1])
        return smooth


def leaky(slope: float = 0.01) -> nn.Module:
    """Return LeakyReLU: max(slope * x, x)."""
    return nn.LeakyReLU(slope)


def elu(alpha: float = 1.0) -> nn.Module:
    """Return ELU: x, or alpha (exp(x) - 1) below 0 (Clevert 2015, arXiv:1511.07289)."""
    return nn.ELU(alpha)


def prelu(init: float = 0.25) -> nn.Module:
    """Return PReLU: max(slope * x, x) with one learned slope, initially `init` (He 2015, arXiv:1502.01852)."""
    return nn.PReLU(init=init)


def batch(channels: int, rank: int, epsilon: float = 1e-5) -> nn.Module:
    """Normalise each channel over batch and positions (Ioffe and Szegedy 2015); the momentum is 0.1."""
    norm: nn.Module = BATCH_NORMS[rank](channels, eps=epsilon)
    return norm


def with_momentum(make: Norm, momentum: float, channels: int, rank: int) -> nn.Module:
    """Return the norm with this momentum, if it has running statistics: (1 - momentum) old + momentum new."""
    norm = make(channels, rank)
    if isinstance(norm, nn.modules.batchnorm._BatchNorm):
        norm.momentum = momentum
    return norm


def group(channels: int, rank: int, groups: float = 32) -> nn.Module:  # noqa: ARG001
    """Normalise groups of channels over all positions of one image (Wu and He 2018); at most `groups`."""
    return nn.GroupNorm(math.gcd(int(groups), channels), channels)


def layer_norm(channels: int, rank: int) -> nn.Module:  # noqa: ARG001
    """Normalise over all channels and positions of one image."""
    return nn.GroupNorm(1, channels)


def local_response(channels: int, rank: int, size: float = 5) -> nn.Module:  # noqa: ARG001
    """Local response normalisation with the constants of AlexNet 2012, section 3.3 (k=2, n=5, alpha=1e-4, beta=0.75).

    The paper does not divide the sum by n, PyTorch does; alpha is therefore multiplied by n.
    """
    return nn.LocalResponseNorm(int(size), alpha=1e-4 * size, beta=0.75, k=2.0)


def no_norm(channels: int, rank: int) -> nn.Module:  # noqa: ARG001
    """Return the identity."""
    return nn.Identity()


def windowed(settings: PoolSettings, window: float | None) -> PoolSettings:
    """Return the settings with another window, padded so that stride 2 still halves the maps; odd sides round up.

    Pools that are as large already, and those of stride 1, keep theirs. A window larger than the stride overlaps, as in
    AlexNet.

    Raises:
        ModelError: the window is not a whole number from 1.
    """
    if window is None:
        return settings
    if window < 1 or window != int(window):
        raise ModelError(f"pooling: window {window:g}; give a whole number from 1, as in max:3")
    if settings.stride == 1 or settings.size == int(window):
        return settings
    # The padding already rounds odd sides up, as `ceil` would.
    return replace(settings, size=int(window), padding=(int(window) - 1) // 2, ceil=False)


def max_pool(settings: PoolSettings, window: float | None = None) -> nn.Module:
    """Return max pooling."""
    settings = windowed(settings, window)
    pool: nn.Module = MAX_POOLS[settings.rank](
        settings.size, settings.stride, settings.padding, ceil_mode=settings.ceil
    )
    return pool


def average_pool(settings: PoolSettings, window: float | None = None) -> nn.Module:
    """Return average pooling that excludes the padding."""
    settings = windowed(settings, window)
    make = AVERAGE_POOLS[settings.rank]
    pool: nn.Module = make(
        settings.size, settings.stride, settings.padding, ceil_mode=settings.ceil, count_include_pad=False
    )
    return pool


def strided(settings: PoolSettings, window: float | None = None) -> nn.Module:
    """Return a strided convolution instead of pooling (Springenberg 2014, arXiv:1412.6806); it has parameters."""
    settings = windowed(settings, window)
    conv: nn.Module = CONVOLUTIONS[settings.rank](
        settings.channels, settings.channels, settings.size, settings.stride, settings.padding
    )
    return conv


def blur_pool(settings: PoolSettings, window: float | None = None) -> nn.Module:
    """Return max pooling with stride 1, then a strided blur, which reduces aliasing under small translations."""
    settings = windowed(settings, window)
    dense = MAX_POOLS[settings.rank](settings.size, 1, settings.padding)
    return nn.Sequential(dense, Blur(settings.channels, settings.stride, settings.rank))


class SqueezeExcite(nn.Module):
    """Multiply each channel by a gate in (0, 1) computed from all channel means (Hu 2017, equation 3)."""

    def __init__(self, channels: int, rank: int = 2, reduction: float = 16) -> None:
        super().__init__()
        narrow = max(1, int(channels // reduction))
        self.squeeze = ADAPTIVE_POOLS[rank](1)
        self.fc1 = CONVOLUTIONS[rank](channels, narrow, 1)
        self.act = nn.ReLU()
        self.fc2 = CONVOLUTIONS[rank](narrow, channels, 1)
        self.gate = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        gates: Tensor = self.gate(self.fc2(self.act(self.fc1(self.squeeze(x)))))
        return x * gates


def no_gate(channels: int, rank: int = 2) -> nn.Module:  # noqa: ARG001
    """Return the identity, for an ordinary residual block."""
    return nn.Identity()


ACTIVATIONS: dict[str, Callable[..., nn.Module]] = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "leaky": leaky,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "elu": elu,
    "prelu": prelu,
    "mish": nn.Mish,
    "hardswish": nn.Hardswish,
    "none": nn.Identity,
}
NORMS: dict[str, Callable[..., nn.Module]] = {
    "batch": batch,
    "group": group,
    "layer": layer_norm,
    "lrn": local_response,
    "none": no_norm,
}
POOLINGS: dict[str, Pooling] = {"max": max_pool, "average": average_pool, "strided": strided, "blur": blur_pool}
PADDINGS: dict[str, str] = {
    "none": "zeros",
    "zeros": "zeros",
    "edge": "replicate",
    "reflect": "reflect",
    "circular": "circular",
}
GATES: dict[str, Callable[..., nn.Module]] = {"none": no_gate, "squeeze_excite": SqueezeExcite}

# The keyword argument that the number after the colon sets.
NUMBERS = {
    **dict.fromkeys(POOLINGS, "window"),
    "leaky": "slope",
    "elu": "alpha",
    "prelu": "init",
    "batch": "epsilon",
    "group": "groups",
    "lrn": "size",
    "squeeze_excite": "reduction",
    "grid": "cells",
}


def resolve_component(table: Mapping[str, Any], chosen: Named, what: str) -> Any:
    """Return the function registered in `table` under the name `chosen`; a function is returned unchanged.

    Raises:
        ModelError: the table has no such name.

    >>> resolve_component(ACTIVATIONS, "leaky:0.2", "activation")()
    LeakyReLU(negative_slope=0.2)
    """
    if not isinstance(chosen, str):
        return chosen
    name, colon, number = chosen.partition(":")
    if name not in table:
        raise ModelError(f"{what}: no {chosen}{did_you_mean(name, table)}")
    if not colon:
        return table[name]
    try:
        value = float(number)
    except ValueError:
        raise ModelError(f"{what}: {chosen} has no number after the colon; write {name} or {name}:0.1") from None
    if name not in NUMBERS:
        raise ModelError(f"{what}: {name} takes no number, got {number}; write {name}")
    return partial(table[name], **{NUMBERS[name]: value})
