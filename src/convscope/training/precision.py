"""Number formats: contexts for the loop, so that it has the same body for all precisions."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal

import torch
from torch import Tensor

from convscope.errors import ConfigError

Precision = Literal["auto", "float32", "bfloat16"]


def precision_context(name: Precision, device: torch.device) -> Callable[[], AbstractContextManager[Any]]:
    """Return a factory of contexts in which a network computes in the given format, for `State.precision`.

    ``bfloat16`` has the range of float32, so it needs no loss scaling; weights, gradients and optimiser stay
    float32 (Micikevicius et al. 2018; Kalamkar et al. 2019). ``auto`` uses it if the device supports it.

    Raises:
        ConfigError: bfloat16 on a CPU without hardware support, where its convolutions are much slower.
    """
    has_bfloat16 = computes_bfloat16(device)
    if name == "auto":
        name = "bfloat16" if has_bfloat16 else "float32"
    if name == "float32":
        return nullcontext
    if device.type == "cpu" and not has_bfloat16:
        raise ConfigError(
            "precision: bfloat16 is slower than float32 on this CPU, which has no hardware support for it; "
            "choose float32 or auto"
        )
    return lambda: torch.autocast(device.type, torch.bfloat16)


def computes_bfloat16(device: torch.device) -> bool:
    """Return whether the device has hardware support for bfloat16.

    Decided by the reported capabilities, not by a benchmark, whose result could differ when a run is resumed. On a
    CPU with AVX-512 BF16, torch 2.13, one thread: a ResNet-18 step at 128 px takes 0.52 of the float32 time, a LeNet
    step 0.96, and no network was slower (docs/benchmarks/recipes.md).
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(False))
    known = torch.cpu.get_capabilities() if device.type == "cpu" else {}
    return bool(known.get("avx512_bf16") or known.get("amx_bf16"))


def in_float32(output: Any) -> Any:
    """Return a network's output (a tensor or tuple of tensors) with half-precision tensors converted to float32."""
    return map_tensors(lambda x: x.float() if x.dtype in (torch.bfloat16, torch.float16) else x, output)


def map_tensors(function: Callable[[Tensor], Tensor], output: Any) -> Any:
    """Return a network's output, a tensor or tuple of tensors and tuples, with each tensor replaced."""
    if isinstance(output, Tensor):
        return function(output)
    if isinstance(output, tuple):
        parts = [map_tensors(function, part) for part in output]
        return type(output)(*parts) if hasattr(output, "_fields") else tuple(parts)
    return output
