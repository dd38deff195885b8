"""A limit on the size of a network, applied before the memory of each tensor is taken."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import prod
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from convscope.errors import ModelError

MAX_VALUES = 10**9  # parameters and buffers: 4 GB in float32; the largest family here has 145 million
MAX_TENSORS = 10_000  # a ResNet of 1,000 layers has some 6,000

_CREATE: set[Callable[..., Any]] = {torch.empty, torch.zeros, torch.ones, torch.rand, torch.randn, torch.full}


@contextmanager
def limited_size(name: str) -> Iterator[None]:
    """Refuse a network that is too large while it is built in the body, before its memory is allocated.

    Raises:
        ModelError: its tensors have more than `MAX_VALUES` values, or there are more than `MAX_TENSORS`.
    """
    with _SizeLimit(name):
        yield


class _SizeLimit(TorchFunctionMode):
    """Counts the values of the tensors that are created in its context."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name, self.values, self.tensors = name, 0, 0

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Check the shape of a new tensor, then create it."""
        if function in _CREATE:
            shape = args[0] if args else (kwargs or {}).get("size", ())
            self._count(args if isinstance(shape, int) else shape)
        return function(*args, **(kwargs or {}))

    def _count(self, shape: Sequence[Any]) -> None:
        self.values += prod(side for side in shape if isinstance(side, int))
        self.tensors += 1
        if self.values > MAX_VALUES or self.tensors > MAX_TENSORS:
            raise ModelError(
                f"{self.name}: too large: more than {MAX_VALUES:,} parameters or {MAX_TENSORS:,} tensors; "
                "make its width or depth smaller"
            )
