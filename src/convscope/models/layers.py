"""The layers that networks are built from, in one, two or three spatial dimensions."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from convscope.models.components import (
    ADAPTIVE_MAX_POOLS,
    ADAPTIVE_POOLS,
    CONVOLUTIONS,
    PADDINGS,
    Activation,
    Norm,
    Pooling,
    PoolSettings,
    batch,
    max_pool,
)

TRANSPOSED: dict[int, Any] = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}

Window = int | tuple[int, ...]
Padding = Window | Literal["tensorflow"] | None


def named(**layers: nn.Module) -> nn.Sequential:
    """Return a sequential container of named layers; the names are the keys of the state dict."""
    return nn.Sequential(OrderedDict(layers))


@dataclass(frozen=True)
class LayerFactory:
    """Makes the layers of one network from its rank (spatial dimensions) and its chosen components."""

    rank: int = 2
    activation: Activation = nn.ReLU
    norm: Norm = batch
    pooling: Pooling = max_pool
    padding: str = "zeros"
    norm_last: bool = False  # norm after the activation, if a layer has both

    def conv(
        self, c_in: int, c_out: int, size: Window, stride: int = 1, *, padding: Padding = None, **rest: Any
    ) -> nn.Module:
        """Return a convolution; `padding` None keeps height and width at stride 1, unless padding is none.

        The output then has ceil(side / stride) per side. With a kernel of even extent, and with "tensorflow" also at a
        stride, the number of padding pixels can be odd; a `SamePad` then precedes the convolution.
        """
        make = CONVOLUTIONS[self.rank]
        if self.padding == "none":
            padding = 0
        elif padding is None or padding == "tensorflow":
            sides = size if isinstance(size, tuple) else (size,) * self.rank
            extents = tuple(rest.get("dilation", 1) * (side - 1) + 1 for side in sides)
            if padding == "tensorflow" or any(extent % 2 == 0 for extent in extents):
                pad = SamePad(extents, stride, PADDINGS[self.padding])
                return named(pad=pad, conv=make(c_in, c_out, size, stride, 0, **rest))
            padding = tuple(extent // 2 for extent in extents)
        conv: nn.Module = make(c_in, c_out, size, stride, padding, padding_mode=PADDINGS[self.padding], **rest)
        return conv

    def conv_norm(self, c_in: int, c_out: int, size: Window, stride: int = 1, **rest: Any) -> nn.Sequential:
        """Return convolution and norm; the convolution has a bias only if the norm has no shift, unless set."""
        norm = self.norm(c_out, self.rank)
        rest.setdefault("bias", next(norm.parameters(), None) is None)
        conv = self.conv(c_in, c_out, size, stride, **rest)
        return named(conv=conv) if isinstance(norm, nn.Identity) else named(conv=conv, norm=norm)

    def conv_norm_act(self, c_in: int, c_out: int, size: Window, stride: int = 1, **rest: Any) -> nn.Sequential:
        """Return convolution, norm and activation; `rest` may set padding, groups and bias.

        With `norm_last` the convolution has a bias, since the norm cannot replace a shift before the activation.
        """
        norm = self.norm(c_out, self.rank) if self.norm_last else nn.Identity()
        if not isinstance(norm, nn.Identity):
            conv = self.conv(c_in, c_out, size, stride, **{"bias": True, **rest})
            return named(conv=conv, act=self.activation(), norm=norm)
        layers = self.conv_norm(c_in, c_out, size, stride, **rest)
        layers.add_module("act", self.activation())
        return layers

    def conv_then_act(self, c_in: int, c_out: int, size: Window, stride: int = 1) -> tuple[nn.Module, nn.Module]:
        """Return `conv_norm_act` in two: the layers before the activation, and the activation with later layers."""
        parts = dict(self.conv_norm_act(c_in, c_out, size, stride).named_children())
        after = {name: parts.pop(name) for name in list(parts)[list(parts).index("act") :]}
        return named(**parts), after["act"] if len(after) == 1 else named(**after)

    def pool(self, channels: int, size: int = 2, stride: int = 2, *, padding: int = 0, ceil: bool = False) -> nn.Module:
        """Return a pooling layer of the kind chosen for the network."""
        return self.pooling(PoolSettings(channels, size, stride, padding, ceil, self.rank))

    def global_average(self, size: int = 1) -> nn.Module:
        """Return adaptive average pooling to an output of `size` per side; 1 is global average pooling."""
        pool: nn.Module = ADAPTIVE_POOLS[self.rank](size)
        return pool

    def global_maximum(self) -> nn.Module:
        """Return global max pooling."""
        pool: nn.Module = ADAPTIVE_MAX_POOLS[self.rank](1)
        return pool

    def transposed(self, c_in: int, c_out: int, size: int = 2, stride: int = 2, **rest: Any) -> nn.Module:
        """Return a transposed convolution, which upsamples by `stride`."""
        conv: nn.Module = TRANSPOSED[self.rank](c_in, c_out, size, stride, **rest)
        return conv


class SamePad(nn.Module):
    """Add the pixels with which a window gives ceil(side / stride) outputs; one more at the end if they are odd.

    This is TensorFlow's padding "SAME". It depends on the side: a window of 3 with stride 2 needs one pixel at the end
    for an even side, and one on both sides for an odd one.

    Args:
        extents: pixels that the window covers, per axis.
        stride: of the window.
        mode: one of the values of `PADDINGS`.
    """

    def __init__(self, extents: Sequence[int], stride: int = 1, mode: str = "zeros") -> None:
        super().__init__()
        self.extents, self.stride, self.mode = tuple(extents), stride, mode

    def forward(self, x: Tensor) -> Tensor:
        """Return the padded (B, C, ...) maps."""
        amounts: list[int] = []
        for side, extent in zip(reversed(x.shape[2:]), reversed(self.extents), strict=True):
            outputs = (side + self.stride - 1) // self.stride
            total = max(0, (outputs - 1) * self.stride + extent - side)
            amounts += [total // 2, total - total // 2]
        return functional.pad(x, amounts, mode="constant" if self.mode == "zeros" else self.mode)

    def extra_repr(self) -> str:
        """Return the settings."""
        return f"window {shape_text(self.extents)}, stride {self.stride}, {self.mode}"


class Residual(nn.Module):
    """activation(body(x) + shortcut(x)) (He 2015, equation 1)."""

    def __init__(self, body: nn.Module, shortcut: nn.Module, activation: nn.Module) -> None:
        super().__init__()
        self.body, self.shortcut, self.act = body, shortcut, activation

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.act(self.body(x) + self.shortcut(x))
        return out


class Branches(nn.Module):
    """Parallel paths over the same input, concatenated along the channels (Szegedy 2014, figure 2)."""

    def __init__(self, **paths: nn.Module) -> None:
        super().__init__()
        for name, path in paths.items():
            self.add_module(name, path)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([path(x) for path in self.children()], 1)


def initialise(model: nn.Module, conv: Callable[[Tensor], Any], linear: Callable[[Tensor], Any]) -> None:
    """Initialise the weights of all convolutions and fully connected layers in place; set biases to 0."""
    for module in model.modules():
        if isinstance(module, (*CONVOLUTIONS.values(), *TRANSPOSED.values(), nn.Linear)):
            fill, weight, bias = (linear if isinstance(module, nn.Linear) else conv), module.weight, module.bias
            fill(cast("Tensor", weight))
            if bias is not None:
                nn.init.zeros_(cast("Tensor", bias))


def truncated_normal(weight: Tensor, deviation: float) -> None:
    """Fill with N(0, deviation), truncated at two standard deviations by resampling."""
    with torch.no_grad():
        weight.normal_(0, deviation)
        while not weight.is_meta and bool((outside := weight.abs() > 2 * deviation).any()):
            weight[outside] = torch.empty(int(outside.sum()), device=weight.device, dtype=weight.dtype).normal_(
                0, deviation
            )


def shape_text(sides: Sequence[int]) -> str:
    """Format a shape as text.

    >>> shape_text((3, 224, 224))
    '3x224x224'
    """
    return "x".join(str(side) for side in sides)
