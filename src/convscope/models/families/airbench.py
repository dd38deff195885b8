"""airbench, a network for small images that trains in few epochs (Jordan 2024, arXiv:2404.00498).

Its first layer is not trained: `whiten` sets its filters to a whitening transform of patches of the training images
(section 3.2), which saves the epochs in which other networks learn this transform.
"""

from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn

from convscope.errors import ModelError
from convscope.models.heads import network_with_head
from convscope.models.input_spec import InputSpec, Size
from convscope.models.layers import LayerFactory, initialise, named
from convscope.models.network import Network
from convscope.models.options import Options, read_options

MAX_FILTERS = 24  # for the paper's 2x2 RGB patches: twelve filters and their negatives
EPSILON = 5e-4  # added to each eigenvalue before its square root, as in the paper's code


class AirbenchOptions(Options):
    """`stages` are the stage widths; `patch`, `stride` and `filters` belong to the first layer.

    `filters` None means two per dimension of a patch. `ceil` makes the pools round odd sides up, as tiny images need.
    """

    activation: Any = "gelu"
    head: Any = "max"
    stages: tuple[int, ...] = (64, 256, 256)
    patch: int = Field(2, ge=1)
    stride: int = Field(1, ge=1)
    filters: int | None = Field(None, ge=2)
    momentum: float | None = Field(0.4, gt=0, le=1)
    ceil: bool = False


def airbench(
    classes: int = 10, *, channels: int = 3, size: Size = None, rank: int = 2, **options: Any
) -> Network:  # fmt: skip
    """A whitening layer, then stages of two 3x3 convolutions with a pool after the first (table 5).

    Strides: stem 1 (or `stride`), stages 2, 4, 8 times that. Convolutions are initialised to a partial
    identity (section 3.1), norms have no trainable scale, and the initial logits are small.
    """
    chosen = read_options(AirbenchOptions, "airbench", options)
    chosen.require_padding("airbench")
    if chosen.norm_last:
        raise ModelError("airbench: norm_last does not apply, a pool follows its convolutions; remove norm_last")
    input_spec, layer = InputSpec.checked("airbench", channels, rank, size), chosen.layers(rank)
    filters = chosen.filters or min(MAX_FILTERS, 2 * channels * chosen.patch**rank)
    stem = named(
        whiten=layer.conv(channels, filters, chosen.patch, chosen.stride, padding=(chosen.patch - 1) // 2),
        act=layer.activation(),
    )
    stages, c_in = [], filters
    for width in chosen.stages:
        stages.append(stage(c_in, width, layer, chosen))
        c_in = width
    model = network_with_head("airbench", input_spec, (stem, stages), classes, layer, chosen)
    initialise(model, partial_identity, scaled_normal)
    return model


def stage(c_in: int, width: int, layer: LayerFactory, chosen: AirbenchOptions) -> nn.Sequential:
    """Return 3x3, pool, norm, activation, 3x3, norm, activation."""
    return named(
        conv1=layer.conv(c_in, width, 3, bias=False),
        pool=layer.pool(width, ceil=chosen.ceil),
        norm1=shift_only(layer.norm(width, layer.rank)),
        act1=layer.activation(),
        conv2=layer.conv(width, width, 3, bias=False),
        norm2=shift_only(layer.norm(width, layer.rank)),
        act2=layer.activation(),
    )


def shift_only(norm: nn.Module) -> nn.Module:
    """Return the norm with its scale, if it has one, frozen at 1."""
    scale = getattr(norm, "weight", None)
    if isinstance(scale, nn.Parameter):
        scale.requires_grad_(False)
    return norm


def partial_identity(weight: Tensor) -> None:
    """Initialise as PyTorch does, with the first filters, one per input channel, set to the identity."""
    nn.init.kaiming_uniform_(weight, a=5**0.5)
    nn.init.dirac_(weight.data[: weight.shape[1]])


def scaled_normal(weight: Tensor) -> None:
    """Fill with N(0, 1 / inputs^2), equal to the paper's N(0, 1) with its factor 1 / inputs on the logits."""
    nn.init.normal_(weight, std=1 / weight.shape[1])


def has_whitening_layer(model: nn.Module) -> bool:
    """Return whether the network's first layer is a whitening layer, to be set by `whiten`."""
    return isinstance(getattr(getattr(model, "stem", None), "whiten", None), nn.Conv2d)


@torch.no_grad()
def whiten(model: nn.Module, images: Tensor) -> None:
    """Set the filters of the whitening layer of an `airbench` and freeze them.

    The filters are the eigenvectors of the covariance of image patches, largest first, each divided by the square root
    of its eigenvalue, and their negatives (equation 2). The outputs are decorrelated and have variance of about 1.

    Args:
        model: a network with `has_whitening_layer`.
        images: (N, C, H, W), preprocessed as in training; a few thousand suffice.
    """
    layer = model.get_submodule("stem.whiten")
    weight = layer.get_parameter("weight")
    patches = nn.functional.unfold(images.float(), weight.shape[2:]).movedim(1, 2).flatten(0, 1)
    values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
    filters = (vectors / (values + EPSILON).sqrt()).T.flip(0)[: len(weight) // 2]
    filters = filters.reshape(-1, *weight.shape[1:])
    weight[: 2 * len(filters)] = torch.cat([filters, -filters])
    weight.requires_grad_(False)


def for_small_images(sides: tuple[int, ...]) -> dict[str, Any]:
    """Round halved sides up for images under 16 pixels, whose maps would otherwise become empty."""
    return {"ceil": True} if min(sides) < 16 else {}
