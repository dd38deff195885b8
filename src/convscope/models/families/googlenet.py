"""GoogLeNet, the first Inception network (Szegedy 2014, arXiv:1409.4842)."""

from functools import partial
from typing import Any

from torch import nn

from convscope.models.heads import network_with_head
from convscope.models.input_spec import InputSpec, Size
from convscope.models.layers import Branches, LayerFactory, initialise, named, truncated_normal
from convscope.models.network import Network
from convscope.models.options import Options, read_options

Widths = tuple[int, int, int, int, int, int]

# Table 1: 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool projection.
TABLE: dict[str, Widths] = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


class GoogLeNetOptions(Options):
    """Batch norm and 3x3 instead of 5x5, as in the common pretrained weights; `large` 5 restores the paper's 5x5."""

    norm: Any = "batch:0.001"
    dropout: float = 0.2
    large: int = 3


def inception(c_in: int, widths: Widths, layer: LayerFactory, large: int) -> Branches:
    """Return figure 2b: parallel 1x1, 3x3, 5x5 and pool branches with 1x1 reductions; height and width are kept."""
    one, reduce_three, three, reduce_five, five, pool = widths
    unit = layer.conv_norm_act
    return Branches(
        one=unit(c_in, one, 1),
        three=named(reduce=unit(c_in, reduce_three, 1), conv=unit(reduce_three, three, 3)),
        five=named(reduce=unit(c_in, reduce_five, 1), conv=unit(reduce_five, five, large)),
        pool=named(pool=layer.pool(c_in, 3, 1, padding=1), project=unit(c_in, pool, 1)),
    )


def googlenet(
    classes: int = 1000, *, channels: int = 3, size: Size = None, rank: int = 2, **options: Any
) -> Network:  # fmt: skip
    """Nine inception blocks and a global average head: 6,624,904 parameters.

    Strides: stem 2, stages 4, 8, 16, 16, 16, 32. The blocks at stride 16 are three stages (4a, 4b to 4d, 4e), so that
    ``auxiliary=(2, 3)`` places auxiliary classifiers after 4a and 4d as in the paper (13.0 M parameters with them).
    """
    chosen = read_options(GoogLeNetOptions, "googlenet", options)
    chosen.require_padding("googlenet")
    input_spec, layer = InputSpec.checked("googlenet", channels, rank, size), chosen.layers(rank)
    unit, blocks = layer.conv_norm_act, {}
    c_in = 192
    for name, widths in TABLE.items():
        blocks[f"inception_{name}"] = inception(c_in, widths, layer, chosen.large)
        c_in = widths[0] + widths[2] + widths[4] + widths[5]

    def stage(*names: str) -> dict[str, nn.Module]:
        return {f"inception_{name}": blocks[f"inception_{name}"] for name in names}

    stages = [
        named(pool=layer.pool(64, 3, ceil=True), conv2=unit(64, 64, 1), conv3=unit(64, 192, 3)),
        named(pool=layer.pool(192, 3, ceil=True), **stage("3a", "3b")),
        named(pool=layer.pool(480, 3, ceil=True), **stage("4a")),
        named(**stage("4b", "4c", "4d")),
        named(**stage("4e")),
        named(pool=layer.pool(832, 2, ceil=True), **stage("5a", "5b")),
    ]
    model = network_with_head("googlenet", input_spec, (unit(channels, 64, 7, 2), stages), classes, layer, chosen)
    # The paper gives no initialisation; this is that of its public implementations.
    initialise(model, partial(truncated_normal, deviation=0.01), partial(truncated_normal, deviation=0.01))
    return model
