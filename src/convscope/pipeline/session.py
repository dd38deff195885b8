"""A training session: network, optimiser, schedule, batches, and selection of the epoch."""

from dataclasses import dataclass, field
from functools import partial

from torch import nn

from convscope.bundle import BundleConfig, with_tta
from convscope.datasets import Batches
from convscope.energy import EnergyMeter
from convscope.pipeline.end_seconds import EndSeconds
from convscope.pipeline.network_choice import SMALL_SIDE
from convscope.pipeline.stages import Stages
from convscope.runs.evaluation import EvaluationBatches, Model, evaluate_batches
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

FLOAT32_SLOWDOWN = 2.0  # time in float32 relative to bfloat16, where the latter is used
MAX_TTA_SHARE = 0.1  # maximum share of a budget for evaluating test-time augmentation


@dataclass
class TrainingSession:
    """A network and everything that its training needs.

    `data_fingerprint` identifies the images. `stages` and `unfreezing_check` are None without pretrained weights.
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
    """The predictions on the validation images at the end of the last epoch."""
    energy: EnergyMeter = field(default_factory=EnergyMeter)
    end_seconds: EndSeconds | None = None
    """Estimates the seconds after the last evaluation; None: the session ends with it."""
    forward_seconds: float = 0.0
    """The measured seconds of a forward pass of one image, where epochs use cached features; 0: not measured."""

    @property
    def kept_epoch(self) -> int:
        """The epoch selected so far."""
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
        """The last epoch before the encoder is unfrozen; None where it never is."""
        unfreezing = self.stages.plan.unfreezes_at if self.stages else None
        return unfreezing - 1 if unfreezing is not None and unfreezing <= self.recipe.train.epochs else None

    @property
    def trains_on_features(self) -> bool:
        """Whether it trains on cached features with the whole encoder frozen, so that epochs are short."""
        if self.stages is None or not self.stages.done or not self.stages.done[-1].views:
            return False
        return self.last_frozen is None or self.state.epoch <= self.last_frozen

    @property
    def feature_scores(self) -> tuple[float | None, float | None]:
        """The validation scores of the linear probe and of the nearest neighbours on the frozen features."""
        fitted = [stage for stage in (self.stages.done if self.stages else []) if stage.probe is not None]
        return (fitted[0].probe, fitted[0].neighbours) if fitted else (None, None)

    @property
    def tta_views(self) -> str:
        """The views (one of `bundle.TTA_VIEWS`) for the evaluation at the end.

        With "auto", several views are tried for classification of small images; photographs gain nothing
        (docs/benchmarks/recipes.md).
        """
        tta_views = self.recipe.train.tta_views
        if tta_views != "auto":
            return tta_views
        if len(self.config.preprocessing.size) != 2:
            return "1"
        small = max(self.config.preprocessing.size) <= SMALL_SIDE and self.stages is None
        if not (self.task.averages_views and small):  # asked first: views of masks and boxes cannot even be estimated
            return "1"
        expensive = self.clock is not None and self.estimate_eval_seconds("shifts") > MAX_TTA_SHARE * self.clock.seconds
        return "1" if expensive else "shifts"

    @property
    def epoch_precision(self) -> str:
        """The number format in which epochs train and are scored."""
        precision = self.recipe.train.precision
        return ("bfloat16" if computes_bfloat16(self.state.device) else "float32") if precision == "auto" else precision

    def estimate_eval_seconds(self, tta_views: str) -> float:
        """Estimate the seconds of the final evaluation, in float32, from the evaluations measured so far."""
        half = self.epoch_precision != "float32"
        num_views = with_tta(nn.Identity(), self.config, tta_views).num_views
        forward = self.forward_seconds * len(self.validation.targets)
        seconds = max(self.clock.evaluation, forward) if self.clock else 0.0
        return num_views * (FLOAT32_SLOWDOWN if half else 1.0) * seconds

    @property
    def reuses_evaluation(self) -> bool:
        """Whether the last epoch's predictions, if it is selected, are stored instead of being computed again.

        Only within a budget, and only where they are as exact.
        """
        exact = self.recipe.train.precision == "float32" or not computes_bfloat16(self.state.device)
        return self.clock is not None and exact and self.tta_views == "1"

    def reserve_for_end(self) -> None:
        """Reserve the time for the final evaluation and the report by the present speed, where there is a budget."""
        if self.clock and self.end_seconds:
            keeps_last = self.recipe.train.keep == "last" and not self.recipe.train.stop_patience
            sure = self.reuses_evaluation and keeps_last and self.last_frozen is None
            self.clock.reserve = self.end_seconds() + (0.0 if sure else self.estimate_eval_seconds(self.tta_views))

    def seconds_to_spare(self, insights: bool = False) -> float:
        """Return the seconds of the budget that checkpoint and report do not need; infinite without a budget."""
        if not (self.clock and self.end_seconds):
            return float("inf")
        return self.clock.seconds - self.clock.spent - self.end_seconds(insights)

    def evaluate(self, model: Model, batches: EvaluationBatches | None = None) -> dict[str, float]:
        """Return the validation scores of a network, or of a function in its place."""
        self.last_evaluation = evaluate_batches(
            partial(self.state.processes.forward, model), batches or self.validation, self.task.meter()
        )
        return self.last_evaluation.scores()
