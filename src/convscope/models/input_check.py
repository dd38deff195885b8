"""Checks whether a network can process an input, and explains why not."""

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar, cast

from torch import Tensor, nn

from convscope.errors import ModelError
from convscope.models.input_spec import InputSpec
from convscope.models.layers import shape_text
from convscope.models.shape_inference import run_on_meta

MAX_SIDE = 1024


class HasInputSpec(Protocol):
    """The attributes of a network (an `nn.Module`) that the checks need: its name and input specification."""

    name: str
    input_spec: InputSpec

    def compute(self, x: Tensor) -> Any:
        """Return what `forward` returns, without the input check."""
        ...


NetworkT = TypeVar("NetworkT", bound=HasInputSpec)


def accepts(network: HasInputSpec, shape: Sequence[int]) -> bool:
    """Return whether the network can process an image of this shape (C, H, W)."""
    try:
        run_on_meta(cast(nn.Module, network), network.compute, (1, *shape))
    except (RuntimeError, ValueError):
        return False
    return True


def smallest_side(network: HasInputSpec) -> int | None:
    """Return the smallest side of a square image that the network can process, or None if none up to 1024 works."""

    def fits(side: int) -> bool:
        return accepts(network, (network.input_spec.channels, *(side,) * network.input_spec.rank))

    low, high = 0, 1
    while not fits(high):
        low, high = high, 2 * high
        if high > MAX_SIDE:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high


def input_error(network: HasInputSpec, shape: tuple[int, ...]) -> str | None:
    """Return why the network cannot process an input of this shape (C, H, W), in one sentence; None if it can."""
    name, input_spec, sides, given = network.name, network.input_spec, shape[1:], shape_text(shape[1:])
    if len(sides) != input_spec.rank:
        batch = "BCDHW" if input_spec.rank == 3 else "BCHW"[: input_spec.rank + 2]
        return (
            f"{name}: the input has {len(shape) + 1} dimensions; "
            f"give a batch of {input_spec.rank + 2} ({', '.join(batch)})"
        )
    if shape[0] != input_spec.channels:
        return (
            f"{name}: built for {input_spec.channels} channels and the input has {shape[0]}; "
            f"convert the images or build it with channels={shape[0]}"
        )
    if input_spec.size is not None and sides != input_spec.size:
        built = shape_text(input_spec.size)
        return f"{name}: built for {built} and the input is {given}; resize to {built} or build it with size={sides}"
    if accepts(network, shape):
        return None
    side = smallest_side(network)
    if side is None:
        return f"{name}: no input size up to {MAX_SIDE} works, including {given}; remove a pool or a stride"
    least = shape_text((side,) * input_spec.rank)
    return f"{name}: an input of {given} is too small; the smallest that works is {least}"


def check_size(network: NetworkT, size: tuple[int, ...] | None) -> NetworkT:
    """Return the network after checking that it can process images of this size.

    Raises:
        ModelError: it cannot; the message names both sizes and the smallest that works.
    """
    reason = size and input_error(network, (network.input_spec.channels, *size))
    if reason:
        raise ModelError(reason)
    return network
