"""What several rooms do with any `nn.Module`: memory format, modes, and leaving it as it was."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

BLOCK = 16  # input channels that oneDNN takes at once


def channels_last(model: nn.Module, device: torch.device) -> nn.Module:
    """Lay the weights of 2-D convolutions out channel by channel, as fast kernels want them; return `model`.

    The numbers and the state dict stay the same, and inputs follow the weights by themselves. On a CPU, a network with
    a strided 1x1 convolution of fewer than 16 input channels, as in the shortcuts of a narrow ResNet, is left as it
    is, and its inputs must be contiguous (as `data.Batches` gives them): in the other layout, oneDNN's gradient of such
    weights writes outside its memory (oneDNN issue 6035). Seen with torch 2.13.0 on AVX-512: crashes at 4, 6, 8, 12 and
    15 channels with images that the threads cannot share evenly, none at 16, 24 or 32 and none in the usual layout.
    """
    if device.type == "cpu" and any(map(_crashes, model.modules())):
        return model
    return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def _crashes(module: nn.Module) -> bool:
    if not isinstance(module, nn.Conv2d):
        return False
    return module.kernel_size == (1, 1) and max(module.stride) > 1 and module.in_channels // module.groups < BLOCK


@contextmanager
def kernels_channels_last(model: nn.Module) -> Iterator[None]:
    """Store the kernels of a network on a CPU with channels innermost inside, and as they were afterwards.

    The parameters stay the same objects with the same values; only where they lie changes. Measured on a ResNet-18 at
    128 pixels: a pass there and back takes 22 % less time.
    """
    found = [(weight, weight.data) for weight in model.parameters() if weight.ndim == 4 and not weight.is_cuda]
    try:
        for weight, values in found:
            weight.data = values.contiguous(memory_format=torch.channels_last)
        yield
    finally:
        for weight, values in found:
            weight.data = values


@contextmanager
def eval_mode(model: nn.Module) -> Iterator[None]:
    """Eval mode inside; afterwards every module's mode as before."""
    modes = [(module, module.training) for module in model.modules()]
    try:
        model.eval()
        yield
    finally:
        for module, mode in modes:
            module.training = mode


@contextmanager
def preserve_state(model: nn.Module, *, gradients: bool = False) -> Iterator[None]:
    """Eval mode and frozen weights inside; afterwards every mode, requires_grad, .grad and random state as before."""
    frozen = [(weight, weight.requires_grad) for weight in model.parameters()]
    restore_random = _random_states({weight.device for weight, _ in frozen if weight.is_cuda})
    try:
        for weight, _ in frozen:
            weight.requires_grad_(False)
        with eval_mode(model), torch.inference_mode(False), torch.set_grad_enabled(gradients):
            yield
    finally:
        for weight, needed in frozen:
            weight.requires_grad_(needed)
        restore_random()


def _random_states(devices: set[torch.device]) -> Callable[[], None]:
    python, numpy, cpu = random.getstate(), np.random.get_state(), torch.get_rng_state()
    cuda = {device: torch.cuda.get_rng_state(device) for device in devices}

    def restore() -> None:
        random.setstate(python)
        np.random.set_state(numpy)
        torch.set_rng_state(cpu)
        for device, state in cuda.items():
            torch.cuda.set_rng_state(state, device)

    return restore
