"""Inception v3 (Szegedy 2015, arXiv:1512.00567): factorised and asymmetric convolutions."""

from functools import partial
from typing import Any

from torch import nn

from convscope.errors import ModelError
from convscope.models.heads import network_with_head
from convscope.models.input_spec import InputSpec, Size
from convscope.models.layers import Branches, LayerFactory, initialise, named, truncated_normal
from convscope.models.network import Network
from convscope.models.options import Options, read_options

WIDE, TALL = (1, 7), (7, 1)


class InceptionOptions(Options):
    """The version of the public weights."""

    norm: Any = "batch:0.001"
    dropout: float = 0.5
    auxiliary_head: Any = "inception_v3"


def conv_chain(c_in: int, layer: LayerFactory, *steps: tuple[int, Any]) -> nn.Sequential:
    """Return a sequence of convolutions (filters, kernel size), each with norm and activation."""
    units = []
    for filters, window in steps:
        units.append(layer.conv_norm_act(c_in, filters, window))
        c_in = filters
    return nn.Sequential(*units)


def reduction_branch(c_in: int, layer: LayerFactory, filters: int, *steps: tuple[int, Any]) -> nn.Sequential:
    """Return a `conv_chain`, then a 3x3 convolution of `filters` with stride 2 and no padding."""
    before = steps[-1][0] if steps else c_in
    return nn.Sequential(*conv_chain(c_in, layer, *steps), layer.conv_norm_act(before, filters, 3, 2, padding=0))


def pool_branch(c_in: int, filters: int, layer: LayerFactory) -> nn.Sequential:
    """Return 3x3 average pooling with stride 1 (padding counts in the mean), then 1x1."""
    average = {1: nn.AvgPool1d, 2: nn.AvgPool2d, 3: nn.AvgPool3d}[layer.rank](3, 1, 1)
    return named(pool=average, project=layer.conv_norm_act(c_in, filters, 1))


def block_a(c_in: int, project: int, layer: LayerFactory) -> Branches:
    """Return figure 5: 5x5 factorised into two 3x3."""
    return Branches(
        one=conv_chain(c_in, layer, (64, 1)),
        five=conv_chain(c_in, layer, (48, 1), (64, 5)),
        twice=conv_chain(c_in, layer, (64, 1), (96, 3), (96, 3)),
        pool=pool_branch(c_in, project, layer),
    )


def block_b(c_in: int, layer: LayerFactory) -> Branches:
    """Return figure 10, which halves the resolution."""
    return Branches(
        three=reduction_branch(c_in, layer, 384),
        twice=reduction_branch(c_in, layer, 96, (64, 1), (96, 3)),
        pool=layer.pool(c_in, 3),
    )


def block_c(c_in: int, narrow: int, layer: LayerFactory) -> Branches:
    """Return figure 6: 7x7 factorised into 1x7 and 7x1."""
    return Branches(
        one=conv_chain(c_in, layer, (192, 1)),
        seven=conv_chain(c_in, layer, (narrow, 1), (narrow, WIDE), (192, TALL)),
        twice=conv_chain(c_in, layer, (narrow, 1), (narrow, TALL), (narrow, WIDE), (narrow, TALL), (192, WIDE)),
        pool=pool_branch(c_in, 192, layer),
    )


def block_d(c_in: int, layer: LayerFactory) -> Branches:
    """Return the second block that halves the resolution, with 7x7 factorised into 1x7 and 7x1."""
    return Branches(
        three=reduction_branch(c_in, layer, 320, (192, 1)),
        seven=reduction_branch(c_in, layer, 192, (192, 1), (192, WIDE), (192, TALL)),
        pool=layer.pool(c_in, 3),
    )


def block_e(c_in: int, layer: LayerFactory) -> Branches:
    """Return figure 7: parallel 1x3 and 3x1."""

    def sides(filters: int) -> Branches:
        return Branches(wide=conv_chain(filters, layer, (384, (1, 3))), tall=conv_chain(filters, layer, (384, (3, 1))))

    return Branches(
        one=conv_chain(c_in, layer, (320, 1)),
        three=named(reduce=conv_chain(c_in, layer, (384, 1)), sides=sides(384)),
        twice=named(reduce=conv_chain(c_in, layer, (448, 1), (384, 3)), sides=sides(384)),
        pool=pool_branch(c_in, 192, layer),
    )


def inception_v3(
    classes: int = 1000, *, channels: int = 3, size: Size = None, rank: int = 2, **options: Any
) -> Network:  # fmt: skip
    """Section 6, for images of 299 pixels: 23,834,568 parameters, 27,161,264 with ``auxiliary=(2,)``.

    Strides: stem 2, stages 4, 8, 16, 32; borders are cropped, so sides go 299 -> 147 -> 71 -> 35 -> 17 -> 8.
    Weights are initialised with N(0, 0.1) truncated at two standard deviations, as in the public implementations.
    """
    chosen = read_options(InceptionOptions, "inception_v3", options)
    chosen.require_padding("inception_v3")
    if rank != 2:
        raise ModelError(f"inception_v3: rank is {rank}, but its asymmetric kernels need images; choose rank=2")
    input_spec, layer = InputSpec.checked("inception_v3", channels, rank, size), chosen.layers(rank)
    unit = layer.conv_norm_act
    stem = named(
        conv1=unit(channels, 32, 3, 2, padding=0), conv2=unit(32, 32, 3, padding=0), conv3=unit(32, 64, 3)
    )  # fmt: skip
    stages = [
        named(pool=layer.pool(64, 3), conv4=unit(64, 80, 1), conv5=unit(80, 192, 3, padding=0)),
        named(
            pool=layer.pool(192, 3), mixed_5b=block_a(192, 32, layer), mixed_5c=block_a(256, 64, layer),
            mixed_5d=block_a(288, 64, layer),
        ),
        named(
            mixed_6a=block_b(288, layer), mixed_6b=block_c(768, 128, layer), mixed_6c=block_c(768, 160, layer),
            mixed_6d=block_c(768, 160, layer), mixed_6e=block_c(768, 192, layer),
        ),
        named(mixed_7a=block_d(768, layer), mixed_7b=block_e(1280, layer), mixed_7c=block_e(2048, layer)),
    ]  # fmt: skip
    model = network_with_head("inception_v3", input_spec, (stem, stages), classes, layer, chosen)
    initialise(model, partial(truncated_normal, deviation=0.1), partial(truncated_normal, deviation=0.1))
    return model
