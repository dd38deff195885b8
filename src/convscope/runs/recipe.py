"""The recipe: every setting of a run, in one file that reproduces it; `runs.parse` builds it from settings."""

import re
from typing import Any, Literal, Self

import tomli_w
from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from convscope.datasets import INPUT_KINDS, Fit, InputSettings
from convscope.datasets.inputs.image_input import IMAGE
from convscope.durations import parse_seconds
from convscope.energy import grid_of
from convscope.errors import ConfigError, did_you_mean
from convscope.layouts import LAYOUTS
from convscope.tasks import DEFAULT_TASK, TASKS, Task, check_options
from convscope.training import (
    INITIALISERS,
    CompileMode,
    NormStatistics,
    OptimiserSettings,
    PlanSettings,
    Precision,
    ScheduleSettings,
    StepSettings,
)
from convscope.validation import first_problem

AUTO, SCRATCH = "auto", "scratch"  # values of transfer.checkpoint other than a source of weights
CHANGES = {name for kind in INPUT_KINDS.values() for name in type(kind.policy("none", {})).model_fields}
"""Fields of the augmentation policies of all kinds of input."""


class Section(BaseModel, frozen=True, extra="forbid"):
    """A table of the recipe; unknown names are errors."""


class DataSettings(Section):
    """The data source, the input size (height, width; or the sides of other inputs), and the split fractions.

    `channels` is 1 for grey, 3 for colour, or the number that the files have. `fit` is "crop", "pad" or "stretch": what
    happens to images of another aspect ratio. `black` and `white` are the values of images of more than 8 bits that
    become 0 and 255; "auto": their range over the images. `shown_channels` are the three channels that figures show as
    red, green and blue, or the one that they show as grey, counted from 0; []: the first three, or the first.

    `group` is a regular expression that finds a group in each name; the files of a group stay in one split.

    `layout` is one of `layouts.LAYOUTS`, and the columns are those of a table; "": detected. `ignore` is the value in
    masks without a class, -1: none.
    """

    source: str = ""
    layout: str = ""
    size: tuple[int, ...] = (32, 32)
    channels: int = Field(3, gt=0)
    fit: Fit = "crop"
    black: float | Literal["auto"] = "auto"
    white: float | Literal["auto"] = "auto"
    shown_channels: tuple[int, ...] = ()
    validation: float = Field(0.1, gt=0, lt=1)
    test: float = Field(0.1, ge=0, lt=1)
    near_duplicates: bool = True
    ignore: int = Field(-1, ge=-1)
    image_column: str = ""
    text_column: str = ""
    label_column: str = ""
    split_column: str = ""
    group_column: str = ""
    group: str = ""

    @field_validator("group")
    @classmethod
    def _group(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"no regular expression ({error}); write one such as _(.+)_") from None
        return value

    @field_validator("shown_channels")
    @classmethod
    def _shown(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if len(value) not in (0, 1, 3) or min(value, default=0) < 0:
            raise ValueError("write three channels for red, green and blue, like [3, 2, 1], or one for grey, like [3]")
        return value

    @field_validator("layout")
    @classmethod
    def _layout(cls, value: str) -> str:
        if value and value not in LAYOUTS:
            raise ValueError(f"no such layout{did_you_mean(value, LAYOUTS)}")
        return value

    @field_validator("size", mode="before")
    @classmethod
    def _sides(cls, value: object) -> object:
        sides = [value, value] if isinstance(value, int) else value
        if (
            not isinstance(sides, list | tuple)
            or len(sides) not in (1, 2, 3)
            or not all(isinstance(s, int) and s > 0 for s in sides)
        ):
            raise ValueError(
                "write height and width in pixels, like [64, 64], or one number for a square; the length of series "
                "like [128]; depth, height and width of volumes like [32, 32, 32]"
            )
        return tuple(sides)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.black != "auto" and self.white != "auto" and self.black >= self.white:
            raise ValueError(f"black is {self.black:g} and white {self.white:g}; white is the greater value")
        return self

    @model_validator(mode="after")
    def _leave_some(self) -> Self:
        if self.validation + self.test >= 1:
            raise ValueError(
                f"validation takes {self.validation:g} of the images and test {self.test:g}; leave some for training"
            )
        return self


class ModelSettings(Section):
    """The network; `options` are those of its builder in `convscope.models`.

    `init` replaces the initialisation of all layers: a name in `training.INITIALISERS`, or "auto", which depends on
    the activation after each layer; "": as in the network's paper.
    """

    name: str = "resnet18"
    options: dict[str, Any] = {}
    init: str = ""

    @field_validator("init")
    @classmethod
    def _initialiser(cls, value: str) -> str:
        known = ["auto", *INITIALISERS]
        if value and value not in known:
            raise ValueError(f"no such initialiser{did_you_mean(value, known)}")
        return value


class AugmentSettings(Section):
    """Augmentation of training images; `mirror` allows left-right flips.

    `changes` override fields of the policy (`datasets.Policy` of images, see `datasets.augment` for others); `mix` is
    mixup or cutmix, with a mixing coefficient drawn from Beta(mix_alpha, mix_alpha).
    """

    policy: Literal["none", "light", "standard", "strong"] = "light"
    mirror: bool = False
    changes: dict[str, float] = {}
    mix: Literal["none", "mixup", "cutmix"] = "none"
    mix_alpha: float = Field(0.2, gt=0)

    @field_validator("changes")
    @classmethod
    def _known(cls, value: dict[str, float]) -> dict[str, float]:
        for name in value:
            if name not in CHANGES:
                raise ValueError(f"no change {name}{did_you_mean(name, CHANGES)}")
        return value

    def chosen(self, input_kind: str = IMAGE) -> Any:
        """Return the policy of a kind of input with the changes applied.

        Raises:
            ConfigError: a change is not one of this kind of input, or its value is out of range.
        """
        try:
            return INPUT_KINDS[input_kind].policy(self.policy, self.changes)
        except ValidationError as error:
            problem = first_problem(error)
            if problem.kind == "extra_forbidden":
                noun = INPUT_KINDS[input_kind].nouns[1]
                raise ConfigError(f"augment.changes.{problem.name}: does not apply to {noun}; remove it") from None
            raise ConfigError(f"augment.changes.{problem}") from None


class TrainSettings(Section):
    """Duration, batches, and the selected epoch.

    A `budget` in seconds, when not 0, limits the wall-clock time, and `epochs` is ignored. `keep` selects the epoch:
    "last" suits schedules that decay to 0, and is not biased by the validation images.
    `probes` is the number of images whose feature maps are saved at each epoch (0: none).
    `compile` uses torch.compile: "always", with CUDA "graphs", "never"; "auto" measures which is fastest, only on a
    GPU and in long runs. `cuda_graph` launches each step on a GPU as one CUDA graph, where training is from scratch.
    `tta_views` are the views averaged per image (test-time augmentation), see `bundle.TTA_VIEWS`: "1", "shifts", or
    "auto": shifts where they reduce the validation errors significantly.
    `stop_patience` is the number of epochs without a better score (0: no early stopping); the best epoch is selected.
    `processes` compute parts of each batch of `batch` images; if one of them dies, all start again from the last
    checkpoint, and training fails after `restarts` restarts in a row without a completed epoch. `norm_statistics` are
    those of batch norm in training: over the "batch", or over each "process"'s images, which saves exchanges.
    """

    epochs: int = Field(20, ge=1)
    budget: float = Field(0.0, ge=0)
    batch: int = Field(64, ge=1)
    balanced_batches: bool = False
    stop_patience: int = Field(0, ge=0)
    keep: Literal["last", "best"] = "last"
    average: float = Field(0.0, ge=0, lt=1)
    find_lr: bool = False
    probes: int = Field(4, ge=0)
    device: str = "auto"
    precision: Precision = "auto"
    compile: CompileMode = "auto"
    cuda_graph: bool = False
    tta_views: Literal["auto", "1", "shifts"] = "auto"
    threads: int = Field(0, ge=0)
    processes: int = Field(1, ge=1)
    restarts: int = Field(3, ge=0)
    norm_statistics: NormStatistics = "batch"

    @field_validator("tta_views", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        return str(value) if isinstance(value, int) else value  # --set train.tta_views=1

    @field_validator("budget", mode="before")
    @classmethod
    def _seconds(cls, value: object) -> object:
        return parse_seconds(value) if isinstance(value, str) else value


class TransferSettings(PlanSettings, frozen=True, extra="forbid"):
    """Pretrained weights and the fine-tuning plan; see `training.PlanSettings`.

    `checkpoint` is imagenet, a network's name, a file, a run's folder, "scratch" (as ""), or "auto": chosen from the
    data, as where it is not set. The frozen features of `views` views of each image, one unchanged and the others
    augmented, are cached (0: not cached). With `fit_head`, a last layer on cached features is fitted to convergence,
    with a penalty chosen by cross-validation, instead of being trained epoch by epoch.
    """

    checkpoint: str = ""
    views: int = Field(4, ge=0)
    fit_head: bool = True


class EnergySettings(Section):
    """Emissions are those of the electricity of `country`: two letters, such as DK, or a name; "" for the world."""

    country: str = ""

    @field_validator("country")
    @classmethod
    def _country(cls, value: str) -> str:
        try:
            grid_of(value)
        except ConfigError as error:
            raise ValueError(str(error)) from None
        return value


class Recipe(Section):
    """All settings of a run."""

    seed: int = Field(0, ge=0)
    task: str = DEFAULT_TASK.name
    data: DataSettings = DataSettings()
    input: InputSettings = InputSettings()
    model: ModelSettings = ModelSettings()
    augment: AugmentSettings = AugmentSettings()
    loss: dict[str, Any] = Field(default_factory=lambda: check_options(DEFAULT_TASK, {}, "recipe"))
    optimiser: OptimiserSettings = OptimiserSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    step: StepSettings = StepSettings()
    train: TrainSettings = TrainSettings()
    transfer: TransferSettings = TransferSettings()
    energy: EnergySettings = EnergySettings()

    @field_validator("task")
    @classmethod
    def _task(cls, value: str) -> str:
        if value not in TASKS:
            raise ValueError(f"no such task{did_you_mean(value, TASKS)}")
        return value

    @property
    def task_class(self) -> type[Task]:
        """The task's class."""
        return TASKS[self.task]

    def to_toml(self) -> str:
        """Return the recipe as TOML, which `read_recipe` reads back equal."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))
