"""Prefixes that wrappers put before the names of a network's tensors, found by the names of known networks."""

import re
from collections.abc import Collection, Mapping

from torch import Tensor

_WRAPPED = re.compile(r"(?<![^.])(_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\.")
"""Parts that may stand anywhere in a name."""

_FIRST = (
    "conv1.weight", "4.0.conv1.weight", "features.0.weight", "features.0.0.weight", "conv_stem.weight",
    "_conv_stem.weight", "Conv2d_1a_3x3.conv.weight", "conv1.conv.weight", "stem.conv.weight", "stem.weight",
    "stem.0.weight",
)  # fmt: skip
"""The names that the first convolution has in torchvision, timm, the CIFAR weights and here."""

_WRAPPERS = ("module", "model", "net", "network", "backbone", "encoder")
"""First parts that are no part of a network where all of its names share them."""

_SEQUENTIAL = {"0": "conv1", "1": "bn1", "4": "layer1", "5": "layer2", "6": "layer3", "7": "layer4"}
"""The names of a ResNet whose children were put into ``nn.Sequential``, a usual way to cut off its last layer."""

_PREFERRED = re.compile(r"(^|[._])(ema|averaged|teacher|swa)([._]|$)")
_FOLLOWING = re.compile(r"(^|[._])(encoder_k|key_encoder|momentum|target|student|discriminator)([._]|$)")


def preference(name: str) -> int:
    """Which of several copies of a network to use: 2 for averaged weights, 0 for one that only follows or teaches.

    >>> preference("state_dict_ema"), preference("state_dict"), preference("module.encoder_k.")
    (2, 1, 0)
    """
    return 2 if _PREFERRED.search(name) else 0 if _FOLLOWING.search(name) else 1


def without_prefix(state: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], str]:
    """Return the tensors below the prefix under which the names are those of a known network, and a note.

    Without such a prefix, the names lose the first parts that all share, if these are names of wrappers. The note is
    empty where nothing was left out.
    """
    plain = {_WRAPPED.sub("", name): tensor for name, tensor in state.items()}
    found = [prefix for prefix in _possible_prefixes(plain) if is_known_network(_below(prefix, plain))]
    if not found:
        return _without_wrappers(plain), ""
    chosen = max(found, key=lambda prefix: (preference(prefix), not prefix, -found.index(prefix)))
    if "" in found and preference(chosen) < 2:
        chosen = ""
    below, name = _below(chosen, plain), chosen.rstrip(".")
    others = [prefix.rstrip(".") for prefix in found if prefix not in (chosen, "")]
    if chosen and others:
        return below, f"it contains the network as {' and as '.join([name, *others])}: {name} is used"
    if chosen and len(below) < len(plain):
        first = next(one for one in plain if not one.startswith(chosen))
        return below, f"only tensors below {name} are used; {len(plain) - len(below)} others, such as {first}, are not"
    return below, ""


def is_known_network(names: Collection[str]) -> bool:
    """Return whether tensor names are those of a network that is known by its names, here or in other libraries."""
    parts = {part for name in names for part in _starts(name)}
    return bool(
        "layer1.0" in parts
        or "features.0" in parts
        or {"conv_stem", "conv_head"} <= parts
        or {"_conv_stem", "_conv_head"} <= parts
        or "Mixed_5b" in parts
        or "inception3a" in parts
        or {"stem", "stages"} <= parts
    )


def _possible_prefixes(names: Collection[str]) -> list[str]:
    """Return what stands before the name of a first convolution, in the order of the names."""
    found: dict[str, None] = {}
    for name in names:
        for first in _FIRST:
            before = name.removesuffix(first)
            if before != name and (not before or before.endswith(".")):
                found[before] = None
    return list(found)


def _below(prefix: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    below = {name[len(prefix) :]: tensor for name, tensor in state.items() if name.startswith(prefix)}
    if "4.0.conv1.weight" not in below or "conv1.weight" in below:
        return below
    parts = ((name.partition("."), tensor) for name, tensor in below.items())
    return {f"{_SEQUENTIAL.get(first, first)}{dot}{rest}": tensor for (first, dot, rest), tensor in parts}


def _without_wrappers(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    names = dict(state)
    while True:
        first = {name.partition(".")[0] for name in names}
        if len(first) != 1 or not first <= set(_WRAPPERS):
            return names
        names = {name.partition(".")[2]: tensor for name, tensor in names.items()}


def _starts(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:count]) for count in (1, 2) if count < len(parts)]
