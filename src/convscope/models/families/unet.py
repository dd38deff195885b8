"""U-Net (Ronneberger, Fischer and Brox 2015, arXiv:1505.04597), as published and with any encoder."""

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

from pydantic import Field
from torch import Tensor, cat, nn

from convscope.errors import ModelError
from convscope.models.components import Named, resolve_component
from convscope.models.encoder_decoder import EncoderDecoder, scales
from convscope.models.input_check import check_size
from convscope.models.input_spec import InputSpec, Size
from convscope.models.layers import LayerFactory, initialise, named
from convscope.models.network import Network
from convscope.models.options import LayerOptions, read_options
from convscope.models.upsample import UPSAMPLES, center_crop

Encoder = Callable[..., Network]


class UNetOptions(LayerOptions):
    """`depth` pools of the published encoder, `width` channels before the first; or another `encoder` by name.

    `upsample` is nearest, bilinear, max_unpool or transposed. With another encoder the other options
    apply to the decoder, which defaults to batch norm and at most `widest` channels (256); those of the encoder are
    `encoder_options`.
    """

    norm: Any = None
    width: int = 64
    depth: int = 4
    upsample: Named = "transposed"
    encoder: str | None = None
    encoder_options: dict[str, Any] = Field(default_factory=dict)
    widest: int | None = None


class UNetLevel(nn.Module):
    """One decoder level: upsample, concatenate the encoder's map, two 3x3."""

    def __init__(self, maps: tuple[int, int, int], factor: int, layer: LayerFactory, upsample: Named) -> None:
        super().__init__()
        c_in, c_fine, c_out = maps
        self.factor, self.crops = factor, layer.padding == "none"
        make = resolve_component(UPSAMPLES, upsample, "upsample")
        # Max unpooling needs as many channels as the encoder's map.
        c_up = c_fine if c_fine and upsample == "max_unpool" else c_out
        self.up = make(c_in, c_up, factor, layer)
        self.convs = double_conv(c_up + c_fine, c_out, layer)

    def forward(self, x: Tensor, fine: Tensor | None) -> Tensor:
        sides = tuple(self.factor * side for side in x.shape[2:])
        if fine is not None and not self.crops:
            sides = tuple(fine.shape[2:])
        x = self.up(x, fine, sides)
        if fine is not None:
            x = cat([center_crop(fine, sides) if self.crops else fine, x], 1)
        out: Tensor = self.convs(x)
        return out


def double_conv(c_in: int, c_out: int, layer: LayerFactory) -> nn.Sequential:
    """Return two 3x3 with their activations."""
    return nn.Sequential(layer.conv_norm_act(c_in, c_out, 3), layer.conv_norm_act(c_out, c_out, 3))


def contracting_path(input_spec: InputSpec, chosen: UNetOptions, layer: LayerFactory) -> Network:
    """Return figure 1, left: two 3x3, then `depth` times a pool and two 3x3 with twice the channels."""
    widths = [chosen.width * 2**number for number in range(chosen.depth + 1)]
    stages = []
    for before, width in pairwise(widths):
        stages.append(named(pool=layer.pool(before), convs=double_conv(before, width, layer)))
    if chosen.dropout:
        stages[-1].add_module("drop", nn.Dropout(chosen.dropout))
    return Network("unet", input_spec, double_conv(input_spec.channels, widths[0], layer), stages, nn.Identity())


def unet(
    classes: int = 2, *, channels: int = 1, size: Size = None, rank: int = 2, make_encoder: Encoder | None = None,
    **options: Any,
) -> EncoderDecoder:  # fmt: skip
    """Encoder and decoder with skip connections: 31,030,658 parameters as published.

    Strides: stem 1, stages 2, 4, 8, 16; (B, K, H, W) logits for any size of image. With ``padding="none"``, as in the
    paper, borders are cropped and the logits are smaller than the image (572 -> 388). Weights are initialised with
    N(0, sqrt(2/n)) (section 3); another encoder keeps its own initialisation.

    Args:
        make_encoder: the function that builds `encoder`, from the registry.
    """
    norm = "none" if make_encoder is None else "batch"  # the paper predates the use of batch norm
    chosen = read_options(UNetOptions, "unet", {"norm": norm, **options})
    own = sorted(chosen.model_fields_set & {"width", "depth", "dropout"})
    if make_encoder is not None and own:
        raise ModelError(
            f"unet: {own[0]} applies to the published encoder only; set options of {chosen.encoder} in encoder_options"
        )
    input_spec, layer = InputSpec.checked("unet", channels, rank, size), chosen.layers(rank)
    crops = layer.padding == "none"
    if crops and (chosen.encoder or chosen.upsample == "max_unpool"):
        raise ModelError("unet: padding none needs the published encoder without max_unpool; choose zeros or edge")
    any_size = InputSpec(channels, rank)
    if make_encoder is None:
        encoder = contracting_path(any_size, chosen, layer)
    else:
        encoder = make_encoder(classes, channels=channels, rank=rank, **{"size": None, **chosen.encoder_options})
    if encoder.input_spec.size is not None:
        raise ModelError(
            f"unet: encoder {chosen.encoder} accepts a single image size; choose another, such as resnet18"
        )
    maps = scales(encoder)
    levels, width = expansive_path(maps, chosen, layer)
    head = named(conv=layer.conv(width, classes, 1))
    model = EncoderDecoder("unet", encoder, levels, head, 1 if crops else maps[-1][1])
    kaiming = partial(nn.init.kaiming_normal_, nonlinearity="relu")
    for part in (model.decoder, model.head) if make_encoder else (model,):
        initialise(part, kaiming, kaiming)
    check_size(model, input_spec.size)
    return model


def expansive_path(
    maps: list[tuple[int, int]], chosen: UNetOptions, layer: LayerFactory
) -> tuple[list[UNetLevel], int]:
    """Return figure 1, right: the levels from coarse to fine, and the output channels of the last."""
    widest = chosen.widest or (256 if chosen.encoder else None)
    (c_in, stride), *finer = reversed(maps)
    if finer[-1][1] > 1:
        finer.append((0, 1))  # the encoder has no map at full resolution
    levels = []
    for c_fine, finer_stride in finer:
        c_out = c_fine or max(16, c_in // 2)
        c_out = min(c_out, widest) if widest else c_out
        levels.append(UNetLevel((c_in, c_fine, c_out), max(1, round(stride / finer_stride)), layer, chosen.upsample))
        c_in, stride = c_out, finer_stride
    return levels, c_in
