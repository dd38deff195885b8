"""Where a network is trained and asked."""

import torch

from convscope.errors import ConfigError


def chosen_device(name: str) -> torch.device:
    """The device that the recipe names; "auto" is a CUDA device where there is one.

    Raises:
        ConfigError: when it is not on this machine.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError):
        raise ConfigError(f"train.device is {name!r}, which is not on this machine; use auto, cpu or cuda") from None


def device_here(name: str) -> torch.device:
    """The device that the recipe names, or what this machine has: a network may be asked elsewhere than it trained."""
    try:
        return chosen_device(name)
    except ConfigError:
        return chosen_device("auto")
