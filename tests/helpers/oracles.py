"""Other libraries' networks, for comparison only."""

import warnings
from collections.abc import Callable
from typing import Any

import torch


def torchvision_operators() -> None:
    """Define what torchvision (and timm, which imports it) looks for beside a PyTorch that it was not built for.

    Nothing here uses these operators. Once a failed import has been begun it cannot be mended, so this comes first.
    """
    try:
        library = torch.library.Library("torchvision", "DEF")
        library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        torchvision_operators.library = library  # type: ignore[attr-defined]
    except RuntimeError:
        pass  # they are there


def torchvision_models() -> Any:
    """Return ``torchvision.models``."""
    torchvision_operators()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torchvision.models

        return torchvision.models


def filled(make: Callable[[], torch.nn.Module]) -> torch.nn.Module:
    """Return the network of `make` in eval mode, cheaply filled with random weights of a size that keeps signals alive.

    Norms get statistics too: a fresh one's ones and zeros would hide a swapped pair.
    """
    with torch.device("meta"):
        model = make()
    model = model.to_empty(device="cpu").eval()
    noise = torch.rand(1_000_003, generator=torch.Generator().manual_seed(0)) - 0.5
    start = 0
    for name, tensor in model.state_dict().items():
        if not tensor.is_floating_point():
            tensor.zero_()
            continue
        count, start = tensor.numel(), (start + 7919) % 500_000
        values = noise[start:].repeat(count // 500_000 + 1)[:count].view_as(tensor)
        fan_in = max(1, count // tensor.shape[0])
        positive = tensor.dim() == 1 and name.endswith(("weight", "running_var"))
        tensor.copy_(values + 1 if positive else values * (24 / fan_in) ** 0.5 if tensor.dim() > 1 else values)
    return model


def empty(make: Callable[[], torch.nn.Module]) -> torch.nn.Module:
    """Return the network of `make` with memory for its weights and nothing in it: to be filled by others' weights."""
    with torch.device("meta"):
        model = make()
    return model.to_empty(device="cpu")
