"""Transfer learning: which parts of a pretrained network are frozen, until when, and the learning rate of each part.

A network with ``stem``, ``stages`` and ``head`` is a sequence of parts from input to output. The last layers of the
head are new. The others are frozen: their parameters get no gradient and their modules are in eval mode, so that batch
norm's running statistics do not change. They can be unfrozen from a given epoch on, the last part first, with a lower
learning rate for earlier parts (Howard & Ruder 2018, sections 3.2 and 3.3: discriminative fine-tuning, gradual
unfreezing).
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import torch
from pydantic import BaseModel, Field, field_validator
from torch import Tensor, nn

from convscope.errors import ConfigError
from convscope.training.optimisers import OPTIMISERS, OptimiserSettings, parameter_groups
from convscope.training.partition import ENCODER_PARTS, new_layers, num_parameters, parts, weight_layers


class PlanSettings(BaseModel, frozen=True, extra="forbid"):
    """Which layers of a pretrained network are replaced, and when the others are unfrozen.

    The last `replace_fc` layers with weights are new. At epoch `unfreeze_at` (0: never) the last frozen part is
    unfrozen, and every `unfreeze_every` epochs (0: in the same epoch) the one before it, `unfreeze_parts` in total (0:
    all). The last part has the learning rate `encoder_lr`, either a factor of the new layers' rate such as "0.1x" or an
    absolute rate; each earlier part has `layer_lr_decay` times the rate of the part after it. Unless `update_norms`,
    unfrozen parts keep the statistics of batch norm from the pretraining.
    """

    replace_fc: int = Field(1, ge=0)
    unfreeze_at: int = Field(0, ge=0)
    unfreeze_every: int = Field(1, ge=0)
    unfreeze_parts: int = Field(0, ge=0)
    encoder_lr: str = "0.1x"
    layer_lr_decay: float = Field(0.5, gt=0, le=1)
    update_norms: bool = True

    @field_validator("encoder_lr", mode="before")
    @classmethod
    def _rate(cls, value: object) -> object:
        try:
            is_positive = float(str(value).removesuffix("x")) > 0
        except ValueError:
            is_positive = False
        if not is_positive:
            raise ValueError("write a factor of the head's learning rate like 0.1x, or a rate like 1e-3")
        return str(value)

    def lr_factor(self, rate: float) -> float:
        """Return the factor of the new layers' learning rate `rate` for the last unfrozen part.

        >>> PlanSettings(encoder_lr="0.1x").lr_factor(0.02), PlanSettings(encoder_lr="1e-3").lr_factor(0.02)
        (0.1, 0.05)
        """
        number = float(self.encoder_lr.removesuffix("x"))
        return number if self.encoder_lr.endswith("x") else number / rate


@dataclass(frozen=True)
class PlanPart:
    """One part: its parameters, its first trained epoch (from 1; None: never) and its learning-rate factor.

    `new` parts are trained from the start; the others are pretrained.
    """

    part: str
    num_parameters: int
    trained_from: int | None
    lr_factor: float
    new: bool

    def frozen_in(self, epoch: int) -> bool:
        """Return whether it has parameters and is frozen in `epoch`, counted from 1."""
        return self.num_parameters > 0 and (self.trained_from is None or epoch < self.trained_from)


@dataclass(frozen=True)
class FinetuningPlan:
    """The plan for all parts of a network, from input to output."""

    rows: tuple[PlanPart, ...]
    update_norms: bool = True

    def num_frozen(self, epoch: int) -> int:
        """Return how many of the first parts are frozen in `epoch`, counted from 1: all up to the last frozen one."""
        return max((index + 1 for index, row in enumerate(self.rows) if row.frozen_in(epoch)), default=0)

    def changes(self, epochs: int) -> list[int]:
        """Return the epochs, from 1, that start with another set of frozen parts, including the first."""
        found = {row.trained_from for row in self.rows if row.trained_from and row.trained_from <= epochs}
        return sorted({1, *found})

    @property
    def unfreezes_at(self) -> int | None:
        """The first epoch in which pretrained parts are trained; None: there is none."""
        later = [row.trained_from for row in self.rows if row.num_parameters and row.trained_from and not row.new]
        return min(later, default=None)

    def num_trained(self, epoch: int) -> int:
        """Return the number of parameters trained in `epoch`."""
        return sum(row.num_parameters for row in self.rows if row.num_parameters and not row.frozen_in(epoch))


def make_plan(model: nn.Module, settings: PlanSettings, rate: float) -> FinetuningPlan:
    """Return the fine-tuning plan of a network.

    Args:
        model: with stem, stages and head.
        settings: what is replaced and unfrozen.
        rate: learning rate of the new layers; used only with an absolute `encoder_lr`.

    Raises:
        ConfigError: the network has fewer layers or parts than the settings require.
    """
    network_parts, new = parts(model), set(new_layers(model, settings.replace_fc))
    first_new = next(
        (index for index, (name, part) in enumerate(network_parts) if _is_new(name, part, new)), len(network_parts)
    )
    old = [index for index, (_, part) in enumerate(network_parts[:first_new]) if num_parameters(part)]
    learning = old[::-1][: settings.unfreeze_parts or None] if settings.unfreeze_at else []
    if settings.unfreeze_parts > len(old):
        raise ConfigError(
            f"transfer.unfreeze_parts is {settings.unfreeze_parts}, but {len(old)} parts can be frozen; "
            f"give 1 to {len(old)}, or 0 for all"
        )
    from_epoch, lr_factors = {}, {}
    for depth, index in enumerate(learning):
        from_epoch[index] = settings.unfreeze_at + depth * settings.unfreeze_every
        lr_factors[index] = settings.lr_factor(rate) * settings.layer_lr_decay**depth
    return FinetuningPlan(tuple(
        PlanPart(name, num_parameters(part), from_epoch.get(index), lr_factors.get(index, 1.0), new=False)
        if index < first_new
        else PlanPart(name, num_parameters(part), 1, 1.0, new=True)
        for index, (name, part) in enumerate(network_parts)
    ), settings.update_norms)  # fmt: skip


def _is_new(name: str, part: nn.Module, new: set[str]) -> bool:
    """Return whether a part is trained from the start: it contains a new layer or is not part of the encoder."""
    return not name.startswith(ENCODER_PARTS) or any(layer in new for layer in weight_layers(name, part))


def freeze(model: nn.Module, plan: FinetuningPlan, epoch: int) -> None:
    """Set the network to train mode and freeze the parts that the plan freezes in `epoch`, counted from 1."""
    model.train()
    num_frozen = plan.num_frozen(epoch)
    for (index, (_, part)), row in zip(enumerate(parts(model)), plan.rows, strict=True):
        part.requires_grad_(index >= num_frozen)
        part.train(index >= num_frozen)
        if not (plan.update_norms or row.new):
            for module in part.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()


def build_plan_optimiser(model: nn.Module, settings: OptimiserSettings, plan: FinetuningPlan) -> torch.optim.Optimizer:
    """Return the optimiser over all parts that are trained in any epoch, each with its learning-rate factor.

    Optimisers skip parameters without gradient, weight decay included, so one optimiser serves all epochs.

    Raises:
        ConfigError: the optimiser is muon, which does not support rates per part.
    """
    if settings.name == "muon":
        raise ConfigError(
            "optimiser.name is muon, which supports only training from scratch; choose adamw or sgd with --from"
        )
    groups: list[dict[str, Any]] = []
    for row, (_, part) in zip(plan.rows, parts(model), strict=True):
        if row.trained_from is not None:
            part.requires_grad_(True)
            for group in parameter_groups(part, settings.weight_decay):
                groups.append({**group, "lr": settings.rate * row.lr_factor})  # noqa: PERF401
    optimiser = OPTIMISERS[settings.name](groups, settings)
    for group in optimiser.param_groups:
        group["initial_lr"] = group["lr"]
    return optimiser


def num_fixed(model: nn.Module, plan: FinetuningPlan, epoch: int) -> int:
    """Return how many of the first parts have a constant output per image throughout an epoch.

    These are the frozen parts and following parts without parameters or randomness, such as a pool.
    """
    network_parts = parts(model)
    index = plan.num_frozen(epoch)
    while index and index < len(network_parts) and _is_fixed(network_parts[index][1]):
        index += 1
    return index


def _is_fixed(module: nn.Module) -> bool:
    tensors = [*module.parameters(), *module.buffers()]
    return not tensors and not any(isinstance(one, nn.modules.dropout._DropoutNd) for one in module.modules())


def digests(model: nn.Module, plan: FinetuningPlan, epoch: int) -> dict[str, str]:
    """Return a digest of each frozen tensor in `epoch` by name, including batch norm's running statistics."""
    return {
        name: digest(tensor)
        for start, part in parts(model)[: plan.num_frozen(epoch)]
        for name, tensor in part.state_dict(prefix=f"{start}.").items()
    }


