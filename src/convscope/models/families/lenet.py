"""LeNet-5 (LeCun, Bottou, Bengio and Haffner 1998, Gradient-based learning applied to document recognition)."""

import math
from typing import Any

from torch import Tensor, nn

from convscope.models.heads import network_with_head
from convscope.models.input_spec import InputSpec, Size
from convscope.models.layers import initialise, named
from convscope.models.network import Network
from convscope.models.options import Options, read_options


class LeNetOptions(Options):
    """The paper's settings: tanh, average pooling, no padding."""

    activation: Any = "tanh"
    norm: Any = "none"
    pooling: Any = "average"
    padding: str = "none"
    head: Any = "flatten"
    widths: tuple[int, ...] = (120, 84)
    filters: tuple[int, int] = (6, 16)


def lenet(
    classes: int = 10, *, channels: int = 1, size: Size = 32, rank: int = 2, **options: Any
) -> Network:  # fmt: skip
    """Two convolutions with pooling and three fully connected layers (figure 2): 61,706 parameters at 32x32.

    The usual differences from the paper: C3 is connected to all maps of S2, pooling has no parameters, the output is
    linear. Strides: stem 1, stages 2, 4. With `padding="zeros"` it accepts images down to 4x4.
    """
    chosen = read_options(LeNetOptions, "lenet", options)
    input_spec, layer = InputSpec.checked("lenet", channels, rank, size), chosen.layers(rank)
    first, second = chosen.filters
    stem = layer.conv_norm_act(channels, first, 5)
    stages = [
        named(pool=layer.pool(first), conv=layer.conv_norm_act(first, second, 5)),
        named(pool=layer.pool(second)),
    ]
    model = network_with_head("lenet", input_spec, (stem, stages), classes, layer, chosen)
    initialise(model, normal_by_inputs, normal_by_inputs)
    return model


def normal_by_inputs(weight: Tensor) -> None:
    """Fill with N(0, 1/n), n the fan-in (LeCun, Bottou, Orr and Mueller 1998, Efficient BackProp, eq. 16).

    The LeNet paper's own U(-2.4/n, 2.4/n) relies on its scaled tanh and trainable subsampling. Without these the
    initial logits differ by only 1e-5 between images, and training on scikit-learn's digits never made progress.
    """
    nn.init.normal_(weight, std=math.prod(weight.shape[1:]) ** -0.5)


def for_small_images(sides: tuple[int, ...]) -> dict[str, Any]:
    """Pad images smaller than the paper's digits (28x28 within 32x32), whose maps would otherwise become too small."""
    return {"padding": "zeros"} if min(sides) < 28 else {}
