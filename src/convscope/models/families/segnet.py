"""SegNet (Badrinarayanan, Kendall and Cipolla 2015, arXiv:1511.00561): unpooling with the pooling indices."""

from functools import partial
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from convscope.models.components import resolve_component
from convscope.models.encoder_decoder import EncoderDecoder
from convscope.models.families.vgg import vgg
from convscope.models.input_check import check_size
from convscope.models.input_spec import Size
from convscope.models.layers import LayerFactory, initialise, named
from convscope.models.network import Network
from convscope.models.options import LayerOptions, read_options
from convscope.models.upsample import bilinear, max_unpool, nearest

UPSAMPLE_FUNCTIONS = {
    "max_unpool": max_unpool,
    "nearest": lambda x, fine: nearest(x, tuple(fine.shape[2:])),
    "bilinear": lambda x, fine: bilinear(x, tuple(fine.shape[2:])),
}


class SegNetOptions(LayerOptions):
    """`depths` and `width` as in VGG; `upsample` is max_unpool, or nearest or bilinear for comparison."""

    norm: Any = "batch"
    depths: tuple[int, ...] = (2, 2, 3, 3, 3)
    width: int = 64
    upsample: str = "max_unpool"


class SegNetLevel(nn.Module):
    """One decoder level: unpool with the encoder's pooling indices, then as many 3x3 as the encoder's level has."""

    def __init__(self, c_in: int, c_out: int, depth: int, layer: LayerFactory, upsample: str) -> None:
        super().__init__()
        self.upsample = resolve_component(UPSAMPLE_FUNCTIONS, upsample, "segnet upsample")
        widths = [c_in] * depth + [c_out]
        self.convs = nn.Sequential(*(layer.conv_norm_act(a, b, 3, bias=True) for a, b in pairwise(widths)))

    def forward(self, x: Tensor, fine: Tensor) -> Tensor:
        out: Tensor = self.convs(self.upsample(x, fine))
        return out


def segnet(
    classes: int = 2, *, channels: int = 3, size: Size = None, rank: int = 2, **options: Any
) -> EncoderDecoder:  # fmt: skip
    """The convolutions of VGG-16, then the same mirrored (figure 2); the last one outputs the logits.

    Strides: stem 1, stages 2, 4, 8, 16, 32. Kaiming initialisation (section 3.2).
    """
    chosen = read_options(SegNetOptions, "segnet", options)
    chosen.require_padding("segnet")
    layer = chosen.layers(rank)
    names = ("norm", "activation", "padding", "pooling")
    shared = {name: getattr(chosen, name) for name in names}
    encoder: Network = vgg(
        classes, channels=channels, rank=rank, depths=chosen.depths, width=chosen.width, head="gap", widths=(), **shared
    )
    widths = [min(2**number, 8) * chosen.width for number in range(len(chosen.depths))]
    levels = []
    for number in reversed(range(len(chosen.depths))):
        depth = chosen.depths[number] - (number == 0)  # the very last convolution is the head
        levels.append(SegNetLevel(widths[number], widths[max(0, number - 1)], depth, layer, chosen.upsample))
    head = named(conv=layer.conv(widths[0], classes, 3))
    model = EncoderDecoder("segnet", encoder, levels, head, 2 ** len(chosen.depths))
    kaiming = partial(nn.init.kaiming_normal_, nonlinearity="relu")
    initialise(model, kaiming, kaiming)
    check_size(model, (size,) * rank if isinstance(size, int) else tuple(size) if size else None)
    return model
