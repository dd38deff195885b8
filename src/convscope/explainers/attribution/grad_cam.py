"""Class activation maps: Grad-CAM, Grad-CAM++, HiResCAM and LayerCAM.

All compute relu(sum over channels of weight x activation); they differ in how the weights follow from the gradients.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from convscope.errors import ConfigError, ModelError, did_you_mean
from convscope.explainers.attribution.attribution import Attribution
from convscope.explainers.hooks import check_channels, record
from convscope.explainers.targets import class_scores

Weighting = Callable[[Tensor, Tensor], Tensor]
"""Activations and the score's gradients, each (B, C, h, w), to weights (B, C, 1, 1) or (B, C, h, w)."""


def grad_cam(model: nn.Module, x: Tensor, layer: str, targets: Tensor | None = None) -> Attribution:
    """A layer's maps, weighted by the spatial mean of the class logit's gradient.

    Selvaraju et al. 2017, equations 1 and 2.

    Args:
        model: any network with (B, K) logits.
        x: (B, C, H, W) preprocessed images, or (B, C, D, H, W) volumes.
        layer: a stage that returns (B, C, h, w), or (B, C, d, h, w); usually the last one.
        targets: (B,) class indices; None selects the predicted class.
    Returns:
        Maps (B, h, w), not negative, in units of the class logit.
    Raises:
        ModelError: no such layer, its output is not maps, or the logits do not depend on it.
        ConfigError: invalid targets.
    """
    return class_map(model, x, layer, targets, "grad_cam")


def grad_cam_plus_plus(model: nn.Module, x: Tensor, layer: str, targets: Tensor | None = None) -> Attribution:
    """As `grad_cam`, with pixel-wise weights so that each of several objects of the class contributes.

    Chattopadhay et al. 2018, equations 5 and 19 (for the score's exponential, as there).
    """
    return class_map(model, x, layer, targets, "grad_cam_plus_plus")


def hires_cam(model: nn.Module, x: Tensor, layer: str, targets: Tensor | None = None) -> Attribution:
    """As `grad_cam`, each position weighted by its own gradient instead of the mean.

    Draelos and Carin 2020, equation 6.
    """
    return class_map(model, x, layer, targets, "hires_cam")


def layer_cam(model: nn.Module, x: Tensor, layer: str, targets: Tensor | None = None) -> Attribution:
    """As `hires_cam`, with positive gradients only: detailed maps also from early layers.

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
    """Class activation map with the weighting `method` of `WEIGHTINGS`; other arguments as for `grad_cam`.

    `channels` restricts the sum to those channels.
    """
    if method not in WEIGHTINGS:
        raise ConfigError(f"method: no class map {method}{did_you_mean(method, WEIGHTINGS)}")
    with record(model, layer, gradients=True) as kept:
        scores, chosen = class_scores(model(x), targets)
        activation = kept.maps(layer)
        weights = WEIGHTINGS[method](activation, _gradient(scores, activation, layer))
        check_channels(layer, channels, activation.shape[1])
        contributions = weights * activation
        contributions = contributions[:, list(channels)] if channels else contributions
        values = contributions.sum(1, keepdim=True).relu().detach().float().cpu().numpy()
    return Attribution(method, layer, chosen.cpu().numpy(), scores.detach().float().cpu().numpy(), values, values[:, 0])


def _gradient(scores: Tensor, activation: Tensor, layer: str) -> Tensor:
    gradient = None
    if scores.requires_grad and activation.requires_grad:
        (gradient,) = torch.autograd.grad(scores.sum(), activation, allow_unused=True)
    if gradient is None:
        raise ModelError(
            f"layer {layer}: the class scores do not depend on it; choose a layer between input and output"
        )
    return gradient


def _mean_gradient(_activation: Tensor, gradient: Tensor) -> Tensor:
    return gradient.mean(tuple(range(2, gradient.ndim)), keepdim=True)


def _grad_cam_plus_plus_weights(activation: Tensor, gradient: Tensor) -> Tensor:
    square, cube = gradient**2, gradient**3
    below = 2 * square + (activation * cube).sum((2, 3), keepdim=True)
    alpha = torch.where(below != 0, square / torch.where(below != 0, below, 1), 0)
    return (alpha * gradient.relu()).sum((2, 3), keepdim=True)


def _local_gradient(_activation: Tensor, gradient: Tensor) -> Tensor:
    return gradient


def _positive_gradient(_activation: Tensor, gradient: Tensor) -> Tensor:
    return gradient.relu()


WEIGHTINGS: dict[str, Weighting] = {
    "grad_cam": _mean_gradient,
    "grad_cam_plus_plus": _grad_cam_plus_plus_weights,
    "hires_cam": _local_gradient,
    "layer_cam": _positive_gradient,
}
