"""Networks for dense prediction: an encoder, an upsampling decoder and a convolutional head."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional

from convscope.models.network import Network
from convscope.models.shape_inference import run_on_meta
from convscope.models.upsample import bilinear


class Encoded(NamedTuple):
    """The output of the encoder of an `EncoderDecoder`.

    `maps` are its deepest maps of each resolution, finest first; `sides` those of the image before padding.
    """

    maps: tuple[Tensor, ...]
    sides: tuple[int, ...]


class DecodingHead(nn.Sequential):
    """The layers after the decoder; called with the encoder's output, it decodes that first."""

    def __init__(self, layers: nn.Module, model: "EncoderDecoder") -> None:
        super().__init__(OrderedDict(layers.named_children()))
        self.model = (model,)  # in a tuple: the model would be registered as a submodule of its own head

    def forward(self, z: Tensor | Encoded) -> Tensor:
        """Return (B, K, H, W) logits from `Encoded`, or from the decoder's finest map."""
        if isinstance(z, Encoded):
            return self.model[0].logits(z)
        out: Tensor = super().forward(z)  # type: ignore[no-untyped-call]
        return out


class EncoderDecoder(Network):
    """An encoder-decoder network with (B, K, H, W) logits; `stem` and `stages` are the encoder's.

    ``forward(x) = head(encoder(x))``, as for every network; here the encoder returns the maps of all resolutions, and
    the head first decodes them: ``head(decode(pyramid(x)))`` for an x that needs no padding. `features` and pretrained
    weights are the encoder's too. Images whose sides are not divisible by `multiple` are padded on the right and bottom
    by edge replication, and the logits are cropped to the image size.

    Args:
        encoder: its stem and stages are used; its head is not.
        decoder: levels from coarse to fine; each is called with (coarse map, finer map or None).
        multiple: sides are padded to a multiple of this; 1 means no padding.
    """

    def __init__(
        self, name: str, encoder: Network, decoder: Iterable[nn.Module], head: nn.Module, multiple: int = 1
    ) -> None:
        super().__init__(name, encoder.input_spec, encoder.stem, encoder.stages, nn.Identity())
        self.head = DecodingHead(head, self)
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

    def encoder(self, x: Tensor) -> Encoded:  # type: ignore[override]
        """Return the encoder's maps of every resolution, of the image padded to a multiple of `multiple`."""
        sides = tuple(x.shape[2:])
        missing = self.missing(sides)
        if any(missing):
            x = functional.pad(x, [amount for side in reversed(missing) for amount in (0, side)], mode="replicate")
        return Encoded(tuple(self.pyramid(x)), sides)

    def missing(self, sides: Sequence[int]) -> list[int]:
        """Return the pixels that are added on the right and at the bottom."""
        return [-side % self.multiple for side in sides]

    def logits(self, encoded: Encoded) -> Tensor:
        """Return (B, K, H, W) logits from the output of `encoder`."""
        sides, missing = encoded.sides, self.missing(encoded.sides)
        padded = tuple(side + amount for side, amount in zip(sides, missing, strict=True))
        logits: Tensor = self.head(self.decode(encoded.maps))
        if self.multiple > 1 and tuple(logits.shape[2:]) != padded:
            logits = bilinear(logits, padded)  # the stem crops its borders
        if any(missing):
            logits = logits[(slice(None), slice(None), *(slice(0, side) for side in sides))]
        return logits

    def compute(self, x: Tensor) -> Tensor:
        """Return (B, K, H, W) logits."""
        return self.logits(self.encoder(x))


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
