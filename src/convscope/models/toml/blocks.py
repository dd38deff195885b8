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
    """``{conv = 64, size = 3, stride = 1, padding = "same", border = "zeros", groups = 1, bias = true}``."""
    require_maps("conv", shape)
    rank, size, groups = len(shape) - 1, settings.get("size", 3), settings.get("groups", 1)
    sizes = tuple(size) if isinstance(size, list) else (size,) * rank
    padding = {"same": None, "none": 0}.get(settings.get("padding", "same"), settings.get("padding"))
    require_window_fits("conv", shape, sizes, max(sizes) // 2 if padding is None else padding)
    if shape[0] % groups or settings["conv"] % groups:
        raise BlockError(
            f"conv has {groups} groups, {shape[0]} maps in and {settings['conv']} out; choose groups that divide both"
        )
    resolve_component(PADDINGS, border := settings.get("border", "zeros"), "border")
    layer = LayerFactory(rank, padding=border)
    return layer.conv(
        shape[0],
        settings["conv"],
        sizes,
        settings.get("stride", 1),
        padding=padding,
        groups=groups,
        bias=settings.get("bias", True),
    )


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
    if not 0 <= settings["dropout"] < 1:
        raise BlockError(f"dropout is {settings['dropout']}; give the fraction to drop, at least 0 and below 1")
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


BLOCKS: dict[
    str, tuple[Callable[[Shape, dict[str, Any], BlockContext], nn.Module], type | tuple[type, ...], set[str]]
] = {
    "conv": (conv, int, {"size", "stride", "padding", "border", "groups", "bias"}),
    "norm": (norm, str, set()),
    "act": (act, str, set()),
    "pool": (pool, str, {"size", "stride", "padding"}),
    "inception": (inception_block, list, set()),
    "residual": (residual, list, {"project"}),
    "se": (squeeze_excite, int, set()),
    "dropout": (dropout, (int, float), set()),
    "flatten": (flatten, bool, set()),
    "gap": (gap, bool, set()),
    "linear": (linear, (int, str), set()),
    "blocks": (block_sequence, list, set()),
}
