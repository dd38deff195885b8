"""Identifies the network that a checkpoint belongs to from the names and shapes of its tensors."""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from convscope.errors import ModelError
from convscope.models.families.efficientnet_lite import VERSIONS
from convscope.models.families.resnet import DEPTHS, SMALL_DEPTHS
from convscope.models.pretrained.state_dicts import match_state, prefixes_of
from convscope.models.registry import MODELS

_BODY = re.compile(r"_?(layer|features|stem|stages|conv|bn|blocks|mixed|inception)", re.IGNORECASE)
"""Beginnings of the names inside encoders; tensors of other names, such as a loss's, may lie beside them."""


def identify_network(state: Mapping[str, Tensor]) -> str | None:
    """Return the name of the network whose encoder matches this state dict exactly, or None.

    The names of torchvision and timm are known. The last layers are ignored.
    """
    return next((name for name in candidates(state) if matches(name, state)), None)


def matches(name: str, state: Mapping[str, Tensor]) -> bool:
    """Return whether the state dict and the network's encoder have the same tensors, heads and losses aside."""
    with torch.device("meta"):
        network = MODELS[name]()
    shapes = {key: tensor.to("meta") for key, tensor in state.items()}
    try:
        _, loaded = match_state(network, shapes, name)
    except ModelError:
        return False
    unmatched = [key for key in loaded.unused if not key.endswith("num_batches_tracked")]
    return not any(_BODY.match(key) for key in unmatched) and all(
        key.startswith(("head.", "auxiliary.")) for key in loaded.not_loaded
    )


def candidates(state: Mapping[str, Tensor]) -> list[str]:
    """Return the networks that the tensor names suggest; only these are built and compared."""
    shapes = {name.removeprefix("module."): tuple(tensor.shape) for name, tensor in state.items()}
    layers = {start for name in shapes for start in prefixes_of(name)}
    if "layer1.0" in layers:
        return _resnets(layers)
    if "features.3.squeeze" in layers:
        return ["squeezenet1_0", "squeezenet1_1"]
    if {"features.0.0", "features.18.0"} <= layers:
        return ["mobilenet_v2"]
    if {"conv_stem", "conv_head"} <= layers or {"_conv_stem", "_conv_head"} <= layers:
        return ["mobilenet_v2", *VERSIONS]
    if "Mixed_5b" in layers:
        return ["inception_v3"]
    if "inception3a" in layers:
        return ["googlenet"]
    if "features.0" not in layers:
        return []
    if shapes.get("features.0.weight", ())[2:] == (11, 11):
        return ["alexnet"]
    convolutions = sum(name.startswith("features.") and len(shape) == 4 for name, shape in shapes.items())
    name = f"vgg{convolutions + 3}{'_bn' if 'features.1.running_mean' in shapes else ''}"
    return [name] if name in MODELS else []


def _resnets(layers: set[str]) -> list[str]:
    """Return the ResNets with this number of blocks per stage; SE-ResNets if the blocks have gates."""
    blocks = {tuple(name.split(".")) for name in layers if name.startswith("layer") and name.count(".") == 1}
    stages = sorted({stage for stage, _ in blocks})
    depths = tuple(sum(stage == one for stage, _ in blocks) for one in stages)
    gate = "se_" if any(".se" in name for name in layers) else ""
    return [
        f"{gate}resnet{depth}"
        for depth, options in (DEPTHS | SMALL_DEPTHS).items()
        if options["depths"] == depths and f"{gate}resnet{depth}" in MODELS
    ]
