"""Where a layer's maps speak for a class: Grad-CAM and its relatives.

One idea: a map per image, relu(sum over channels of weight x activation). Only how gradients become weights differs.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from convscope.errors import ConfigError, ModelError, did_you_mean
from convscope.explain.attribution.attribution import Attribution
from convscope.explain.hooks import check_channels, record
from convscope.explain.targets import class_scores

Weighting = Callable[[Tensor, Tensor], Tensor]
"""Activations and the score's gradients, each (B, C, h, w), to weights (B, C, 1, 1) or (B, C, h, w)."""


def grad_cam(model: nn.Module, x: Tensor, layer: str, targets: Tensor | None = None) -> Attribution:
    """Maps of a layer weighted by the mean gradient of the class logit.

    Selvaraju et al. 2017, equations 1 and 2.

    Args:
        model: any network with (B, K) logits.
        x: (B, C, H, W) images as the network takes them.
        layer: a stage that gives (B, C, h, w); the last one usually serves best.
        targets: (B,) class indices; None takes the class that the network prefers.
    Returns:
        Maps (B, h, w), not negative, in units of the class logit.
    Raises:
        ModelError: no such layer, one without places, or one that the logits do not depend on.
        ConfigError: targets that do not fit.
    """
    return class_map(model, x, layer, targets, "grad_cam")


def grad_cam_plus_plus(model: nn.Module, x: Tensor, layer: str, targets: Tensor | None = None) -> Attribution:
    """As `grad_cam`, with places weighted so that several objects of the class all count.

    Chattopadhay et al. 2018, equations 5 and 19 (for the score's exponential, as there).
    """
    return class_map(model, x, layer, targets, "grad_cam_plus_plus")


def hires_cam(model: nn.Module, x: Tensor, layer: str, targets: Tensor | None = None) -> Attribution:
    """As `grad_cam`, each place weighted by its own gradient: shows only what the logit truly used.

    Draelos and Carin 2020, equation 6.
    """
    return class_map(model, x, layer, targets, "hires_cam")


def layer_cam(model: nn.Module, x: Tensor, layer: str, targets: Tensor | None = None) -> Attribution:
    """As `hires_cam`, with the positive gradients alone: fine maps also from early layers.

    Jiang et al. 2021, equation 6.
    """
    return class_map(model, x, layer, targets, "layer_cam")


def class_map(
    model: nn.Module,
    x: Tensor,
    layer: str,
    targets: Tensor | None,
    method: str,
    channels: Sequence[int] = (),
) -> Attribution:
    """The one idea, with the weighting of that name in `WEIGHTINGS`; the rest as for `grad_cam`.

    With `channels`, only what those add to the map.
    """
    if method not in WEIGHTINGS:
        raise ConfigError(f"method: no class map {method}{did_you_mean(method, WEIGHTINGS)}")
    with record(model, layer, gradients=True) as kept:
        scores, chosen = class_scores(model(x), targets)
        activation = kept.maps(layer)
        weights = WEIGHTINGS[method](activation, _slope(scores, activation, layer))
        check_channels(layer, channels, activation.shape[1])
        spoken = weights * activation
        spoken = spoken[:, list(channels)] if channels else spoken
        values = spoken.sum(1, keepdim=True).relu().detach().float().cpu().numpy()
    return Attribution(method, layer, chosen.cpu().numpy(), scores.detach().float().cpu().numpy(), values, values[:, 0])


def _slope(scores: Tensor, activation: Tensor, layer: str) -> Tensor:
    slope = None
    if scores.requires_grad and activation.requires_grad:
        (slope,) = torch.autograd.grad(scores.sum(), activation, allow_unused=True)
    if slope is None:
        raise ModelError(
            f"layer {layer}: the class scores do not depend on it; choose a layer on the way to the output"
        )
    return slope


def _mean_slope(_activation: Tensor, slope: Tensor) -> Tensor:
    return slope.mean((2, 3), keepdim=True)


def _plus_plus(activation: Tensor, slope: Tensor) -> Tensor:
    square, cube = slope**2, slope**3
    below = 2 * square + (activation * cube).sum((2, 3), keepdim=True)
    alpha = torch.where(below != 0, square / torch.where(below != 0, below, 1), 0)
    return (alpha * slope.relu()).sum((2, 3), keepdim=True)


def _own_slope(_activation: Tensor, slope: Tensor) -> Tensor:
    return slope


def _positive_slope(_activation: Tensor, slope: Tensor) -> Tensor:
    return slope.relu()


WEIGHTINGS: dict[str, Weighting] = {
    "grad_cam": _mean_slope,
    "grad_cam_plus_plus": _plus_plus,
    "hires_cam": _own_slope,
    "layer_cam": _positive_slope,
}