def digest(tensor: Tensor) -> str:
    """Return a 128-bit digest of a tensor's values as 32 hexadecimal digits."""
    content = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
    return hashlib.blake2b(content.tobytes(), digest_size=16).hexdigest()


class UnfreezingCheck:
    """Compares the validation score after unfreezing with that of the frozen stage.

    Keep it in `State.extras`, so that a resumed run restores it.

    >>> check = UnfreezingCheck()
    >>> check.update(3, 0.95, is_frozen=True); check.update(4, 0.90, is_frozen=False)
    >>> check.degraded, check.frozen_epoch
    (True, 3)
    """

    def __init__(self) -> None:
        self.frozen: float | None = None
        self.frozen_epoch = 0
        self.last: float | None = None

    def update(self, epoch: int, score: float, is_frozen: bool) -> None:
        """Add an epoch's validation score; `is_frozen` says whether the encoder was frozen in it."""
        if is_frozen:
            self.frozen, self.frozen_epoch = score, epoch
        else:
            self.last = score

    @property
    def degraded(self) -> bool:
        """Whether the last score after unfreezing is below that of the frozen stage, or NaN."""
        return self.frozen is not None and self.last is not None and not self.last >= self.frozen

    def state_dict(self) -> dict[str, float | None]:
        """Return the scores seen so far."""
        return {"frozen": self.frozen, "frozen_epoch": self.frozen_epoch, "last": self.last}

    def load_state_dict(self, content: dict[str, float | None]) -> None:
        """Restore what `state_dict` returned."""
        self.frozen, self.last = content["frozen"], content["last"]
        self.frozen_epoch = int(content["frozen_epoch"] or 0)
