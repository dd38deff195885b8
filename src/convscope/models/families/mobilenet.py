"""MobileNetV2 (Sandler 2018, arXiv:1801.04381): inverted residuals for mobile devices."""

from functools import partial
from typing import Any, Literal

from torch import nn

from convscope.models.heads import network_with_head
from convscope.models.input_spec import InputSpec, Size
from convscope.models.layers import LayerFactory, Residual, initialise, named
from convscope.models.network import Network
from convscope.models.options import Options, read_options

# Table 2, grouped by resolution: (expansion, filters, blocks); all stages but the first begin with stride 2.
STAGES: tuple[tuple[tuple[int, int, int], ...], ...] = (
    ((1, 16, 1),),
    ((6, 24, 2),),
    ((6, 32, 3),),
    ((6, 64, 4), (6, 96, 3)),
    ((6, 160, 3), (6, 320, 1)),
)


class MobileNetOptions(Options):
    """`multiplier` scales all widths; `stem` small removes the stride of the stem and the second stage."""

    activation: Any = "relu6"
    dropout: float = 0.2
    multiplier: float = 1.0
    stem: Literal["standard", "small"] = "standard"


def inverted_residual(c_in: int, c_out: int, expansion: int, stride: int, layer: LayerFactory) -> nn.Module:
    """Return table 1: 1x1 expansion, depthwise 3x3, linear 1x1 projection; a shortcut if the shapes match."""
    wide = expansion * c_in
    body = nn.Sequential()
    if expansion != 1:
        body.add_module("expand", layer.conv_norm_act(c_in, wide, 1))
    body.add_module("depthwise", layer.conv_norm_act(wide, wide, 3, stride, groups=wide))
    body.add_module("project", layer.conv_norm(wide, c_out, 1))
    return Residual(body, nn.Identity(), nn.Identity()) if stride == 1 and c_in == c_out else named(body=body)


def rounded(width: float) -> int:
    """Return the multiple of 8 nearest to `width`, or the next one if that would reduce it by more than 10 %."""
    nearest = max(8, int(width + 4) // 8 * 8)
    return nearest if nearest >= 0.9 * width else nearest + 8


def mobilenet_v2(
    classes: int = 1000, *, channels: int = 3, size: Size = None, rank: int = 2, **options: Any
) -> Network:  # fmt: skip
    """Seventeen inverted residuals in five stages: 3,504,872 parameters.

    Strides: stem 2, stages 2, 4, 8, 16, 32 (small stem: 1, and 1, 1, 2, 4, 8). Kaiming initialisation, fan out.
    """
    chosen = read_options(MobileNetOptions, "mobilenet_v2", options)
    chosen.require_padding("mobilenet_v2")
    input_spec, layer = InputSpec.checked("mobilenet_v2", channels, rank, size), chosen.layers(rank)
    small, scale = chosen.stem == "small", chosen.multiplier
    c_in = rounded(32 * scale)
    stem = layer.conv_norm_act(channels, c_in, 3, 1 if small else 2)
    stages = []
    for number, groups in enumerate(STAGES):
        stage = nn.Sequential()
        for expansion, filters, blocks in groups:
            for _ in range(blocks):
                first = len(stage) == 0 and number > (1 if small else 0)
                c_out = rounded(filters * scale)
                block = inverted_residual(c_in, c_out, expansion, 2 if first else 1, layer)
                stage.add_module(str(len(stage)), block)
                c_in = c_out
        stages.append(stage)
    stages[-1].add_module("last", layer.conv_norm_act(c_in, rounded(1280 * max(1.0, scale)), 1))
    model = network_with_head("mobilenet_v2", input_spec, (stem, stages), classes, layer, chosen)
    initialise(model, partial(nn.init.kaiming_normal_, mode="fan_out"), partial(nn.init.normal_, std=0.01))
    return model


def for_small_images(sides: tuple[int, ...]) -> dict[str, Any]:
    """Return the small stem for images under 64 pixels."""
    return {"stem": "small"} if min(sides) < 64 else {}
