"""Networks that answer for every pixel: an encoder, a decoder that goes back up, a head of one convolution."""

from collections.abc import Iterable, Sequence

from torch import Tensor, nn
from torch.nn import functional

from convscope.models.network import Network
from convscope.models.shape_inference import run_on_meta
from convscope.models.upsample import bilinear


class EncoderDecoder(Network):
    """`stem` and `stages` are the encoder's, so that `features` and pretrained weights are; logits are (B, K, H, W).

    ``forward = head(decode(pyramid(x)))``. Images whose sides do not suit the pools are padded at the right and the
    bottom with their edge, and the answer is cut again, so that any size goes in and comes out.

    Args:
        encoder: its stem and stages are taken over; its head is not.
        decoder: from coarse to fine, each takes (coarse map, finer map or None).
        multiple: what sides must be a multiple of; 1 pads nothing.
    """

    def __init__(
        self, name: str, encoder: Network, decoder: Iterable[nn.Module], head: nn.Module, multiple: int = 1
    ) -> None:
        super().__init__(name, encoder.input_spec, encoder.stem, encoder.stages, head)
        self.family, self.encoder_type, self.multiple = encoder.name, type(encoder), multiple
        self.decoder = nn.ModuleList(decoder)

    def features(self, x: Tensor) -> list[Tensor]:
        """Return the encoder's stage maps, finest first."""
        return self.encoder_type.features(self, x)

    def pyramid(self, x: Tensor) -> list[Tensor]:
        """Return the encoder's deepest map of each resolution, finest first."""
        return self.encoder_type.pyramid(self, x)

    def decode(self, maps: Sequence[Tensor]) -> Tensor:
        """Return the finest map of the decoder, from the encoder's maps, finest first."""
        *finer, x = maps
        for number, level in enumerate(self.decoder):
            x = level(x, finer[-1 - number] if number < len(finer) else None)
        return x

    def compute(self, x: Tensor) -> Tensor:
        """Return (B, K, H, W) logits."""
        sides = x.shape[2:]
        missing = [-side % self.multiple for side in sides]
        if any(missing):
            x = functional.pad(x, [amount for side in reversed(missing) for amount in (0, side)], mode="replicate")
        logits: Tensor = self.head(self.decode(self.pyramid(x)))
        if self.multiple > 1 and logits.shape[2:] != x.shape[2:]:
            logits = bilinear(logits, tuple(x.shape[2:]))  # the stem cut its borders
        if any(missing):
            logits = logits[(slice(None), slice(None), *(slice(0, side) for side in sides))]
        return logits


def scales(encoder: Network) -> list[tuple[int, int]]:
    """Return (channels, stride) of each map of the encoder's pyramid, finest first.

    The stride is how many pixels one more place takes, from two sizes, so that cut borders do not count.
    """

    def maps(side: int) -> list[Tensor]:
        shape = (1, encoder.input_spec.channels, *(side,) * encoder.input_spec.rank)
        found: list[Tensor] = run_on_meta(encoder, encoder.pyramid, shape)
        return found

    pairs = zip(maps(512), maps(1536), strict=True)
    return [(small.shape[1], round(1024 / (large.shape[2] - small.shape[2]))) for small, large in pairs]
