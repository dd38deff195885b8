"""The stages of a fine-tuning, from one unfreezing to the next, and whether what is frozen stayed as it was."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from torch import nn

from convscope.training import FinetuningPlan, digests


@dataclass
class Stage:
    """From one unfreezing to the next; epochs count from 1. `seconds` is what computing features took.

    `num_fixed` are tensors that had to stand still, and `identical` says whether all did, to the bit; None: not over
    yet.
    """

    first: int
    last: int
    trained: int
    views: int = 0
    images: int = 0
    seconds: float = 0.0
    num_fixed: int = 0
    identical: bool | None = None

    @property
    def seconds_saved(self) -> float:
        """Seconds of forward passes that were not needed because features were kept; at least 0."""
        passes = self.last + 1 - self.first
        return self.seconds * max(0, passes - self.views) / self.views if self.views else 0.0


@dataclass
class Stages:
    """The stages so far, and the digests of all that is frozen as it was when the run started."""

    plan: FinetuningPlan
    before: dict[str, str] = field(default_factory=dict)
    done: list[Stage] = field(default_factory=list)

    def start(self, model: nn.Module, first: int, last: int) -> Stage:
        """Start a stage; one that a resumed run repeats replaces the earlier try."""
        self.done = [stage for stage in self.done if stage.first < first]
        if not self.before:
            self.before = digests(model, self.plan, 1)
        self.done.append(Stage(first, last, self.plan.num_trained(first)))
        return self.done[-1]

    def finish(self, model: nn.Module) -> None:
        """Compare what was frozen in the last stage with what it was when the run started."""
        stage = self.done[-1]
        now = digests(model, self.plan, stage.first)
        stage.num_fixed, stage.identical = len(now), all(self.before[name] == digest for name, digest in now.items())

    def state_dict(self) -> dict[str, Any]:
        """All of it, for the checkpoint."""
        return {"before": self.before, "done": json.dumps([asdict(stage) for stage in self.done])}

    def load_state_dict(self, content: dict[str, Any]) -> None:
        """Go on from what `state_dict` returned."""
        self.before = dict(content["before"])
        self.done = [Stage(**stage) for stage in json.loads(content["done"])]
