"""Optimisers by name, with weight decay on weights only.

v = momentum * v + g                w = w - rate * v                          sgd (Polyak 1964)
v = momentum * v + g                w = w - rate * (g + momentum * v)         sgd, nesterov (Sutskever et al. 2013)
m, s = averages of g and g^2        w = w - rate * m / (sqrt(s) + epsilon)    adam (Kingma & Ba 2015)
as adam, and                        w = w - rate * weight_decay * w           adamw (Loshchilov & Hutter 2019)
s = average of g^2                  w = w - rate * g / (sqrt(s) + epsilon)    rmsprop (Hinton 2012)
v as nesterov's, for convolutions   w = w - rate * orthogonal(v), else adamw  muon (Jordan et al. 2024), see `muon`
"""

from collections.abc import Callable
from typing import Any, Literal, Self

import torch
from pydantic import BaseModel, Field, model_validator
from torch import nn

from convscope.training.muon import Muon, muon_groups

Groups = list[dict[str, Any]]

# Usual initial learning rates; SGD's 0.1 and Adam's 0.001 are those of the original papers' networks.
DEFAULT_RATES = {"sgd": 0.1, "adam": 0.001, "adamw": 0.001, "rmsprop": 0.001, "muon": 0.12}


class OptimiserSettings(BaseModel, frozen=True, extra="forbid"):
    """The optimiser and its hyperparameters; an optimiser ignores those it does not have."""

    name: Literal["sgd", "adam", "adamw", "rmsprop", "muon"] = "sgd"
    learning_rate: float | None = Field(default=None, gt=0)  # None: DEFAULT_RATES[name]
    momentum: float = Field(default=0.9, ge=0, lt=1)  # sgd, rmsprop, muon
    other_rate: float = Field(default=0.003, gt=0)  # muon: of dense weights; biases and norms have ten times this rate
    nesterov: bool = False  # sgd
    betas: tuple[float, float] = (0.9, 0.999)  # adam, adamw, muon: decay of the first and second moment
    smoothing: float = Field(default=0.99, ge=0, lt=1)  # rmsprop: decay of the squared gradient
    epsilon: float = Field(default=1e-8, gt=0)  # adam, adamw, rmsprop, muon
    weight_decay: float = Field(default=0.0, ge=0)  # of weights only, not of biases and norms

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.nesterov and not self.momentum:
            raise ValueError("nesterov needs a momentum above 0; set momentum, for instance to 0.9")
        if not all(0 <= beta < 1 for beta in self.betas):
            raise ValueError(f"betas are {self.betas}; give values of at least 0 and below 1")
        return self

    @property
    def rate(self) -> float:
        """The base learning rate: `learning_rate`, or the default of this optimiser."""
        return DEFAULT_RATES[self.name] if self.learning_rate is None else self.learning_rate


def _fusible(groups: Groups) -> bool:
    """Return whether the fused implementation is available: SGD on a ResNet-18 takes 14 ms, else 43 (one thread)."""
    parameters = [parameter for group in groups for parameter in group["params"]]
    return bool(parameters) and all(p.device.type in ("cpu", "cuda") and p.is_floating_point() for p in parameters)


def _on_gpu(groups: Groups) -> bool:
    """Return whether a CUDA graph may include the update; the counts of steps then lie on the device."""
    return all(parameter.is_cuda for group in groups for parameter in group["params"])


def _sgd(groups: Groups, settings: OptimiserSettings) -> torch.optim.Optimizer:
    return torch.optim.SGD(
        groups, lr=settings.rate, momentum=settings.momentum, nesterov=settings.nesterov, fused=_fusible(groups)
    )


def _adam(groups: Groups, settings: OptimiserSettings) -> torch.optim.Optimizer:
    return torch.optim.Adam(
        groups,
        lr=settings.rate,
        betas=settings.betas,
        eps=settings.epsilon,
        fused=_fusible(groups),
        capturable=_on_gpu(groups),
    )


def _adamw(groups: Groups, settings: OptimiserSettings) -> torch.optim.Optimizer:
    return torch.optim.AdamW(
        groups,
        lr=settings.rate,
        betas=settings.betas,
        eps=settings.epsilon,
        fused=_fusible(groups),
        capturable=_on_gpu(groups),
    )


def _rmsprop(groups: Groups, settings: OptimiserSettings) -> torch.optim.Optimizer:
    return torch.optim.RMSprop(
        groups, lr=settings.rate, alpha=settings.smoothing, eps=settings.epsilon, momentum=settings.momentum
    )


def _muon(groups: Groups, settings: OptimiserSettings) -> torch.optim.Optimizer:
    return Muon(groups, settings.rate, settings.momentum, settings.betas, settings.epsilon)


OPTIMISERS: dict[str, Callable[[Groups, OptimiserSettings], torch.optim.Optimizer]] = {
    "sgd": _sgd,
    "adam": _adam,
    "adamw": _adamw,
    "rmsprop": _rmsprop,
    "muon": _muon,
}


def parameter_groups(model: nn.Module, weight_decay: float) -> Groups:
    """Return two groups: weights, with weight decay, and biases and norms, without; frozen parameters are excluded.

    A bias or a norm's scale has one dimension, a weight at least two. Decay of the former only pulls the
    output towards zero without regularising (He et al. 2019, "Bag of tricks", section 3.1).
    """
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    weights = [parameter for parameter in trainable if parameter.ndim > 1]
    others = [parameter for parameter in trainable if parameter.ndim <= 1]
    groups = [{"params": weights, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]


def build_optimiser(model: nn.Module, settings: OptimiserSettings | None = None) -> torch.optim.Optimizer:
    """Return the optimiser described by `settings`, over the parameters of `model` that are not frozen.

    Each group stores its base rate as ``initial_lr``, which a schedule multiplies by its factor.
    """
    settings = settings or OptimiserSettings()
    if settings.name == "muon":
        groups = muon_groups(model, settings.rate, settings.momentum, settings.other_rate, settings.weight_decay)
    else:
        groups = parameter_groups(model, settings.weight_decay)
    optimiser = OPTIMISERS[settings.name](groups, settings)
    for group in optimiser.param_groups:
        group["initial_lr"] = group["lr"]
    return optimiser


def set_learning_rate(optimiser: torch.optim.Optimizer, factor: float) -> float:
    """Set every group to `factor` times its base rate; return the highest rate (for muon, of the convolutions)."""
    for group in optimiser.param_groups:
        group["lr"] = group.setdefault("initial_lr", group["lr"]) * factor
    reported = [group for group in optimiser.param_groups if group.get("muon")] or optimiser.param_groups
    return max(float(group["lr"]) for group in reported)
