"""Learning from few images: which parts of a trained network stay as they are, until when, how fast the rest learns.

A network with ``stem``, ``stages`` and ``head`` is a row of parts, from the image to the answer. The last layers of the
head are new. The others are frozen: their weights get no gradient and their modules are in eval mode, so that batch
norm's statistics stand still too. From an epoch on they may learn again, the highest first, each slower than the one
above it (Howard & Ruder 2018, sections 3.2 and 3.3: discriminative fine-tuning, gradual unfreezing).
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
    """How much of a trained network is replaced, and when the rest learns.

    `replace_fc` layers with weights are new, counted from the end. From epoch `unfreeze_at` on (0: never) the highest
    frozen part learns as well, and every `unfreeze_every` epochs the next one below it, `unfreeze_parts` in all (0:
    down to the stem). The highest learns at `encoder_lr`, either "0.1x" the new layers' rate or a rate; each one
    below at `layer_lr_decay` times the rate of the one above.
    """

    replace_fc: int = Field(1, ge=0)
    unfreeze_at: int = Field(0, ge=0)
    unfreeze_every: int = Field(1, ge=1)
    unfreeze_parts: int = Field(0, ge=0)
    encoder_lr: str = "0.1x"
    layer_lr_decay: float = Field(0.5, gt=0, le=1)

    @field_validator("encoder_lr", mode="before")
    @classmethod
    def _rate(cls, value: object) -> object:
        try:
            right = float(str(value).removesuffix("x")) > 0
        except ValueError:
            right = False
        if not right:
            raise ValueError("write a share of the head's learning rate like 0.1x, or a rate like 1e-3")
        return str(value)

    def lr_factor(self, rate: float) -> float:
        """What the new layers' `rate` is multiplied by for the highest part.

        >>> PlanSettings(encoder_lr="0.1x").lr_factor(0.02), PlanSettings(encoder_lr="1e-3").lr_factor(0.02)
        (0.1, 0.05)
        """
        number = float(self.encoder_lr.removesuffix("x"))
        return number if self.encoder_lr.endswith("x") else number / rate


@dataclass(frozen=True)
class PlanPart:
    """One part: its weights, the epoch (from 1) from which it learns, None for never, its share of the rate.

    `new` parts learn from the start; the others have trained weights to lose.
    """

    part: str
    num_parameters: int
    trained_from: int | None
    lr_factor: float
    new: bool

    def frozen_in(self, epoch: int) -> bool:
        """Whether it has weights that stand still in an epoch, counted from 1."""
        return self.num_parameters > 0 and (self.trained_from is None or epoch < self.trained_from)


@dataclass(frozen=True)
class FinetuningPlan:
    """The parts of a network, from the image to the answer."""

    rows: tuple[PlanPart, ...]

    def num_frozen(self, epoch: int) -> int:
        """How many of the parts stand still in an epoch, counted from 1: all up to the last one that must."""
        return max((index + 1 for index, row in enumerate(self.rows) if row.frozen_in(epoch)), default=0)

    def changes(self, epochs: int) -> list[int]:
        """The epochs, from 1, that begin with other parts frozen than the one before; the first is always one."""
        found = {row.trained_from for row in self.rows if row.trained_from and row.trained_from <= epochs}
        return sorted({1, *found})

    @property
    def unfreezes_at(self) -> int | None:
        """The first epoch in which more than the new layers learns; None: there is none."""
        later = [row.trained_from for row in self.rows if row.num_parameters and row.trained_from and not row.new]
        return min(later, default=None)

    def num_trained(self, epoch: int) -> int:
        """How many weights learn in an epoch."""
        return sum(row.num_parameters for row in self.rows if row.num_parameters and not row.frozen_in(epoch))


def make_plan(model: nn.Module, settings: PlanSettings, rate: float) -> FinetuningPlan:
    """Lay the settings over the parts of a network.

    Args:
        model: with stem, stages and head.
        settings: what is new, and when the rest learns.
        rate: of the new layers; only an absolute `encoder_lr` needs it.

    Raises:
        ConfigError: the network has fewer layers or parts than the settings speak of.
    """
    network_parts, new = parts(model), set(new_layers(model, settings.replace_fc))
    first_new = next(
        (index for index, (name, part) in enumerate(network_parts) if _is_new(name, part, new)), len(network_parts)
    )
    old = [index for index, (_, part) in enumerate(network_parts[:first_new]) if num_parameters(part)]
    learning = old[::-1][: settings.unfreeze_parts or None] if settings.unfreeze_at else []
    if settings.unfreeze_parts > len(old):
        raise ConfigError(
            f"transfer.unfreeze_parts is {settings.unfreeze_parts}, but {len(old)} parts are frozen; "
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
    ))  # fmt: skip


def _is_new(name: str, part: nn.Module, new: set[str]) -> bool:
    """Whether a part learns from the start: it is or holds a new layer, or is no part of the encoder."""
    return not name.startswith(ENCODER_PARTS) or any(layer in new for layer in weight_layers(name, part))


def freeze(model: nn.Module, plan: FinetuningPlan, epoch: int) -> None:
    """Put the network in train mode with what the plan freezes in an epoch, counted from 1, standing still."""
    model.train()
    num_frozen = plan.num_frozen(epoch)
    for index, (_, part) in enumerate(parts(model)):
        part.requires_grad_(index >= num_frozen)
        part.train(index >= num_frozen)


def build_plan_optimiser(model: nn.Module, settings: OptimiserSettings, plan: FinetuningPlan) -> torch.optim.Optimizer:
    """The optimiser over all parts that ever learn, each at its share of the rate.

    Frozen parameters get no gradient and optimisers pass over those, decay included, so one optimiser serves all.

    Raises:
        ConfigError: muon, whose rates are not shared out by parts.
    """
    if settings.name == "muon":
        raise ConfigError(
            "optimiser.name is muon, which is for whole networks from scratch; take adamw or sgd with --from"
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
    """How many of the first parts give the same for the same image at every step of an epoch.

    These are the frozen ones and what follows them without weights or chance, such as a pool.
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
    """A digest of each tensor that stands still in an epoch, batch norm's statistics among them, by its name."""
    return {
        name: digest(tensor)
        for start, part in parts(model)[: plan.num_frozen(epoch)]
        for name, tensor in part.state_dict(prefix=f"{start}.").items()
    }


