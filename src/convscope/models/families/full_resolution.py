"""A baseline for segmentation: convolutions without pooling, every map as large as the image.

For comparison: it needs many more layers for the same receptive field, and each of its maps takes as much memory as the
finest. U-Net (`unet`) and SegNet (`segnet`) downsample and upsample instead.
"""

from functools import partial
from itertools import pairwise
from typing import Any

from torch import nn

from convscope.models.encoder_decoder import EncoderDecoder
from convscope.models.input_spec import InputSpec, Size
from convscope.models.layers import initialise, named
from convscope.models.network import Network
from convscope.models.options import LayerOptions, read_options


class FullResolutionOptions(LayerOptions):
    """`depth` convolutions of `width` channels."""

    depth: int = 8
    width: int = 64


def full_resolution(
    classes: int = 2, *, channels: int = 3, size: Size = None, rank: int = 2, **options: Any
) -> EncoderDecoder:
    """`depth` 3x3 convolutions, then a 1x1 for the logits; the receptive field is 2 depth + 1 pixels.

    Strides: stem 1, each stage 1. Kaiming initialisation.
    """
    chosen = read_options(FullResolutionOptions, "full_resolution", options)
    chosen.require_padding("full_resolution")
    layer = chosen.layers(rank)
    input_spec = InputSpec(channels, InputSpec.checked("full_resolution", channels, rank, size).rank)
    widths = [channels] + [chosen.width] * chosen.depth
    stem, *stages = (named(conv=layer.conv_norm_act(a, b, 3)) for a, b in pairwise(widths))
    encoder = Network("full_resolution", input_spec, stem, stages, nn.Identity())
    head = named(conv=layer.conv(chosen.width, classes, 1, padding=0))
    model = EncoderDecoder("full_resolution", encoder, [], head)
    kaiming = partial(nn.init.kaiming_normal_, nonlinearity="relu")
    initialise(model, kaiming, kaiming)
    return model
