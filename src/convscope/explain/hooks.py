"""Look inside a network and leave no trace.

    with record(model, "stages.3") as kept:
        logits = model(x)
    maps = kept["stages.3"]

Everything in this part that runs a network does so inside `record` (or `preserve_state`, which it stands on), so
whatever happens, also an error, the network's hooks, modes, gradients and the random states are as before.
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
    """Ends a forward pass; no Exception, so that a network which catches those does not swallow it."""


class Record(dict[str, Tensor]):
    """What the named layers gave at the last forward pass; a layer that ran twice in it: what it gave last."""

    def __init__(self, model: nn.Module, layers: tuple[str, ...]) -> None:
        super().__init__()
        self._model, self._layers = model, layers
        self._calls: Counter[str] = Counter()
        self._full_pass: Counter[str] | None = None

    def __missing__(self, layer: str) -> Tensor:
        raise ModelError(f"layer {layer}: the network did not pass through it; choose one that it passes through")

    def maps(self, layer: str) -> Tensor:
        """The layer's output, known to be (B, C, h, w).

        Raises:
            ModelError: the layer gives something without places, such as vectors.
        """
        if self[layer].ndim != 4:
            shape = tuple(self[layer].shape)
            raise ModelError(f"layer {layer}: gives a tensor of shape {shape}, not maps (B, C, h, w); choose a stage")
        return self[layer]

    def forward(self, x: Tensor) -> None:
        """Run the network on x (B, C, H, W), from the second time on only as far as the recorded layers need.

        The first pass is whole, because only then it is known how often each layer runs.
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
        def keep(_module: nn.Module, _inputs: Any, output: Any) -> Tensor:
            if not isinstance(output, Tensor):
                kind = type(output).__name__
                raise ModelError(f"layer {layer}: gives a {kind}, not one tensor; choose a layer inside or before it")
            if torch.is_grad_enabled() and not output.requires_grad and output.is_floating_point():
                output = output.detach().requires_grad_()  # gradients then start here, and nothing before costs any
            self[layer] = output
            self._calls[layer] += 1
            if self._full_pass is not None and self._calls == self._full_pass:
                raise _StopForward
            passed_on: Tensor = output.clone()  # a later layer may work in place, as ReLU often does: on the copy
            return passed_on

        return keep


@contextmanager
def record(model: nn.Module, *layers: str, gradients: bool = False) -> Iterator[Record]:
    """Keep what the named layers give, in eval mode, and leave the network as it was found.

    Args:
        model: any network.
        layers: dotted module paths as in `model.named_modules()`; "" is the network's own output.
        gradients: whether scores can be differentiated with respect to what is kept.
    Raises:
        ModelError: no such layer, or one that gives no tensor.

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
        ModelError: there is none; the message offers the nearest name.
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
    """Return where the network's weights live and their floating dtype; CPU and float32 for one without weights."""
    for weight in model.parameters():
        if weight.is_floating_point():
            return weight.device, weight.dtype
    return torch.device("cpu"), torch.float32
