"""AlexNet (Krizhevsky, Sutskever and Hinton 2012), and its later form (Krizhevsky 2014, arXiv:1404.5997)."""

from functools import partial
from typing import Any, Literal

from torch import nn

from convscope.models.components import NORMS, Named, resolve_component
from convscope.models.heads import network_with_head
from convscope.models.input_spec import InputSpec, Size
from convscope.models.layers import initialise, named
from convscope.models.network import Network
from convscope.models.options import Options, read_options


class AlexNetOptions(Options):
    """The version of 2014, for which pretrained weights are common.

    `response` is the norm after the first two activations; `groups` 2 splits conv2, conv4 and conv5 as the two GPUs of
    2012 did; `first_padding` is 0 for images of 227 pixels, 2 for 224. `start` paper initialises with N(0, 0.01) and
    the biases of 2012; kaiming converges sooner.
    """

    norm: Any = "none"
    dropout: float = 0.5
    head: Any = "grid:6"
    widths: tuple[int, ...] = (4096, 4096)
    filters: tuple[int, int, int, int, int] = (64, 192, 384, 256, 256)
    groups: int = 1
    response: Named = "none"
    first_padding: int = 2
    start: Literal["paper", "kaiming"] = "kaiming"


def alexnet(
    classes: int = 1000, *, channels: int = 3, size: Size = None, rank: int = 2, **options: Any
) -> Network:  # fmt: skip
    """Five convolutions and three fully connected layers (figure 2).

    Strides: stem 4, stages 8, 16, 32; sides go 227 -> 55 -> 27 -> 13 -> 6. The figure's 224 does not fit
    an 11x11 window with stride 4, and the 277 of some lecture notes would give 67.5; the network of 2012 expects 227.
    """
    chosen = read_options(AlexNetOptions, "alexnet", options)
    input_spec, layer = InputSpec.checked("alexnet", channels, rank, size), chosen.layers(rank)
    one, two, three, four, five = chosen.filters
    response_norm = resolve_component(NORMS, chosen.response, "alexnet response")
    unit, groups = layer.conv_norm_act, chosen.groups
    stem = named(conv1=unit(channels, one, 11, 4, padding=chosen.first_padding), response=response_norm(one, rank))
    stages = [
        named(pool=layer.pool(one, 3), conv2=unit(one, two, 5, groups=groups), response=response_norm(two, rank)),
        named(
            pool=layer.pool(two, 3),
            conv3=unit(two, three, 3),
            conv4=unit(three, four, 3, groups=groups),
            conv5=unit(four, five, 3, groups=groups),
        ),
        named(pool=layer.pool(five, 3)),
    ]
    model = network_with_head("alexnet", input_spec, (stem, stages), classes, layer, chosen)
    if chosen.start == "paper":
        initialise_as_in_2012(model)
    else:
        kaiming = partial(nn.init.kaiming_normal_, nonlinearity="relu")
        initialise(model, kaiming, kaiming)
    return model


def initialise_as_in_2012(model: Network) -> None:
    """Fill weights with N(0, 0.01); biases of conv2, conv4, conv5 and hidden dense layers with 1 (section 5)."""
    normal = partial(nn.init.normal_, std=0.01)
    initialise(model, normal, normal)
    for name, bias in model.named_parameters():
        if name.endswith(("conv2.conv.bias", "conv4.conv.bias", "conv5.conv.bias", "fc1.bias", "fc2.bias")):
            nn.init.ones_(bias)


TWO_GPUS: dict[str, Any] = {
    "filters": (96, 256, 384, 384, 256), "groups": 2, "response": "lrn", "first_padding": 0, "start": "paper",
}  # fmt: skip
ONE_GPU: dict[str, Any] = {**TWO_GPUS, "groups": 1}
