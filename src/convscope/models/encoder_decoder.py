"""Networks for dense prediction: an encoder, an upsampling decoder and a convolutional head."""

from collections.abc import Iterable, Sequence

from torch import Tensor, nn
from torch.nn import functional

from convscope.models.network import Network
from convscope.models.shape_inference import run_on_meta
from convscope.models.upsample import bilinear


class EncoderDecoder(Network):
    """An encoder-decoder network with (B, K, H, W) logits; `stem` and `stages` are the encoder's.

    ``forward = head(decode(pyramid(x)))``. `features` and pretrained weights are therefore the
    encoder's too. Images whose sides are not divisible by `multiple` are padded on the right and bottom by edge
    replication, and the logits are cropped to the image size.

    Args:
        encoder: its stem and stages are used; its head is not.
        decoder: levels from coarse to fine; each is called with (coarse map, finer map or None).
        multiple: sides are padded to a multiple of this; 1 means no padding.
    """

    def __init__(
        self, name: str, encoder: Network, decoder: Iterable[nn.Module], head: nn.Module, multiple: int = 1
    ) -> None:
        super().__init__(name, encoder.input_spec, encoder.stem, encoder.stages, head)
        self.family, self.encoder_type, self.multiple = encoder.name, type(encoder), multiple
        self.decoder = nn.ModuleList(decoder)

    def features(self, x: Tensor) -> list[Tensor]:
        """Return the encoder's feature map of each stage, finest first."""
        return self.encoder_type.features(self, x)

    def pyramid(self, x: Tensor) -> list[Tensor]:
        """Return the encoder's deepest map of each resolution, finest first."""
        return self.encoder_type.pyramid(self, x)

    def decode(self, maps: Sequence[Tensor]) -> Tensor:
        """Return the decoder's finest map, computed from the encoder's maps (finest first)."""
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
            logits = bilinear(logits, tuple(x.shape[2:]))  # the stem crops its borders
        if any(missing):
            logits = logits[(slice(None), slice(None), *(slice(0, side) for side in sides))]
        return logits


def scales(encoder: Network) -> list[tuple[int, int]]:
    """Return (channels, stride) of each map of the encoder's pyramid, finest first.

    The stride is measured from two image sizes, so that cropped borders do not affect it.
    """

    def maps(side: int) -> list[Tensor]:
        shape = (1, encoder.input_spec.channels, *(side,) * encoder.input_spec.rank)
        found: list[Tensor] = run_on_meta(encoder, encoder.pyramid, shape)
        return found

    pairs = zip(maps(512), maps(1536), strict=True)
    return [(small.shape[1], round(1024 / (large.shape[2] - small.shape[2]))) for small, large in pairs]