def digest(tensor: Tensor) -> str:
    """32 hexadecimal digits that change with any bit of a tensor's numbers."""
    content = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
    return hashlib.blake2b(content.tobytes(), digest_size=16).hexdigest()


class UnfreezingCheck:
    """Remembers the score of the frozen stage, and says whether what came after unfreezing is worse.

    Keep it in ``State.extras``, so that a resumed run has it too.

    >>> watch = Watch()
    >>> watch.see(3, 0.95, still=True); watch.see(4, 0.90, still=False)
    >>> watch.fell, watch.frozen_epoch
    (True, 3)
    """

    def __init__(self) -> None:
        self.frozen: float | None = None
        self.frozen_epoch = 0
        self.last: float | None = None

    def update(self, epoch: int, score: float, is_frozen: bool) -> None:
        """Take an epoch's validation score; `is_frozen` says whether the encoder was frozen in it."""
        if is_frozen:
            self.frozen, self.frozen_epoch = score, epoch
        else:
            self.last = score

    @property
    def degraded(self) -> bool:
        """Whether the last score after unfreezing is lower than that of the frozen stage, or is no number."""
        return self.frozen is not None and self.last is not None and not self.last >= self.frozen

    def state_dict(self) -> dict[str, float | None]:
        """What it has seen."""
        return {"frozen": self.frozen, "frozen_epoch": self.frozen_epoch, "last": self.last}

    def load_state_dict(self, content: dict[str, float | None]) -> None:
        """Go on from what `state_dict` returned."""
        self.frozen, self.last = content["frozen"], content["last"]
        self.frozen_epoch = int(content["frozen_epoch"] or 0)
