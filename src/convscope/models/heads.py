"""Classification heads: global average pooling, or flatten and fully connected layers."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from torch import Tensor, nn

from convscope.errors import ModelError
from convscope.models.auxiliary import attach_auxiliary
from convscope.models.components import resolve_component
from convscope.models.input_check import check_size
from convscope.models.input_spec import InputSpec
from convscope.models.layers import LayerFactory, named
from convscope.models.network import Network
from convscope.models.options import Options
from convscope.models.shape_inference import run_on_meta


def fully_connected(
    c_in: int, widths: Sequence[int], classes: int, layer: LayerFactory, dropout: float
) -> dict[str, nn.Module]:
    """Return layers of these widths, each with activation and dropout, and ``fc``, which outputs the logits."""
    layers: dict[str, nn.Module] = {}
    for number, (before, width) in enumerate(pairwise((c_in, *widths)), start=1):
        layers[f"fc{number}"] = nn.Linear(before, width)
        layers[f"act{number}"] = layer.activation()
        layers[f"drop{number}"] = nn.Dropout(dropout)
    return {**layers, "fc": nn.Linear(widths[-1] if widths else c_in, classes)}


def gap(maps: Sequence[int], classes: int, layer: LayerFactory, chosen: Options) -> nn.Sequential:
    """Global average pooling, then the logits (Lin 2013, section 3.2); accepts any image size.

    Dropout is also applied before the first fully connected layer: a GAP head without hidden layers has no other.
    """
    dense = fully_connected(maps[0], chosen.widths, classes, layer, chosen.dropout)
    return named(
        pool=layer.global_average(), flatten=nn.Flatten(), drop=nn.Dropout(chosen.dropout), **dense
    )  # fmt: skip


def flatten(maps: Sequence[int], classes: int, layer: LayerFactory, chosen: Options) -> nn.Sequential:
    """Flatten the feature maps, then fully connected layers; accepts a single image size."""
    return named(
        flatten=nn.Flatten(), **fully_connected(math.prod(maps), chosen.widths, classes, layer, chosen.dropout)
    )  # fmt: skip


def grid(maps: Sequence[int], classes: int, layer: LayerFactory, chosen: Options, cells: float = 7) -> nn.Sequential:
    """Adaptive average pooling to cells x cells, flatten, then fully connected layers; accepts any image size.

    At the paper's image size each cell is one pixel, so the pooling has no effect.
    """
    numbers = maps[0] * int(cells) ** layer.rank
    dense = fully_connected(numbers, chosen.widths, classes, layer, chosen.dropout)
    return named(pool=layer.global_average(int(cells)), flatten=nn.Flatten(), **dense)


def conv(maps: Sequence[int], classes: int, layer: LayerFactory, chosen: Options) -> nn.Sequential:
    """1x1 convolution to one channel per class, then global average pooling (Lin 2013, figure 2); any image size."""
    one = layer.conv(maps[0], classes, 1)
    return named(
        drop=nn.Dropout(chosen.dropout),
        conv=one,
        act=layer.activation(),
        pool=layer.global_average(),
        flatten=nn.Flatten(),
    )


def largest(maps: Sequence[int], classes: int, layer: LayerFactory, chosen: Options) -> nn.Sequential:
    """Global max pooling, then the logits; accepts any image size."""
    dense = fully_connected(maps[0], chosen.widths, classes, layer, chosen.dropout)
    return named(pool=layer.global_maximum(), flatten=nn.Flatten(), drop=nn.Dropout(chosen.dropout), **dense)


HEADS: dict[str, Callable[..., nn.Module]] = {
    "gap": gap,
    "max": largest,
    "flatten": flatten,
    "grid": grid,
    "conv": conv,
}


def network_with_head(
    name: str,
    input_spec: InputSpec,
    body: tuple[nn.Module, Iterable[nn.Module]],
    classes: int,
    layer: LayerFactory,
    chosen: Options,
) -> Network:
    """Return the network made of a body (stem, stages) and the head that its options select.

    Raises:
        ModelError: the size is too small, or head flatten was chosen without an image size.
    """
    make = resolve_component(HEADS, chosen.head, f"{name} head")
    if make is flatten and input_spec.size is None:
        raise ModelError(f"{name}: head flatten fits one image size and none is given; give size=(H, W) or head='gap'")
    any_size = replace(input_spec, size=None)
    headless = Network(name, any_size, *body, nn.Identity())
    maps = last_maps(headless, input_spec.size)
    fits = input_spec if make is flatten else any_size
    network = Network(name, fits, headless.stem, headless.stages, make(maps, classes, layer, chosen))
    return (
        attach_auxiliary(network, chosen.auxiliary, classes, layer, chosen.auxiliary_head)
        if chosen.auxiliary
        else network
    )


def last_maps(body: Network, size: tuple[int, ...] | None) -> tuple[int, ...]:
    """Return the shape (C, H, W) of the last stage's maps for images of `size` (256 pixels per side if None).

    Raises:
        ModelError: the network cannot process images of that size.
    """
    sides = size or (256,) * body.input_spec.rank
    check_size(body, sides)
    maps: Tensor = run_on_meta(body, body.encoder, (1, body.input_spec.channels, *sides))
    return tuple(maps.shape[1:])
