"""airbench, a network that learns small images in few passes (Jordan 2024, arXiv:2404.00498).

Its first layer is not learned: `whiten` gives it the filters that take the correlations out of patches of the training
images (section 3.2), which saves the passes in which other networks learn just that.
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

MAX_FILTERS = 24  # of the paper's 2x2 patches in colour: twelve, and their opposites
EPSILON = 5e-4  # added to each patch variance before its root is divided by, as the paper's code does


class AirbenchOptions(Options):
    """`stages` are their widths; `patch`, `stride` and `filters` are the first layer's, None: two filters a dimension.

    `ceil` lets stages halve odd sides upwards, which tiny images need.
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
    """Whitened patches, then stages of two 3x3 convolutions, the first with a pool behind it (table 5).

    Strides: stem 1 (or `stride`), stages 2, 4, 8 times that. Convolutions begin as the identity as far as their
    channels go (section 3.1), norms have no learned scale, and the logits begin small.
    """
    chosen = read_options(AirbenchOptions, "airbench", options)
    chosen.require_padding("airbench")
    if chosen.norm_last:
        raise ModelError("airbench: pools stand between its convolutions and norms; leave norm_last away")
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
    """3x3, pool, norm, activation, 3x3, norm, activation."""
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
    """The norm with its scale, where it has one, held at 1."""
    scale = getattr(norm, "weight", None)
    if isinstance(scale, nn.Parameter):
        scale.requires_grad_(False)
    return norm


def partial_identity(weight: Tensor) -> None:
    """PyTorch's usual weights, and over the first of them, as many as there are channels, the identity."""
    nn.init.kaiming_uniform_(weight, a=5**0.5)
    nn.init.dirac_(weight.data[: weight.shape[1]])


def scaled_normal(weight: Tensor) -> None:
    """N(0, 1 / inputs^2), which is the paper's N(0, 1) with its factor of 1 / inputs on the logits."""
    nn.init.normal_(weight, std=1 / weight.shape[1])


def has_whitening_layer(model: nn.Module) -> bool:
    """Whether the network's first layer waits for `whiten`."""
    return isinstance(getattr(getattr(model, "stem", None), "whiten", None), nn.Conv2d)


@torch.no_grad()
def whiten(model: nn.Module, images: Tensor) -> None:
    """Give the first layer of an `airbench` its filters, and hold them.

    The filters are the eigenvectors of the covariance of the images' patches, largest first, each divided by the root
    of its eigenvalue, and their opposites (equation 2): what comes out has about variance 1 and no correlations.

    Args:
        model: one that `has_whitening_layer`.
        images: (N, C, H, W) as the network takes them; a few thousand suffice.
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
    """Round halves up where sides could otherwise come to nothing."""
    return {"ceil": True} if min(sides) < 16 else {}
