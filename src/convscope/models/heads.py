"""From the last maps to logits: an average over each map, or flatten and fully connected layers."""

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
    """Return layers of these widths, each with activation and dropout, and ``fc``, which gives the logits."""
    layers: dict[str, nn.Module] = {}
    for number, (before, width) in enumerate(pairwise((c_in, *widths)), start=1):
        layers[f"fc{number}"] = nn.Linear(before, width)
        layers[f"act{number}"] = layer.activation()
        layers[f"drop{number}"] = nn.Dropout(dropout)
    return {**layers, "fc": nn.Linear(widths[-1] if widths else c_in, classes)}


def gap(maps: Sequence[int], classes: int, layer: LayerFactory, chosen: Options) -> nn.Sequential:
    """Each map's mean, then the logits (Lin 2013, section 3.2): no weights for the averaging, any size of image.

    Dropout stands before the first fully connected layer too, since a bare GAP head has no other place for it.
    """
    dense = fully_connected(maps[0], chosen.widths, classes, layer, chosen.dropout)
    return named(
        pool=layer.global_average(), flatten=nn.Flatten(), drop=nn.Dropout(chosen.dropout), **dense
    )  # fmt: skip


def flatten(maps: Sequence[int], classes: int, layer: LayerFactory, chosen: Options) -> nn.Sequential:
    """All pixels of all maps as one vector, then fully connected layers: fits one size of image only."""
    return named(
        flatten=nn.Flatten(), **fully_connected(math.prod(maps), chosen.widths, classes, layer, chosen.dropout)
    )  # fmt: skip


def grid(maps: Sequence[int], classes: int, layer: LayerFactory, chosen: Options, cells: float = 7) -> nn.Sequential:
    """Means over a grid of cells x cells, flattened, then fully connected layers: any size of image.

    On the paper's own size each cell is one pixel, so nothing changes.
    """
    numbers = maps[0] * int(cells) ** layer.rank
    dense = fully_connected(numbers, chosen.widths, classes, layer, chosen.dropout)
    return named(pool=layer.global_average(int(cells)), flatten=nn.Flatten(), **dense)


def conv(maps: Sequence[int], classes: int, layer: LayerFactory, chosen: Options) -> nn.Sequential:
    """A 1x1 convolution to one map for each class, then each map's mean (Lin 2013, figure 2): any size of image."""
    one = layer.conv(maps[0], classes, 1)
    return named(
        drop=nn.Dropout(chosen.dropout),
        conv=one,
        act=layer.activation(),
        pool=layer.global_average(),
        flatten=nn.Flatten(),
    )


def largest(maps: Sequence[int], classes: int, layer: LayerFactory, chosen: Options) -> nn.Sequential:
    """Each map's largest value, then the logits: any size of image."""
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
    """Return the network of a body (stem, stages) with the head that its options choose.

    Raises:
        ModelError: the size is too small, or a head of fully connected layers has no size to fit.
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
    """Return the shape (C, H, W) of the last stage's maps for images of `size` (of 256 pixels a side when None).

    Raises:
        ModelError: images of that size do not go through.
    """
    sides = size or (256,) * body.input_spec.rank
    check_size(body, sides)
    maps: Tensor = run_on_meta(body, body.encoder, (1, body.input_spec.channels, *sides))
    return tuple(maps.shape[1:])
