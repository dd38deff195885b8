"""What the network would compute with one kernel changed, or without some of its activation functions."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Annotated, Any

import torch
from pydantic import BaseModel, Field
from torch import Tensor, nn
from torch.func import functional_call

from convscope.errors import ConfigError
from convscope.explainers import downsample, record
from convscope.explorer.backend import uploads
from convscope.explorer.backend.inputs import Inputs, check_layer, class_scores, prediction_lines, single_tensor
from convscope.explorer.backend.live_run import LiveRun, LoadedModel
from convscope.models.summary.descriptions import group

MAX_SIDE = 128  # of a map in a response
MAX_WEIGHTS = 121  # of a kernel: 11 x 11
ACTIVATION = "activation"

Row = Annotated[list[Annotated[float, Field(allow_inf_nan=False)]], Field(max_length=MAX_WEIGHTS)]


class KernelChange(BaseModel, frozen=True, extra="forbid"):
    """New weights of one kernel.

    Attributes:
        layer: a convolution.
        channel: index of its output channel.
        source: index of its input channel, within the group.
        weights: rows of the kernel.
    """

    layer: Annotated[str, Field(max_length=300)]
    channel: int
    source: int
    weights: Annotated[list[Row], Field(max_length=MAX_WEIGHTS)]


class Change(BaseModel, frozen=True, extra="forbid"):
    """What is changed in one forward pass: a kernel, and activation layers that pass their input on unchanged."""

    kernel: KernelChange | None = None
    off: Annotated[tuple[Annotated[str, Field(max_length=300)], ...], Field(max_length=64)] = ()


class Experiments:
    """Forward passes with changes; the network itself keeps its weights."""

    def __init__(self, run: LiveRun, inputs: Inputs) -> None:
        self.run, self.inputs = run, inputs

    def kernel(self, layer: str, channel: int, source: int) -> dict[str, Any]:
        """Return the weights of one kernel, and how many input channels the filter has.

        Raises:
            ConfigError: the layer is not a convolution, or has no such channel.
        """
        weight = _weight(self.run.loaded_model(), layer, channel, source)
        return {
            "layer": layer, "channel": channel, "source": source, "sources": weight.shape[1],
            "weights": weight[channel, source].float().cpu().tolist(),
        }  # fmt: skip

    def compute(self, image: str, change: Change) -> dict[str, Any]:
        """Return the prediction for an image with a change, and the changed channel's map.

        Raises:
            ConfigError: the change does not fit the network.
        """
        loaded, images = self.run.loaded_model(), self.inputs.images(image)
        weights = _changed_weights(loaded, change.kernel) if change.kernel else {}
        watched = [change.kernel.layer] if change.kernel else []
        with self.run.lock, _without(loaded, change.off), record(loaded.subject.model, *watched) as outputs:
            x = uploads.input_of(images, loaded.subject)
            with torch.no_grad():
                output = single_tensor(loaded, functional_call(loaded.subject.model, weights, (x,)))
        return {
            "scores": class_scores(loaded, output), "lines": prediction_lines(loaded, images.names[0], output),
            "map": _map(outputs[watched[0]], change.kernel.channel) if change.kernel else None,
            "network": loaded.version,
        }  # fmt: skip


def _weight(loaded: LoadedModel, layer: str, channel: int, source: int) -> Tensor:
    """The weights (out, in, h, w) of a convolution, checked for an output and an input channel."""
    check_layer(loaded, layer)
    module = dict(loaded.subject.model.named_modules()).get(layer)
    if not isinstance(module, nn.Conv2d) or module.weight[0, 0].numel() > MAX_WEIGHTS:
        raise ConfigError(
            f"layer {layer[:80]}: not a convolution of at most {MAX_WEIGHTS} weights; choose another layer"
        )
    for name, index, count in (("channel", channel, len(module.weight)), ("source", source, module.weight.shape[1])):
        if not 0 <= index < count:
            raise ConfigError(f"{name} {index}: layer {layer} has {count}; choose from 0 to {count - 1}")
    return module.weight.detach()


def _changed_weights(loaded: LoadedModel, change: KernelChange) -> dict[str, Tensor]:
    weight = _weight(loaded, change.layer, change.channel, change.source).clone()
    height, width = weight.shape[2:]
    if [len(row) for row in change.weights] != [width] * height:
        raise ConfigError(
            f"weights: layer {change.layer} has kernels of {height} x {width}; send as many rows and columns"
        )
    weight[change.channel, change.source] = torch.tensor(change.weights, dtype=weight.dtype)
    return {f"{change.layer}.weight": weight}


@contextmanager
def _without(loaded: LoadedModel, layers: tuple[str, ...]) -> Iterator[None]:
    """Let activation layers return their input; the run's lock is held meanwhile."""
    modules = dict(loaded.subject.model.named_modules())
    with ExitStack() as restored:
        for layer in layers:
            check_layer(loaded, layer)
            if layer not in modules or group(modules[layer]) != ACTIVATION:
                raise ConfigError(f"off: layer {layer[:80]} is not an activation function; choose one that is")
            modules[layer].forward = _unchanged  # not a hook: the function may have changed its input in place
            restored.callback(delattr, modules[layer], "forward")
        yield


def _unchanged(x: Tensor) -> Tensor:
    return x


def _map(output: Tensor, channel: int) -> dict[str, Any]:
    """One channel of maps (1, C, h, w) as rows in one list, at most `MAX_SIDE` wide and high."""
    chosen = output[:, channel : channel + 1].float().cpu()
    if max(chosen.shape[2:]) > MAX_SIDE:
        chosen = downsample(chosen, MAX_SIDE)
    height, width = chosen.shape[2:]
    return {"channel": channel, "height": height, "width": width, "values": chosen.flatten().tolist()}
