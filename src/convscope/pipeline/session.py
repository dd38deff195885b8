"""What a recipe and the data make: the network, its optimiser and schedule, the batches, and what counts as best."""

from dataclasses import dataclass

from torch import nn

from convscope.bundle import BundleConfig, with_tta
from convscope.data import Batches
from convscope.pipeline.network_choice import SMALL_SIDE
from convscope.pipeline.stages import Stages
from convscope.runs.asking import EvaluationBatches, Model, evaluate_batches
from convscope.runs.recipe import Recipe
from convscope.tasks import Meter, Task
from convscope.training import (
    Compiled,
    EarlyStopping,
    PlateauSchedule,
    Schedule,
    State,
    TimeBudget,
    UnfreezingCheck,
    computes_bfloat16,
)

FLOAT32_SLOWDOWN = 2.0  # times as long as bfloat16 where the latter is used
MAX_TTA_SHARE = 0.1  # of a budget: what finding out whether several looks pay may cost
REPORT_SECONDS = 3.0  # kept of a budget for the report; seen on two cores with 12 + 12 pictures


@dataclass
class TrainingSession:
    """A network about to be trained, and all that its training needs.

    `data_fingerprint` tells them apart from all others. `stages` and `unfreezing_check` are there where it began with
    trained weights.
    """

    recipe: Recipe
    task: Task
    config: BundleConfig
    state: State
    train: Batches
    validation: Batches
    schedule: Schedule | PlateauSchedule
    best: EarlyStopping
    clock: TimeBudget | None
    data_fingerprint: str
    stages: Stages | None = None
    unfreezing_check: UnfreezingCheck | None = None
    compiled: Compiled | None = None
    last_evaluation: Meter | None = None
    """The answers on the validation images at the end of the last epoch."""

    @property
    def kept_epoch(self) -> int:
        """The epoch whose network is the answer so far."""
        by_score = self.recipe.train.keep == "best" or self.recipe.train.stop_patience
        if by_score:
            return self.best.best_epoch
        return (
            self.unfreezing_check.frozen_epoch
            if self.unfreezing_check and self.unfreezing_check.degraded
            else self.state.epoch
        )

    @property
    def last_frozen(self) -> int | None:
        """The last epoch before the encoder begins to learn; None where it never does."""
        turn = self.stages.plan.unfreezes_at if self.stages else None
        return turn - 1 if turn is not None and turn <= self.recipe.train.epochs else None

    @property
    def trains_on_features(self) -> bool:
        """Whether it trains on features that were kept, with all of the encoder frozen, so that epochs are short."""
        if self.stages is None or not self.stages.done or not self.stages.done[-1].views:
            return False
        return self.last_frozen is None or self.state.epoch <= self.last_frozen

    @property
    def tta_views(self) -> str:
        """The looks, of `bundle.TTA_VIEWS`, by which the validation images are answered at the end.

        Several are tried for the classes of small images; those of photographs gain nothing
        (docs/benchmarks/recipes.md).
        """
        wanted = self.recipe.train.tta_views
        if wanted != "auto":
            return wanted
        small = max(self.config.preprocessing.size) <= SMALL_SIDE and self.stages is None
        dear = self.clock is not None and self.estimate_eval_seconds("shifts") > MAX_TTA_SHARE * self.clock.seconds
        return "shifts" if self.task.averages_views and small and not dear else "1"

    def estimate_eval_seconds(self, tta_views: str) -> float:
        """Seconds that the answers at the end take, in float32, where an evaluation takes as long as the clock saw."""
        half = self.recipe.train.precision != "float32" and computes_bfloat16(self.state.device)
        num_views = with_tta(nn.Identity(), self.config, tta_views).num_views
        return num_views * (FLOAT32_SLOWDOWN if half else 1.0) * (self.clock.evaluation if self.clock else 0.0)

    def evaluate(self, model: Model, batches: EvaluationBatches | None = None) -> dict[str, float]:
        """The scores of a network, or of what stands in for it, on the validation images."""
        self.last_evaluation = evaluate_batches(model, batches or self.validation, self.task.meter())
        return self.last_evaluation.scores()
