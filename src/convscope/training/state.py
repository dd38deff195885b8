"""The state of a training run, which is all that is needed to resume it."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from pydantic import BaseModel, Field
from torch import nn

from convscope.errors import RunError
from convscope.training.ema import ExponentialAverage
from convscope.training.processes import ONE_PROCESS, Processes
from convscope.training.seeding import random_states, set_random_states

FORMAT = 1


class StepSettings(BaseModel, frozen=True, extra="forbid"):
    """Settings of an optimiser step."""

    micro_batch: int | None = Field(default=None, gt=0)  # images per pass, gradients accumulated; None: the whole batch
    clip: float | None = Field(default=None, gt=0)  # maximum norm of the gradient over all parameters
    read_every: int | None = Field(default=None, gt=0)  # steps between readings of the loss; None: 1 on a CPU, else 20


class Stateful(Protocol):
    """An object whose state a resumed run must restore: a plateau schedule, early stopping, a time budget."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, content: dict[str, Any], /) -> None: ...


def call_model(model: nn.Module, x: Any) -> Any:
    """Return the output of a network for a batch; the default of `State.forward`."""
    return model(x)


@dataclass
class State:
    """A network in training; saved after an `Epoch` and loaded, it makes bit-identical steps.

    The caller builds `model`, `optimiser`, `average` and `extras` in the same way for a new and a resumed run;
    `load_state_dict` then restores them. `precision`, `settings` and `processes` are not saved. `forward` computes the
    output of the network for a batch; with frozen parts, batches may contain their cached outputs, and only later
    parts run.
    """

    model: nn.Module
    optimiser: torch.optim.Optimizer
    average: ExponentialAverage | None = None
    settings: StepSettings = field(default_factory=StepSettings)
    precision: Callable[[], AbstractContextManager[Any]] = nullcontext
    extras: dict[str, Stateful] = field(default_factory=dict)
    forward: Callable[[nn.Module, Any], Any] = call_model
    processes: Processes = ONE_PROCESS  # that train together
    capture: bool = False  # whether to launch steps as one CUDA graph each; see `CapturedStep`
    step: int = 0  # optimiser steps done
    epoch: int = 0  # epochs done
    micro_batch: int | None = None  # current: settings.micro_batch, halved whenever memory ran out
    random: dict[str, Any] | None = None  # the generators at the end of the last epoch

    def __post_init__(self) -> None:
        """Start with the micro-batch of the settings."""
        self.micro_batch = self.micro_batch or self.settings.micro_batch

    @property
    def result(self) -> nn.Module:
        """The network to evaluate and export: the EMA if there is one, else the trained one."""
        return self.average.module if self.average else self.model

    @property
    def device(self) -> torch.device:
        """The device of the network."""
        return next((parameter.device for parameter in self.model.parameters()), torch.device("cpu"))

    def remember_random(self) -> None:
        """Record the state of the random number generators at the end of an epoch."""
        self.random = self.processes.from_first(random_states())

    def restore_random(self) -> None:
        """Restore the random number generators, whatever was drawn between two epochs or processes."""
        if self.random is not None:
            set_random_states(self.random)

    def state_dict(self) -> dict[str, Any]:
        """Return tensors, numbers and strings only; the tensors are not copies, so save or copy them immediately."""
        return {
            "format": FORMAT,
            "step": self.step,
            "epoch": self.epoch,
            "micro_batch": self.micro_batch,
            "model": self.model.state_dict(),
            "optimiser_name": type(self.optimiser).__name__,
            "optimiser": self.optimiser.state_dict(),
            "average": self.average.state_dict() if self.average else None,
            "extras": {name: extra.state_dict() for name, extra in self.extras.items()},
            "random": self.random or random_states(),
        }

    def load_state_dict(self, content: dict[str, Any]) -> None:
        """Restore what `state_dict` returned, into objects built in the same way.

        Raises:
            RunError: the content belongs to another network, optimiser or set of `extras`.
        """
        try:
            self._check_compatible(content)
            self.model.load_state_dict(content["model"])
            self.optimiser.load_state_dict(content["optimiser"])
            if self.average:
                self.average.load_state_dict(content["average"])
            for name, extra in self.extras.items():
                extra.load_state_dict(content["extras"][name])
            self.step, self.epoch = int(content["step"]), int(content["epoch"])
            self.micro_batch, self.random = content["micro_batch"], content["random"]
            self.restore_random()
        except (RuntimeError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
            why = " ".join(str(error).split())
            raise RunError(
                f"checkpoint: its state does not fit this network and optimiser ({why}); "
                "resume with the settings that it was saved with"
            ) from error

    def _check_compatible(self, content: dict[str, Any]) -> None:
        if content.get("format") != FORMAT:
            raise RunError(
                f"checkpoint: its format is {_one_line(content.get('format'))} and this version reads {FORMAT}; "
                "resume with the version of convscope that saved it"
            )
        for what, saved, wanted in (
            ("optimiser", content["optimiser_name"], type(self.optimiser).__name__),
            ("EMA", content["average"] is not None, self.average is not None),
            ("extras", sorted(content["extras"]), sorted(self.extras)),
        ):
            if saved != wanted:
                raise RunError(
                    f"checkpoint: it was saved with {what} = {_one_line(saved)}, and this run has {wanted}; "
                    "resume with the settings that it was saved with"
                )


def _one_line(value: Any) -> str:
    """Return the value as a text of one line, whatever a damaged checkpoint holds."""
    return " ".join(str(value).split())[:200]
