"""ResNet (He 2015, arXiv:1512.03385), its 6n+2 variants for small images, and SE-ResNet (Hu 2017, arXiv:1709.01507)."""

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from convscope.errors import ModelError
from convscope.models.components import GATES, Named, resolve_component
from convscope.models.heads import network_with_head
from convscope.models.input_spec import InputSpec, Size
from convscope.models.layers import LayerFactory, Residual, initialise
from convscope.models.network import Network
from convscope.models.options import Options, read_options

SMALL_SIDE = 64  # below this, the standard stem would leave fewer than 16 pixels per side


class ResNetOptions(Options):
    """Blocks per stage and their structure.

    `width` belongs to the first stage; later stages have twice the width and half the resolution. `stem` small is one
    3x3 without stride or pool. `gate` scales the residual before the addition; `gated` selects the stages that have it:
    every, first, last, or their numbers from 0. `shortcut` none is the plain network of section 4.1, without additions.
    `zero_last` initialises the last norm of each block with 0, so that the block is the identity (Goyal 2017, 5.1);
    not with padded shortcuts, whose new channels would be 0 for ever.
    """

    depths: tuple[int, ...] = (2, 2, 2, 2)
    block: Literal["basic", "bottleneck"] = "basic"
    width: int = 64
    stem: Literal["standard", "small"] = "standard"
    shortcut: Literal["projection", "pad", "none"] = "projection"
    gate: Named = "none"
    gated: Literal["every", "first", "last"] | tuple[Annotated[int, Field(ge=0)], ...] = "every"
    zero_last: bool = True


class Plain(nn.Module):
    """activation(body(x)): a block of the plain network that section 4.1 compares with."""

    def __init__(self, body: nn.Module, activation: nn.Module) -> None:
        super().__init__()
        self.body, self.act = body, activation

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.act(self.body(x))
        return out


class PaddedShortcut(nn.Module):
    """Subsample by `stride` and zero-pad the channels on both sides to `c_out`: option A of section 4.2."""

    def __init__(self, c_in: int, c_out: int, stride: int) -> None:
        super().__init__()
        self.stride, self.before = stride, (c_out - c_in) // 2
        self.after = c_out - c_in - self.before

    def forward(self, x: Tensor) -> Tensor:
        subsampled = x[(slice(None), slice(None), *(slice(None, None, self.stride),) * (x.dim() - 2))]
        return functional.pad(subsampled, (0, 0) * (x.dim() - 2) + (self.before, self.after))


def basic(c_in: int, width: int, stride: int, layer: LayerFactory) -> nn.Sequential:
    """Return the layers of figure 5, left: two 3x3."""
    return nn.Sequential(
        *layer.conv_then_act(c_in, width, 3, stride),
        layer.conv_norm(width, width, 3),
    )  # fmt: skip


def bottleneck(c_in: int, width: int, stride: int, layer: LayerFactory) -> nn.Sequential:
    """Return figure 5, right: 1x1 reduction, 3x3 with the stride (as in common pretrained weights), 1x1 expansion."""
    return nn.Sequential(
        *layer.conv_then_act(c_in, width, 1),
        *layer.conv_then_act(width, width, 3, stride),
        layer.conv_norm(width, 4 * width, 1),
    )  # fmt: skip


BLOCKS = {"basic": (basic, 1), "bottleneck": (bottleneck, 4)}


def residual(c_in: int, width: int, stride: int, layer: LayerFactory, chosen: ResNetOptions) -> Residual | Plain:
    """Return one block with its shortcut, without a gate."""
    make, expansion = BLOCKS[chosen.block]
    body, c_out = make(c_in, width, stride, layer), expansion * width
    if chosen.shortcut == "none":
        return Plain(body, layer.activation())
    last = body[-1]
    gamma = getattr(getattr(last, "norm", None), "weight", None)
    # where the shortcut pads with zeros, 0 + 0 enters a ReLU, which has no gradient there: the unit would stay dead
    if chosen.zero_last and chosen.shortcut != "pad" and isinstance(gamma, nn.Parameter):
        nn.init.zeros_(gamma)
    shortcut: nn.Module = nn.Identity()
    if stride != 1 or c_in != c_out:
        pad = chosen.shortcut == "pad"
        shortcut = PaddedShortcut(c_in, c_out, stride) if pad else layer.conv_norm(c_in, c_out, 1, stride)
    return Residual(body, shortcut, layer.activation())


def stages(layer: LayerFactory, chosen: ResNetOptions) -> Iterator[nn.Sequential]:
    """Yield the stages, conv2_x to conv5_x in table 1; one for each depth."""
    expansion, gate = BLOCKS[chosen.block][1], resolve_component(GATES, chosen.gate, "gate")
    count = len(chosen.depths)
    named = {"every": range(count), "first": range(1), "last": range(count - 1, count)}
    gated = named[chosen.gated] if isinstance(chosen.gated, str) else chosen.gated
    if any(number >= count for number in gated):
        raise ModelError(f"resnet: no stage {max(gated)} for a gate; choose from 0 to {count - 1}")
    c_in = chosen.width
    for number, depth in enumerate(chosen.depths):
        stage, width = nn.Sequential(), chosen.width * 2**number
        if number == 0 and chosen.stem == "standard":
            stage.add_module("pool", layer.pool(c_in, 3, padding=1))
        for index in range(depth):
            block = residual(c_in, width, 2 if number and not index else 1, layer, chosen)
            if number in gated and chosen.gate != "none":
                block.body.add_module("gate", gate(expansion * width, layer.rank))
            stage.add_module(str(index), block)
            c_in = expansion * width
        yield stage


def resnet(
    classes: int = 1000, *, channels: int = 3, size: Size = None, rank: int = 2, **options: Any
) -> Network:  # fmt: skip
    """Return stages of residual blocks.

    Strides: stem 2, stages 4, 8, 16, 32; with the small stem 1, and 1, 2, 4, 8.
    Kaiming initialisation, fan out (section 3.4); biases 0.
    """
    chosen = read_options(ResNetOptions, "resnet", options)
    chosen.require_padding("resnet")
    input_spec, layer = InputSpec.checked("resnet", channels, rank, size), chosen.layers(rank)
    small = chosen.stem == "small"
    stem = layer.conv_norm_act(channels, chosen.width, 3 if small else 7, 1 if small else 2)
    model = network_with_head("resnet", input_spec, (stem, stages(layer, chosen)), classes, layer, chosen)
    fan_out = partial(nn.init.kaiming_normal_, mode="fan_out", nonlinearity="relu")
    initialise(model, fan_out, partial(nn.init.kaiming_uniform_, a=5**0.5))
    return model


def for_small_images(sides: tuple[int, ...]) -> dict[str, Any]:
    """Return the small stem for images under 64 pixels."""
    return {"stem": "small"} if min(sides) < SMALL_SIDE else {}


DEPTHS: dict[int, dict[str, Any]] = {
    18: {"depths": (2, 2, 2, 2), "block": "basic"},
    34: {"depths": (3, 4, 6, 3), "block": "basic"},
    50: {"depths": (3, 4, 6, 3), "block": "bottleneck"},
    101: {"depths": (3, 4, 23, 3), "block": "bottleneck"},
    152: {"depths": (3, 8, 36, 3), "block": "bottleneck"},
}
# Section 4.2: three stages of n blocks, 6n+2 layers, for CIFAR-10's 32x32.
SMALL_DEPTHS: dict[int, dict[str, Any]] = {
    6 * n + 2: {"depths": (n, n, n), "width": 16, "stem": "small", "shortcut": "pad"} for n in (3, 5, 7, 9, 18)
}
