"""Record the outputs of a network's layers, and restore the network's state afterwards.

    with record(model, "stages.3") as kept:
        logits = model(x)
    maps = kept["stages.3"]

Every function of this package that runs a network does so inside `record` (or `preserve_state`, on which it is built):
hooks, modes, gradients and random states are restored, also after an error.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import torch
from torch import Tensor, nn

from convscope.errors import ConfigError, ModelError, closest, did_you_mean
from convscope.modules import preserve_state


class _StopForward(BaseException):
    """Ends a forward pass; not an Exception, so that a network that catches exceptions does not intercept it."""


class Record(dict[str, Tensor]):
    """Outputs of the named layers in the last forward pass; of a layer that ran twice, the last output."""

    def __init__(self, model: nn.Module, layers: tuple[str, ...]) -> None:
        super().__init__()
        self._model, self._layers = model, layers
        self._calls: Counter[str] = Counter()
        self._full_pass: Counter[str] | None = None

    def __missing__(self, layer: str) -> Tensor:
        raise ModelError(f"layer {layer}: not executed in the forward pass; choose a layer that is executed")

    def maps(self, layer: str) -> Tensor:
        """Return the layer's output, checked to be (B, C, h, w), or (B, C, d, h, w) of a network of volumes.

        Raises:
            ModelError: the output has another shape, such as vectors (B, C).
        """
        if self[layer].ndim not in (4, 5):
            shape = tuple(self[layer].shape)
            raise ModelError(f"layer {layer}: output of shape {shape}, not maps (B, C, h, w); choose a stage")
        return self[layer]

    def forward(self, x: Tensor) -> None:
        """Run the network on x (B, C, H, W); from the second call on, stop after the last recorded layer.

        The first pass runs to the end to count how often each layer runs.
        """
        self.clear()
        self._calls.clear()
        if self._full_pass is None:
            self._model(x)
            self._full_pass = self._calls.copy()
            return
        with suppress(_StopForward):
            self._model(x)

    def _hook(self, layer: str) -> Callable[[nn.Module, Any, Any], Tensor]:
        def hook(_module: nn.Module, _inputs: Any, output: Any) -> Tensor:
            if not isinstance(output, Tensor):
                name = type(output).__name__
                raise ModelError(f"layer {layer}: output is a {name}, not a tensor; choose a layer inside or before it")
            if torch.is_grad_enabled() and not output.requires_grad and output.is_floating_point():
                output = output.detach().requires_grad_()  # gradients start here; nothing is computed before this layer
            self[layer] = output
            self._calls[layer] += 1
            if self._full_pass is not None and self._calls == self._full_pass:
                raise _StopForward
            copied: Tensor = output.clone()  # a later layer, such as a ReLU, may modify it in place
            return copied

        return hook


@contextmanager
def record(model: nn.Module, *layers: str, gradients: bool = False) -> Iterator[Record]:
    """Record the outputs of the named layers in eval mode, and restore the network's state afterwards.

    Args:
        model: any network.
        layers: dotted module paths as in `model.named_modules()`; "" is the network's own output.
        gradients: whether scores can be differentiated with respect to the recorded outputs.
    Raises:
        ModelError: no such layer, or its output is not a tensor.

    >>> net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU())
    >>> with record(net, "0") as kept:
    ...     _ = net(torch.zeros(1, 1, 5, 5))
    >>> kept["0"].shape
    torch.Size([1, 2, 3, 3])
    """
    found = {layer: find_layer(model, layer) for layer in layers}
    kept = Record(model, tuple(found))
    with preserve_state(model, gradients=gradients):
        handles = []
        try:
            handles += [module.register_forward_hook(kept._hook(layer)) for layer, module in found.items()]
            yield kept
        finally:
            for handle in handles:
                handle.remove()


def find_layer(model: nn.Module, layer: str) -> nn.Module:
    """Return the module at a dotted path.

    Raises:
        ModelError: there is none; the message suggests the nearest name.
    """
    modules: dict[str, nn.Module] = dict(model.named_modules())
    if layer in modules:
        return modules[layer]
    names = [name for name in modules if name]
    outermost = [name for name in names if "." not in name]  # hundreds of names help nobody
    hint = did_you_mean(layer, names if closest(layer, names) else outermost)
    raise ModelError(f"layer {layer}: the network has no such layer{hint}")


def check_channels(layer: str, channels: Sequence[int], count: int) -> None:
    """Raise ConfigError for a channel outside 0 .. count - 1."""
    for channel in channels:
        if not 0 <= channel < count:
            raise ConfigError(f"layer {layer}: no channel {channel}; choose from 0 to {count - 1}")


def device_and_dtype(model: nn.Module) -> tuple[torch.device, torch.dtype]:
    """Return the device and floating dtype of the network's parameters; CPU and float32 if it has none."""
    for weight in model.parameters():
        if weight.is_floating_point():
            return weight.device, weight.dtype
    return torch.device("cpu"), torch.float32
