"""VGG (Simonyan and Zisserman 2014, arXiv:1409.1556): stacks of 3x3 convolutions."""

from functools import partial
from typing import Any

from torch import nn

from convscope.models.heads import network_with_head
from convscope.models.input_spec import InputSpec, Size
from convscope.models.layers import LayerFactory, initialise, named
from convscope.models.network import Network
from convscope.models.options import Options, read_options


class VGGOptions(Options):
    """`depths` are the convolutions between pools; `width` the filters of the first, doubled up to 8 times later."""

    norm: Any = "none"
    dropout: float = 0.5
    head: Any = "grid:7"
    widths: tuple[int, ...] = (4096, 4096)
    depths: tuple[int, ...] = (2, 2, 3, 3, 3)
    width: int = 64


def convolutions(number: int, c_in: int, width: int, depth: int, layer: LayerFactory) -> dict[str, nn.Module]:
    """Return `depth` 3x3 convolutions under the paper's names, such as conv3_1.

    They have a bias even before a norm, as in the common pretrained weights.
    """
    return {
        f"conv{number}_{index}": layer.conv_norm_act(c_in if index == 1 else width, width, 3, bias=True)
        for index in range(1, depth + 1)
    }


def vgg(
    classes: int = 1000, *, channels: int = 3, size: Size = None, rank: int = 2, **options: Any
) -> Network:  # fmt: skip
    """Table 1: the first stack is the stem, each later stack a stage with its pool; the last stage is the final pool.

    Strides: stem 1, stages 2, 4, 8, 16, 32. VGG-16 has 138,357,544 parameters, more than twice AlexNet's; 89.4 % are in
    the fully connected layers. Kaiming initialisation, fan out; N(0, 0.01) in the fully connected layers.
    """
    chosen = read_options(VGGOptions, "vgg", options)
    input_spec, layer = InputSpec.checked("vgg", channels, rank, size), chosen.layers(rank)
    widths = [min(2**number, 8) * chosen.width for number in range(len(chosen.depths))]
    stem = named(**convolutions(1, channels, widths[0], chosen.depths[0], layer))
    stages = []
    for number, depth in enumerate(chosen.depths[1:], start=1):
        before, width = widths[number - 1], widths[number]
        stages.append(named(pool=layer.pool(before), **convolutions(number + 1, before, width, depth, layer)))
    stages.append(named(pool=layer.pool(widths[-1])))
    model = network_with_head("vgg", input_spec, (stem, stages), classes, layer, chosen)
    initialise(
        model,
        partial(nn.init.kaiming_normal_, mode="fan_out", nonlinearity="relu"),
        partial(nn.init.normal_, std=0.01),
    )
    return model


def for_small_images(sides: tuple[int, ...]) -> dict[str, Any]:
    """Return the GAP head if the last maps are smaller than the 7x7 that the fully connected layers expect."""
    return {"head": "gap", "widths": ()} if min(sides) < 7 * 32 else {}


DEPTHS: dict[int, dict[str, Any]] = {
    11: {"depths": (1, 1, 2, 2, 2)},
    13: {"depths": (2, 2, 2, 2, 2)},
    16: {"depths": (2, 2, 3, 3, 3)},
    19: {"depths": (2, 2, 4, 4, 4)},
}
