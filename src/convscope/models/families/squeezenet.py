"""SqueezeNet (Iandola 2016, arXiv:1602.07360): AlexNet's accuracy with 50 times fewer parameters."""

from functools import partial
from typing import Any

from torch import nn

from convscope.models.heads import network_with_head
from convscope.models.input_spec import InputSpec, Size
from convscope.models.layers import Branches, LayerFactory, initialise, named
from convscope.models.network import Network
from convscope.models.options import Options, read_options


class SqueezeNetOptions(Options):
    """`first` is (filters, kernel size) of the first convolution; `stages` are the squeeze widths between two pools."""

    norm: Any = "none"
    dropout: float = 0.5
    head: Any = "conv"
    first: tuple[int, int] = (96, 7)
    stages: tuple[tuple[int, ...], ...] = ((16, 16, 32), (32, 48, 48, 64), (64,))


def fire(c_in: int, squeeze: int, layer: LayerFactory) -> nn.Sequential:
    """Return figure 1: a 1x1 squeeze layer, then parallel 1x1 and 3x3 with 4 times its channels each."""
    unit = layer.conv_norm_act
    expand = Branches(one=unit(squeeze, 4 * squeeze, 1), three=unit(squeeze, 4 * squeeze, 3))
    return named(squeeze=unit(c_in, squeeze, 1), expand=expand)


def squeezenet(
    classes: int = 1000, *, channels: int = 3, size: Size = None, rank: int = 2, **options: Any
) -> Network:  # fmt: skip
    """Table 1: eight fire modules, then a 1x1 convolution and global average pooling.

    1,248,424 parameters; version 1.1 has 1,235,496. Strides: stem 2, stages 4, 8, 16.
    Kaiming uniform initialisation; N(0, 0.01) in the last convolution.
    """
    chosen = read_options(SqueezeNetOptions, "squeezenet", options)
    chosen.require_padding("squeezenet")
    input_spec, layer = InputSpec.checked("squeezenet", channels, rank, size), chosen.layers(rank)
    filters, window = chosen.first
    stages, c_in, number = [], filters, 2
    for widths in chosen.stages:
        stage = named(pool=layer.pool(c_in, 3, ceil=True))
        for squeeze in widths:
            stage.add_module(f"fire{number}", fire(c_in, squeeze, layer))
            c_in, number = 8 * squeeze, number + 1
        stages.append(stage)
    stem = layer.conv_norm_act(channels, filters, window, 2, padding=0)
    model = network_with_head("squeezenet", input_spec, (stem, stages), classes, layer, chosen)
    kaiming = partial(nn.init.kaiming_uniform_, nonlinearity="relu")
    initialise(model, kaiming, kaiming)
    initialise(model.head, partial(nn.init.normal_, std=0.01), kaiming)
    return model


VERSIONS: dict[str, dict[str, Any]] = {
    "squeezenet1_0": {},
    "squeezenet1_1": {"first": (64, 3), "stages": ((16, 16), (32, 32), (48, 48, 64, 64))},
}
