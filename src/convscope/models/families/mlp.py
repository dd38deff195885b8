"""The multilayer perceptron, a baseline that ignores spatial structure."""

import math
from functools import partial
from itertools import pairwise
from typing import Any

from torch import nn

from convscope.errors import ModelError
from convscope.models.components import ACTIVATIONS, NORMS, resolve_component
from convscope.models.input_spec import InputSpec, Size
from convscope.models.layers import initialise, named
from convscope.models.network import Network
from convscope.models.options import VectorOptions, read_options


class MLPOptions(VectorOptions):
    """`widths` are the units of the hidden layers."""

    norm: Any = "none"
    widths: tuple[int, ...] = (256, 128)


def mlp(
    classes: int = 1000, *, channels: int = 3, size: Size = None, rank: int = 2, **options: Any
) -> Network:  # fmt: skip
    """Flatten, then fully connected layers; each hidden layer is a stage, whose features are (B, width) vectors.

    Kaiming initialisation for ReLU (He 2015, equation 10).

    Raises:
        ModelError: no size is given; the first layer needs one, since it has a weight for every pixel.
    """
    chosen = read_options(MLPOptions, "mlp", options)
    input_spec = InputSpec.checked("mlp", channels, rank, size)
    if input_spec.size is None:
        raise ModelError("mlp: no image size is given, and it has a weight for every pixel; give size=(H, W)")
    activation, norm = (
        resolve_component(ACTIVATIONS, chosen.activation, "activation"),
        resolve_component(NORMS, chosen.norm, "norm"),
    )
    counts = (channels * math.prod(input_spec.size), *chosen.widths)
    dropout = chosen.dropout
    stages = [
        named(fc=nn.Linear(before, width), norm=norm(width, 1), act=activation(), drop=nn.Dropout(dropout))
        for before, width in pairwise(counts)
    ]
    model = Network("mlp", input_spec, nn.Flatten(), stages, named(fc=nn.Linear(counts[-1], classes)))
    kaiming = partial(nn.init.kaiming_normal_, nonlinearity="relu")
    initialise(model, kaiming, kaiming)
    return model
