"""Encoders from timm, if it is installed: ``timm:NAME`` wherever a network's name is accepted."""

from typing import Any

from torch import Tensor, nn

from convscope.errors import ModelError, did_you_mean
from convscope.models.input_check import check_size
from convscope.models.input_spec import InputSpec, Size
from convscope.models.layers import named
from convscope.models.network import Network

PREFIX = "timm:"


class TimmNetwork(Network):
    """A timm network as a feature pyramid with a GAP head. `stages` holds timm's module only."""

    def features(self, x: Tensor) -> list[Tensor]:
        """Return timm's feature maps, finest first, channels first."""
        backbone: Any = self.stages[0]
        channels = backbone.feature_info.channels()
        pairs = zip(backbone(x), channels, strict=True)
        return [one if one.shape[1] == count else one.movedim(-1, 1) for one, count in pairs]

    def pyramid(self, x: Tensor) -> list[Tensor]:
        """Return the deepest map of each resolution, finest first."""
        deepest = {tuple(one.shape[2:]): one for one in TimmNetwork.features(self, x)}
        return list(deepest.values())


def timm_network(
    name: str, classes: int = 1000, *, channels: int = 3, size: Size = None, rank: int = 2, **options: Any
) -> Network:  # fmt: skip
    """Return timm's network `name` (without ``timm:``); ``pretrained=True`` makes timm download its weights.

    Raises:
        ModelError: timm is not installed, has no such network, or the network has no feature maps.
    """
    try:
        import timm
    except (ImportError, RuntimeError) as error:  # torchvision raises RuntimeError if it does not match PyTorch
        first = str(error).splitlines()[0]
        raise ModelError(f"timm:{name}: timm cannot be used ({first}); pip install 'convscope[timm]'") from None
    if rank != 2:
        raise ModelError(f"timm:{name}: rank is {rank}, but timm's networks need images; choose rank=2")
    if name not in timm.list_models():
        raise ModelError(f"timm:{name}: timm has no such network{did_you_mean(name, timm.list_models())}")
    input_spec = InputSpec.checked(PREFIX + name, channels, rank, size)
    try:
        backbone: Any = timm.create_model(name, features_only=True, in_chans=channels, **options)
    except (RuntimeError, AttributeError, TypeError) as error:
        first = str(error).splitlines()[0]
        raise ModelError(f"timm:{name}: it has no feature maps ({first}); choose a convolutional network") from None
    head = named(
        pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), fc=nn.Linear(backbone.feature_info.channels()[-1], classes)
    )  # fmt: skip
    network = TimmNetwork(PREFIX + name, InputSpec(channels, rank), nn.Identity(), [backbone], head)
    return check_size(network, input_spec.size)
