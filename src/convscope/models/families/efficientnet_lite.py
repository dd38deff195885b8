"""EfficientNet-Lite (TensorFlow's tpu repository, 2020): EfficientNet for devices without fast sigmoids.

EfficientNet (Tan and Le 2019, arXiv:1905.11946) without squeeze-and-excitation, with ReLU6 instead of SiLU, and with
stem and head of fixed width. Strided convolutions are padded as in TensorFlow.
"""

import math
from typing import Any, Literal

from torch import Tensor, nn

from convscope.models.families.mobilenet import rounded
from convscope.models.heads import network_with_head
from convscope.models.input_spec import InputSpec, Size
from convscope.models.layers import LayerFactory, Residual, initialise, named
from convscope.models.network import Network
from convscope.models.options import Options, read_options

# Table 1 of the paper, grouped by resolution: (expansion, filters, blocks, kernel size).
STAGES: tuple[tuple[tuple[int, int, int, int], ...], ...] = (
    ((1, 16, 1, 3),),
    ((6, 24, 2, 3),),
    ((6, 40, 2, 5),),
    ((6, 80, 3, 3), (6, 112, 3, 5)),
    ((6, 192, 4, 5), (6, 320, 1, 3)),
)
STEM, LAST = 32, 1280


class EfficientNetLiteOptions(Options):
    """`multiplier` scales the widths, `deeper` the blocks of the rows that have several.

    `stem` small removes the stride of the stem and the second stage.
    """

    activation: Any = "relu6"
    norm: Any = "batch:0.001"
    dropout: float = 0.2
    multiplier: float = 1.0
    deeper: float = 1.0
    stem: Literal["standard", "small"] = "standard"


def mbconv(widths: tuple[int, int, int], size: int, stride: int, layer: LayerFactory) -> nn.Module:
    """Return 1x1 expansion with ReLU6, depthwise convolution with ReLU6, linear 1x1 projection.

    The shortcut exists where shapes match. `widths` are the channels (in, expanded, out).
    """
    c_in, wide, c_out = widths
    body = nn.Sequential()
    if wide != c_in:
        body.add_module("expand", layer.conv_norm_act(c_in, wide, 1))
    padding = "tensorflow" if stride > 1 else None
    body.add_module("depthwise", layer.conv_norm_act(wide, wide, size, stride, groups=wide, padding=padding))
    body.add_module("project", layer.conv_norm(wide, c_out, 1))
    return Residual(body, nn.Identity(), nn.Identity()) if stride == 1 and c_in == c_out else named(body=body)


def efficientnet_lite(
    classes: int = 1000, *, channels: int = 3, size: Size = None, rank: int = 2, **options: Any
) -> Network:  # fmt: skip
    """Return rows of inverted residuals in five stages: 4,652,008 parameters for Lite0.

    Strides: stem 2, stages 2, 4, 8, 16, 32 (small stem: 1, and 1, 1, 2, 4, 8). Initialisation as in the authors' code:
    normal with fan out, of one group in a depthwise convolution; the last layer uniform.
    """
    chosen = read_options(EfficientNetLiteOptions, "efficientnet_lite", options)
    chosen.require_padding("efficientnet_lite")
    input_spec, layer = InputSpec.checked("efficientnet_lite", channels, rank, size), chosen.layers(rank)
    small = chosen.stem == "small"
    stem = layer.conv_norm_act(channels, STEM, 3, 1 if small else 2, padding=None if small else "tensorflow")
    stages, c_in = [], STEM
    for number, rows in enumerate(STAGES):
        stage = nn.Sequential()
        for expansion, filters, blocks, kernel in rows:
            c_out = rounded(filters * chosen.multiplier)
            for _ in range(math.ceil(blocks * chosen.deeper) if blocks > 1 else 1):
                stride = 2 if len(stage) == 0 and number > (1 if small else 0) else 1
                block = mbconv((c_in, expansion * c_in, c_out), kernel, stride, layer)
                stage.add_module(str(len(stage)), block)
                c_in = c_out
        stages.append(stage)
    stages[-1].add_module("last", layer.conv_norm_act(c_in, LAST, 1))
    model = network_with_head("efficientnet_lite", input_spec, (stem, stages), classes, layer, chosen)
    initialise(model, normal_by_outputs, uniform_by_outputs)
    return model


def normal_by_outputs(weight: Tensor) -> None:
    """Fill with N(0, 2 / (outputs of one group x window))."""
    depthwise = weight.shape[1] == 1
    nn.init.kaiming_normal_(weight, mode="fan_in" if depthwise else "fan_out", nonlinearity="relu")


def uniform_by_outputs(weight: Tensor) -> None:
    """Fill with U(-1/sqrt(K), 1/sqrt(K)), K the number of outputs."""
    bound = weight.shape[0] ** -0.5
    nn.init.uniform_(weight, -bound, bound)


VERSIONS: dict[str, dict[str, Any]] = {
    "efficientnet_lite0": {},
    "efficientnet_lite1": {"deeper": 1.1},
    "efficientnet_lite2": {"multiplier": 1.1, "deeper": 1.2, "dropout": 0.3},
    "efficientnet_lite3": {"multiplier": 1.2, "deeper": 1.4, "dropout": 0.3},
    "efficientnet_lite4": {"multiplier": 1.4, "deeper": 1.8, "dropout": 0.3},
}
