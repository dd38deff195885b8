"""The blocks of a TOML network; each is a function from input shape and settings to a layer."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from convscope.models.components import (
    ACTIVATIONS,
    NORMS,
    PADDINGS,
    POOLINGS,
    PoolSettings,
    SqueezeExcite,
    resolve_component,
)
from convscope.models.families.googlenet import inception
from convscope.models.layers import LayerFactory, Residual, named, shape_text
from convscope.models.toml import checks
from convscope.models.toml.checks import Check

Shape = tuple[int, ...]


class BlockError(Exception):
    """A block does not fit its input; the message says what is wrong and what to do."""


@dataclass(frozen=True)
class BlockContext:
    """What a block needs besides its settings: the layer factory, the classes, and a builder for nested blocks."""

    layer: LayerFactory
    classes: int
    sequence: Callable[[list[dict[str, Any]], Shape], tuple[nn.Sequential, Shape]]


def require_maps(kind: str, shape: Shape) -> None:
    """Raise if the input is a vector."""
    if len(shape) == 1:
        raise BlockError(
            f"{kind} needs feature maps and its input is a vector of {shape[0]}; move it before flatten or gap"
        )


def require_window_fits(kind: str, shape: Shape, sizes: tuple[int, ...], padding: int) -> None:
    """Raise if the window is larger than the padded maps."""
    if any(size > side + 2 * padding for size, side in zip(sizes, shape[1:], strict=True)):
        raise BlockError(
            f"{kind} of {shape_text(sizes)} does not fit maps of {shape_text(shape)}; "
            f"make its size {min(shape[1:]) + 2 * padding} or less, or remove a pool or stride before it"
        )


def conv(shape: Shape, settings: dict[str, Any], context: BlockContext) -> nn.Module:  # noqa: ARG001
    """``{conv = 64, size = 3, stride = 1, padding = "same", border = "zeros", dilation = 1, groups = 1}``."""
    require_maps("conv", shape)
    groups, rank = settings.get("groups", 1), len(shape) - 1
    sizes, arguments = convolution_settings("conv", shape, settings)
    if shape[0] % groups or settings["conv"] % groups:
        raise BlockError(
            f"conv has {groups} groups, {shape[0]} maps in and {settings['conv']} out; choose groups that divide both"
        )
    return bordered(rank, settings).conv(shape[0], settings["conv"], sizes, groups=groups, **arguments)


def depthwise(shape: Shape, settings: dict[str, Any], context: BlockContext) -> nn.Module:  # noqa: ARG001
    """``{depthwise = 1, size = 3, stride = 1, padding = "same", dilation = 1}``: kernels for each channel by itself."""
    require_maps("depthwise", shape)
    sizes, arguments = convolution_settings("depthwise", shape, settings)
    c_out = shape[0] * settings["depthwise"]
    return bordered(len(shape) - 1, settings).conv(shape[0], c_out, sizes, groups=shape[0], **arguments)


def convolution_settings(kind: str, shape: Shape, settings: dict[str, Any]) -> tuple[tuple[int, ...], dict[str, Any]]:
    """Return the sides of the kernel, and the other arguments of `LayerFactory.conv`, after checking that they fit."""
    size, dilation = settings.get("size", 3), settings.get("dilation", 1)
    sizes = tuple(size) if isinstance(size, list) else (size,) * (len(shape) - 1)
    padding = {"same": None, "none": 0}.get(settings.get("padding", "same"), settings.get("padding"))
    if padding is not None:
        require_window_fits(kind, shape, tuple(dilation * (side - 1) + 1 for side in sizes), padding)
    return sizes, {
        "stride": settings.get("stride", 1), "padding": padding, "dilation": dilation,
        "bias": settings.get("bias", True),
    }  # fmt: skip


def bordered(rank: int, settings: dict[str, Any]) -> LayerFactory:
    """Return a layer factory with the padding mode that a block sets."""
    resolve_component(PADDINGS, border := settings.get("border", "zeros"), "border")
    return LayerFactory(rank, padding=border)


def transposed(shape: Shape, settings: dict[str, Any], context: BlockContext) -> nn.Module:  # noqa: ARG001
    """``{transposed = 64, size = 2, stride = 2, padding = 0, output_padding = 0, bias = true}``: upsamples."""
    require_maps("transposed", shape)
    size, padding, stride = settings.get("size", 2), settings.get("padding", 0), settings.get("stride", 2)
    extra = settings.get("output_padding", 0)
    if extra and extra >= stride:
        raise BlockError(f"transposed has output_padding {extra} and stride {stride}; make it less than the stride")
    if any((side - 1) * stride - 2 * padding + size + extra < 1 for side in shape[1:]):
        raise BlockError(f"transposed has padding {padding}, more than its output; make it {(size - 1) // 2} or less")
    return LayerFactory(len(shape) - 1).transposed(
        shape[0], settings["transposed"], size, stride, padding=padding, output_padding=extra,
        bias=settings.get("bias", True),
    )  # fmt: skip


UPSAMPLE_MODES = {"nearest": ("nearest",) * 3, "bilinear": ("linear", "bilinear", "trilinear")}


def upsample(shape: Shape, settings: dict[str, Any], context: BlockContext) -> nn.Module:  # noqa: ARG001
    """``{upsample = "nearest", factor = 2}``: nearest or bilinear; no parameters."""
    require_maps("upsample", shape)
    modes = resolve_component(UPSAMPLE_MODES, settings["upsample"], "upsample")
    return nn.Upsample(scale_factor=settings.get("factor", 2), mode=modes[len(shape) - 2])


def norm(shape: Shape, settings: dict[str, Any], context: BlockContext) -> nn.Module:  # noqa: ARG001
    """``{norm = "batch"}``: batch, group, layer, lrn."""
    module: nn.Module = resolve_component(NORMS, settings["norm"], "norm")(shape[0], max(1, len(shape) - 1))
    return module


def act(shape: Shape, settings: dict[str, Any], context: BlockContext) -> nn.Module:  # noqa: ARG001
    """``{act = "relu"}``."""
    module: nn.Module = resolve_component(ACTIVATIONS, settings["act"], "act")()
    return module


def pool(shape: Shape, settings: dict[str, Any], context: BlockContext) -> nn.Module:  # noqa: ARG001
    """``{pool = "max", size = 2, stride = 2, padding = 0}``: max, average, strided, blur."""
    require_maps("pool", shape)
    size, padding = settings.get("size", 2), settings.get("padding", 0)
    require_window_fits("pool", shape, (size,) * (len(shape) - 1), padding)
    ask = PoolSettings(shape[0], size, settings.get("stride", size), padding, rank=len(shape) - 1)
    module: nn.Module = resolve_component(POOLINGS, settings["pool"], "pool")(ask)
    return module


def inception_block(shape: Shape, settings: dict[str, Any], context: BlockContext) -> nn.Module:
    """``{inception = [64, 96, 128, 16, 32, 32]}``: channels of 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool."""
    require_maps("inception", shape)
    widths = settings["inception"]
    if len(widths) != 6:
        raise BlockError(f"inception has {len(widths)} widths; give six: 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool")
    return inception(shape[0], tuple(widths), context.layer, 5)


def residual(shape: Shape, settings: dict[str, Any], context: BlockContext) -> nn.Module:
    """``{residual = [blocks], project = false}``: adds its input, through a 1x1 if `project` is true."""
    require_maps("residual", shape)
    body, output_shape = context.sequence(settings["residual"], shape)
    if output_shape == shape:
        return Residual(body, nn.Identity(), nn.Identity())
    strides = {round(before / after) for before, after in zip(shape[1:], output_shape[1:], strict=False)}
    if not settings.get("project") or len(output_shape) != len(shape) or len(strides) != 1:
        raise BlockError(
            f"residual adds {shape_text(output_shape)} to {shape_text(shape)}; "
            f"end its blocks with {shape[0]} maps and stride 1, or set project = true"
        )
    return Residual(body, context.layer.conv(shape[0], output_shape[0], 1, strides.pop(), padding=0), nn.Identity())


def squeeze_excite(shape: Shape, settings: dict[str, Any], context: BlockContext) -> nn.Module:  # noqa: ARG001
    """``{se = 16}``: a squeeze-and-excitation gate; the number is its reduction ratio."""
    require_maps("se", shape)
    return SqueezeExcite(shape[0], len(shape) - 1, settings["se"])


def dropout(shape: Shape, settings: dict[str, Any], context: BlockContext) -> nn.Module:  # noqa: ARG001
    """``{dropout = 0.5}``: the fraction set to 0 in training."""
    return nn.Dropout(settings["dropout"])


def flatten(shape: Shape, settings: dict[str, Any], context: BlockContext) -> nn.Module:  # noqa: ARG001
    """``{flatten = true}``."""
    return nn.Flatten()


def gap(shape: Shape, settings: dict[str, Any], context: BlockContext) -> nn.Module:  # noqa: ARG001
    """``{gap = true}``: global average pooling."""
    require_maps("gap", shape)
    return named(pool=LayerFactory(len(shape) - 1).global_average(), flatten=nn.Flatten())


def linear(shape: Shape, settings: dict[str, Any], context: BlockContext) -> nn.Module:
    """``{linear = 64}``, or ``{linear = "classes"}`` for the last."""
    if len(shape) > 1:
        raise BlockError(
            f"linear needs a vector and its input is maps of {shape_text(shape)}; "
            f"put {{flatten = true}} ({math.prod(shape)} numbers) or {{gap = true}} ({shape[0]}) before it"
        )
    return nn.Linear(shape[0], context.classes if settings["linear"] == "classes" else settings["linear"])


def block_sequence(shape: Shape, settings: dict[str, Any], context: BlockContext) -> nn.Module:
    """``{blocks = [blocks], repeat = 3}``: a list of blocks as one."""
    return context.sequence(settings["blocks"], shape)[0]


@dataclass(frozen=True)
class BlockType:
    """A type of block: the function that builds it, the check of its value, and the checks of its settings."""

    make: Callable[[Shape, dict[str, Any], BlockContext], nn.Module]
    check: Check
    settings: dict[str, Check]


CONVOLUTION: dict[str, Check] = {
    "size": checks.window, "stride": checks.count, "padding": checks.padding, "border": checks.word,
    "dilation": checks.count, "bias": checks.flag,
}  # fmt: skip
POOL: dict[str, Check] = {"size": checks.count, "stride": checks.count, "padding": checks.pixels}
BLOCKS: dict[str, BlockType] = {
    "conv": BlockType(conv, checks.count, CONVOLUTION | {"groups": checks.count}),
    "depthwise": BlockType(depthwise, checks.count, CONVOLUTION),
    "transposed": BlockType(transposed, checks.count, POOL | {"output_padding": checks.pixels, "bias": checks.flag}),
    "upsample": BlockType(upsample, checks.word, {"factor": checks.count}),
    "norm": BlockType(norm, checks.word, {}),
    "act": BlockType(act, checks.word, {}),
    "pool": BlockType(pool, checks.word, POOL),
    "inception": BlockType(inception_block, checks.widths, {}),
    "residual": BlockType(residual, checks.blocks, {"project": checks.flag}),
    "se": BlockType(squeeze_excite, checks.count, {}),
    "dropout": BlockType(dropout, checks.fraction, {}),
    "flatten": BlockType(flatten, checks.always, {}),
    "gap": BlockType(gap, checks.always, {}),
    "linear": BlockType(linear, checks.units, {}),
    "blocks": BlockType(block_sequence, checks.blocks, {}),
}
