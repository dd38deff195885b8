"""A network as a row of parts, from the image to the answer: stem, stage by stage, head layer by layer."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from convscope.errors import ConfigError
from convscope.training.loop import train_mode

ENCODER_PARTS = ("stem", "stages", "head")


def parts(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """The parts of a network in the order in which an image goes through them, the head layer by layer.

    What the network has beside stem, stages and head (a decoder, auxiliary classifiers) stands before the head.

    Raises:
        ConfigError: it has no stem, stages and head.
    """
    missing = [name for name in ENCODER_PARTS if not isinstance(getattr(model, name, None), nn.Module)]
    if missing:
        raise ConfigError(
            f"transfer: {type(model).__name__} has no {missing[0]}, by which its parts are told; "
            "give a network with stem, stages and head"
        )
    beside = [
        (name, child) for name, child in model.named_children() if name not in ENCODER_PARTS and num_parameters(child)
    ]
    stages = [(f"stages.{name}", stage) for name, stage in model.get_submodule("stages").named_children()]
    head = model.get_submodule("head")
    layers = (
        [(f"head.{name}", layer) for name, layer in head.named_children()] if is_sequential(head) else [("head", head)]
    )
    return [("stem", model.get_submodule("stem")), *stages, *beside, *layers]


def is_sequential(head: nn.Module) -> bool:
    """Whether a head is layers one after the other."""
    return isinstance(head, nn.Sequential)


def weight_layers(name: str, module: nn.Module) -> Iterator[str]:
    """The full names of the layers in a module whose weights multiply: fully connected ones and convolutions."""
    for inner, layer in module.named_modules(prefix=name):
        weight = getattr(layer, "weight", None)
        if isinstance(weight, nn.Parameter) and weight.dim() > 1:
            yield inner


def new_layers(model: nn.Module, count: int) -> list[str]:
    """The names of the last `num_parameters` layers with weights of the head, in order; all where it is not a row of
    layers.

    Raises:
        ConfigError: it has fewer.
    """
    layers = list(weight_layers("head", model.get_submodule("head")))
    if count > len(layers):
        has = f"{len(layers)} layer{'' if len(layers) == 1 else 's'} with weights"
        raise ConfigError(f"transfer.replace_fc is {count}, but the head has {has}; give 0 to {len(layers)}")
    return layers[len(layers) - count :] if is_sequential(model.get_submodule("head")) else layers


def num_parameters(module: nn.Module) -> int:
    """The weights of a module."""
    return sum(parameter.numel() for parameter in module.parameters())


def forward_parts(model: nn.Module, x: Tensor, first: int, last: int | None = None) -> Tensor:
    """What parts `first` to `last` (not included) make of `x`, one after the other."""
    for _, part in parts(model)[first:last]:
        x = part(x)
    return x


@torch.no_grad()
def is_part_chain(model: nn.Module, x: Tensor) -> bool:
    """Whether a network is nothing but its parts one after the other; it is tried out on `x` (B, ...)."""
    names = {name for name, _ in parts(model)}
    if any(not name.startswith(ENCODER_PARTS) for name in names):
        return False
    try:
        with train_mode(model, training=False):
            return torch.equal(forward_parts(model, x, 0), model(x))
    except (RuntimeError, TypeError, AttributeError):  # a part that takes or gives more than one map
        return False
