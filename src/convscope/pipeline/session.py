"""What a recipe and the data make: the network, its optimiser and schedule, the batches, and what counts as best."""

from dataclasses import dataclass

from torch import nn

from convscope.bundle import BundleConfig, looking
from convscope.data import Batches
from convscope.pipeline.defaults import SMALL_SIDE
from convscope.pipeline.stages import Legs
from convscope.runs.asking import Answering, Questions, asked
from convscope.runs.recipe import Recipe
from convscope.tasks import Meter, Task
from convscope.training import (
    Clock,
    Compiled,
    Patience,
    Plateau,
    Schedule,
    State,
    Watch,
    computes_bfloat16,
)

FLOAT32_TAKES = 2.0  # times as long as bfloat16 where the latter is used
MOST_FOR_CROPS = 0.1  # of a budget: what finding out whether several looks pay may cost
REPORT_SECONDS = 3.0  # kept of a budget for the report; seen on two cores with 12 + 12 pictures


@dataclass
class Trainee:
    """A network about to be trained, and all that its training needs.

    `images` tells them apart from all others. `legs` and `watch` are there where it began with trained weights.
    """

    recipe: Recipe
    task: Task
    config: BundleConfig
    state: State
    train: Batches
    validation: Batches
    schedule: Schedule | Plateau
    best: Patience
    clock: Clock | None
    images: str
    legs: Legs | None = None
    watch: Watch | None = None
    compiled: Compiled | None = None
    judged: Meter | None = None
    """The answers on the validation images at the end of the last epoch."""

    @property
    def kept_epoch(self) -> int:
        """The epoch whose network is the answer so far."""
        by_score = self.recipe.train.keep == "best" or self.recipe.train.stop_patience
        if by_score:
            return self.best.best_epoch
        return self.watch.frozen_epoch if self.watch and self.watch.fell else self.state.epoch

    @property
    def last_frozen(self) -> int | None:
        """The last epoch before the encoder begins to learn; None where it never does."""
        turn = self.legs.plan.unfreezes_at if self.legs else None
        return turn - 1 if turn is not None and turn <= self.recipe.train.epochs else None

    @property
    def training_features(self) -> bool:
        """Whether it trains on features that were kept, with all of the encoder frozen, so that epochs are short."""
        if self.legs is None or not self.legs.done or not self.legs.done[-1].views:
            return False
        return self.last_frozen is None or self.state.epoch <= self.last_frozen

    @property
    def crops(self) -> str:
        """The looks, of `bundle.CROPS`, by which the validation images are answered at the end.

        Several are tried for the classes of small images; those of photographs gain nothing (docs/recipes.md).
        """
        wanted = self.recipe.train.crops
        if wanted != "auto":
            return wanted
        small = max(self.config.preprocessing.size) <= SMALL_SIDE and self.legs is None
        dear = self.clock is not None and self.answering("shifts") > MOST_FOR_CROPS * self.clock.seconds
        return "shifts" if self.task.takes == "classes" and small and not dear else "1"

    def answering(self, crops: str) -> float:
        """Seconds that the answers at the end take, in float32, where an evaluation takes as long as the clock saw."""
        half = self.recipe.train.precision != "float32" and computes_bfloat16(self.state.device)
        looks = looking(nn.Identity(), self.config, crops).count
        return looks * (FLOAT32_TAKES if half else 1.0) * (self.clock.evaluation if self.clock else 0.0)

    def judge(self, model: Answering, batches: Questions | None = None) -> dict[str, float]:
        """The scores of a network, or of what stands in for it, on the validation images."""
        self.judged = asked(model, batches or self.validation, self.task.meter())
        return self.judged.scores()
