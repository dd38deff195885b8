"""A plain convolutional network: filters per stage, layers and hidden units are all options, made to be searched."""

from functools import partial
from typing import Any

from pydantic import Field
from torch import nn

from convscope.models.heads import network_with_head
from convscope.models.input_spec import InputSpec, Size
from convscope.models.layers import LayerFactory, initialise, named
from convscope.models.network import Network
from convscope.models.options import Options, read_options


class PlainOptions(Options):
    """`filters` are those of each stage, `depth` is the number of its convolutions, and `kernel` their side."""

    filters: tuple[int, ...] = Field((64, 64, 64), min_length=2)
    depth: int = Field(1, ge=1)
    kernel: int = Field(3, ge=1)


def plain(
    classes: int = 10, *, channels: int = 3, size: Size = None, rank: int = 2, **options: Any
) -> Network:  # fmt: skip
    """Stages of convolutions with a 2x2 pool between two stages, then the head: 76,490 parameters for 10 classes.

    Strides: stem 1, then a stage per further number in `filters`: 2, 4 and so on. Kaiming initialisation, fan out.
    """
    chosen = read_options(PlainOptions, "plain", options)
    input_spec, layer = InputSpec.checked("plain", channels, rank, size), chosen.layers(rank)
    stem = stage(channels, chosen.filters[0], layer, chosen)
    stages, c_in = [], chosen.filters[0]
    for filters in chosen.filters[1:]:
        stages.append(named(pool=layer.pool(c_in), convs=stage(c_in, filters, layer, chosen)))
        c_in = filters
    model = network_with_head("plain", input_spec, (stem, stages), classes, layer, chosen)
    initialise(
        model,
        partial(nn.init.kaiming_normal_, mode="fan_out", nonlinearity="relu"),
        partial(nn.init.kaiming_uniform_, a=5**0.5),
    )
    return model


def stage(c_in: int, filters: int, layer: LayerFactory, chosen: PlainOptions) -> nn.Sequential:
    """Return `depth` convolutions, each with norm and activation."""
    return named(
        **{
            f"conv{number}": layer.conv_norm_act(c_in if number == 1 else filters, filters, chosen.kernel)
            for number in range(1, chosen.depth + 1)
        }
    )
