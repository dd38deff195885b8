"""Auxiliary classifiers on intermediate stages, used in training only (Szegedy 2014, section 5)."""

from collections.abc import Callable, Iterable
from copy import copy
from typing import Any

from torch import Tensor, nn

from convscope.errors import ModelError
from convscope.models.components import Named, resolve_component
from convscope.models.layers import LayerFactory, named
from convscope.models.network import Network, Outputs
from convscope.models.shape_inference import run_on_meta

WEIGHT = 0.3  # weight of each auxiliary loss (section 5)


def googlenet_classifier(c_in: int, classes: int, layer: LayerFactory) -> nn.Module:
    """Return GoogLeNet's: 4x4 average pooling, 1x1 convolution to 128 channels, 1024 units, dropout 0.7, logits."""
    return named(
        pool=layer.global_average(4), conv=layer.conv_norm_act(c_in, 128, 1), flatten=nn.Flatten(),
        fc1=nn.Linear(128 * 4**layer.rank, 1024), act1=layer.activation(), drop1=nn.Dropout(0.7),
        fc=nn.Linear(1024, classes),
    )  # fmt: skip


def inception_v3_classifier(c_in: int, classes: int, layer: LayerFactory) -> nn.Module:
    """Return Inception v3's (figure 8), for 17x17 feature maps, that is images of at least 299 pixels."""
    average = {1: nn.AvgPool1d, 2: nn.AvgPool2d, 3: nn.AvgPool3d}[layer.rank]
    return named(
        pool=average(5, 3), conv1=layer.conv_norm_act(c_in, 128, 1), conv2=layer.conv_norm_act(128, 768, 5, padding=0),
        average=layer.global_average(), flatten=nn.Flatten(), fc=nn.Linear(768, classes),
    )  # fmt: skip


CLASSIFIERS: dict[str, Callable[[int, int, LayerFactory], nn.Module]] = {
    "googlenet": googlenet_classifier,
    "inception_v3": inception_v3_classifier,
}


def attach_auxiliary(
    network: Network, at: Iterable[int], classes: int, layer: LayerFactory, kind: Named = "googlenet"
) -> Network:
    """Attach a classifier to each stage in `at` (counted from 0); in training the network then returns `Outputs`.

    Raises:
        ModelError: a stage does not exist.
    """
    stages, make = tuple(at), resolve_component(CLASSIFIERS, kind, "auxiliary_head")
    count = len(network.stages)
    for stage in stages:
        if not 0 <= stage < count:
            raise ModelError(
                f"{network.name}: no stage {stage} for an auxiliary classifier; choose from 0 to {count - 1}"
            )
    sides = network.input_spec.size or (256,) * network.input_spec.rank
    maps: list[Tensor] = run_on_meta(network, network.features, (1, network.input_spec.channels, *sides))
    for stage in sorted(stages):
        network.auxiliary[str(stage)] = make(maps[stage].shape[1], classes, layer)
    return network


def remove_auxiliary(network: nn.Module) -> nn.Module:
    """Return the network without auxiliary classifiers, for export; it shares the parameters of the original.

    A module without auxiliary classifiers is returned as it is.
    """
    if not isinstance(network, Network) or not len(network.auxiliary):
        return network
    bare = copy(network)
    bare._modules = {**network._modules, "auxiliary": nn.ModuleDict()}
    return bare


def with_auxiliary_loss(
    loss: Callable[[Any, Tensor], Tensor], weight: float = WEIGHT
) -> Callable[[Any, Tensor], Tensor]:
    """Return a loss that also accepts `Outputs`: the main loss plus `weight` times each auxiliary loss."""

    def summed(output: Any, y: Tensor) -> Tensor:
        if not isinstance(output, Outputs):
            return loss(output, y)
        total = loss(output.logits, y)
        for logits in output.auxiliary:
            total = total + weight * loss(logits, y)
        return total

    return summed
