"""The stages of fine-tuning, from one unfreezing to the next, with a check that frozen tensors did not change."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from torch import nn

from convscope.training import FinetuningPlan, digests


@dataclass
class Stage:
    """The epochs from one unfreezing to the next, from 1. `seconds` is the time for computing cached features.

    `num_fixed` is the number of frozen tensors, and `identical` whether all were unchanged to the bit when its
    last checkpoint was saved; None: not verified.

    `probe` is the validation score of a linear layer fitted to the features, `penalty` its penalty, and `held_out` its
    score in cross-validation; `neighbours` is the validation score of the nearest neighbours. None: not computed.
    """

    first: int
    last: int
    trained: int
    views: int = 0
    images: int = 0
    seconds: float = 0.0
    num_fixed: int = 0
    identical: bool | None = None
    probe: float | None = None
    penalty: float | None = None
    held_out: float | None = None
    neighbours: float | None = None

    @property
    def seconds_saved(self) -> float:
        """Seconds of forward passes saved by cached features; at least 0."""
        passes = self.last + 1 - self.first
        return self.seconds * max(0, passes - self.views) / self.views if self.views else 0.0


@dataclass
class Stages:
    """The stages so far, and the digests of the frozen tensors at the start of the run."""

    plan: FinetuningPlan
    before: dict[str, str] = field(default_factory=dict)
    done: list[Stage] = field(default_factory=list)

    def start(self, model: nn.Module, first: int, last: int) -> Stage:
        """Start a stage; in a resumed run it replaces the interrupted one."""
        self.done = [stage for stage in self.done if stage.first < first]
        if not self.before:
            self.before = digests(model, self.plan, 1)
        self.done.append(Stage(first, last, self.plan.num_trained(first)))
        return self.done[-1]

    def verify(self, model: nn.Module) -> None:
        """Compare the frozen tensors of the last stage with those at the start of the run.

        Call it before a checkpoint is saved, so that no kill separates the weights from what was verified of them.
        """
        stage = self.done[-1]
        now = digests(model, self.plan, stage.first)
        stage.num_fixed, stage.identical = len(now), all(self.before[name] == digest for name, digest in now.items())

    def state_dict(self) -> dict[str, Any]:
        """Return the state for the checkpoint."""
        return {"before": self.before, "done": json.dumps([asdict(stage) for stage in self.done])}

    def load_state_dict(self, content: dict[str, Any]) -> None:
        """Restore the state that `state_dict` returned."""
        self.before = dict(content["before"])
        self.done = [Stage(**stage) for stage in json.loads(content["done"])]
