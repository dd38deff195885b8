"""Number formats and memory layout: contexts that the loop is given, so that it has one body for all of them."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal

import torch
from torch import Tensor

from convscope.errors import ConfigError

Precision = Literal["auto", "float32", "bfloat16"]


def precision_context(name: Precision, device: torch.device) -> Callable[[], AbstractContextManager[Any]]:
    """Return a maker of contexts in which a network computes in the wanted format, for ``State.precision``.

    ``bfloat16`` has the range of float32, so that no loss scaling is needed; weights, gradients and optimiser stay
    float32 (Micikevicius et al. 2018; Kalamkar et al. 2019). ``auto`` takes it where the device's arithmetic has it.

    Raises:
        ConfigError: bfloat16 on a CPU without such arithmetic, where convolutions in it are far slower.
    """
    has_bfloat16 = computes_bfloat16(device)
    if name == "auto":
        name = "bfloat16" if has_bfloat16 else "float32"
    if name == "float32":
        return nullcontext
    if device.type == "cpu" and not has_bfloat16:
        raise ConfigError(
            "precision: this CPU has no bfloat16 arithmetic, and without it float32 is faster; take float32 or auto"
        )
    return lambda: torch.autocast(device.type, torch.bfloat16)


def computes_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 itself.

    What it says of itself decides, not a timing, which could fall out otherwise when a run is resumed. Measured on a
    CPU with AVX-512 BF16, torch 2.13, one thread: a ResNet-18's step on 128 px takes 0.52 of float32's time, a LeNet's
    0.96, and none took longer (docs/benchmarks/recipes.md).
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(False))
    known = torch.cpu.get_capabilities() if device.type == "cpu" else {}
    return bool(known.get("avx512_bf16") or known.get("amx_bf16"))


def in_float32(output: Any) -> Any:
    """A network's output, a tensor or a tuple of some, with what is in half as many bits brought to float32."""
    if isinstance(output, Tensor):
        return output.float() if output.dtype in (torch.bfloat16, torch.float16) else output
    if isinstance(output, tuple):
        parts = [in_float32(part) for part in output]
        return type(output)(*parts) if hasattr(output, "_fields") else tuple(parts)
    return output
