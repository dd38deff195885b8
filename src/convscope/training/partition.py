"""A network as a sequence of parts from input to output: stem, each stage, each layer of the head."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from convscope.errors import ConfigError
from convscope.training.loop import train_mode

ENCODER_PARTS = ("stem", "stages", "head")


def parts(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """Return the parts of a network in forward order, with the head split into layers.

    Other children with parameters (a decoder, auxiliary classifiers) come before the head.

    Raises:
        ConfigError: the network has no stem, stages or head.
    """
    missing = [name for name in ENCODER_PARTS if not isinstance(getattr(model, name, None), nn.Module)]
    if missing:
        raise ConfigError(
            f"transfer: {type(model).__name__} has no {missing[0]}; give a network with stem, stages and head"
        )
    others = [
        (name, child) for name, child in model.named_children() if name not in ENCODER_PARTS and num_parameters(child)
    ]
    stages = [(f"stages.{name}", stage) for name, stage in model.get_submodule("stages").named_children()]
    head = model.get_submodule("head")
    layers = (
        [(f"head.{name}", layer) for name, layer in head.named_children()] if is_sequential(head) else [("head", head)]
    )
    return [("stem", model.get_submodule("stem")), *stages, *others, *layers]


def is_sequential(head: nn.Module) -> bool:
    """Return whether a head is a sequence of layers."""
    return isinstance(head, nn.Sequential)


def weight_layers(name: str, module: nn.Module) -> Iterator[str]:
    """Yield the full names of the fully connected and convolution layers in a module."""
    for inner, layer in module.named_modules(prefix=name):
        weight = getattr(layer, "weight", None)
        if isinstance(weight, nn.Parameter) and weight.dim() > 1:
            yield inner


def new_layers(model: nn.Module, count: int) -> list[str]:
    """Return the names of the last `count` layers with weights of the head, in order; all if it is not sequential.

    Raises:
        ConfigError: the head has fewer.
    """
    layers = list(weight_layers("head", model.get_submodule("head")))
    if count > len(layers):
        has = f"{len(layers)} layer{'' if len(layers) == 1 else 's'} with weights"
        raise ConfigError(f"transfer.replace_fc is {count}, but the head has {has}; give 0 to {len(layers)}")
    return layers[len(layers) - count :] if is_sequential(model.get_submodule("head")) else layers


def num_parameters(module: nn.Module) -> int:
    """Return the number of parameters of a module."""
    return sum(parameter.numel() for parameter in module.parameters())


def forward_parts(model: nn.Module, x: Tensor, first: int, last: int | None = None) -> Tensor:
    """Return the output of parts `first` to `last` (exclusive), applied to `x` in sequence."""
    for _, part in parts(model)[first:last]:
        x = part(x)
    return x


@torch.no_grad()
def is_part_chain(model: nn.Module, x: Tensor) -> bool:
    """Return whether a network is equal to its parts applied in sequence, tested on `x` (B, ...)."""
    names = {name for name, _ in parts(model)}
    if any(not name.startswith(ENCODER_PARTS) for name in names):
        return False
    try:
        with train_mode(model, training=False):
            return torch.equal(forward_parts(model, x, 0), model(x))
    except (RuntimeError, TypeError, AttributeError):  # a part with several inputs or outputs
        return False
