"""Every setting of a run, in one file that runs again as it is.

Three layers, later ones win: defaults chosen from the data (`run.defaults`), a ``recipe.toml``, flags.
The first layer fills only what nobody said, so `said` stays a plain nested dictionary until all is known.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, Self, get_origin

import tomli_w
from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from convscope.data import POLICIES, Policy
from convscope.errors import ConfigError, did_you_mean
from convscope.tasks import TASKS, Task, checked
from convscope.train import (
    INITIALISERS,
    OptimiserSettings,
    PlanSettings,
    Precision,
    ScheduleSettings,
    StepSettings,
)

Said = Mapping[str, Any]
ELSEWHERE = {
    "lr": "learning_rate",
    "batch_size": "batch",
    "max_epochs": "epochs",
    "wd": "weight_decay",
}  # others' words


class Section(BaseModel, frozen=True, extra="forbid"):
    """A table of the recipe; an unknown name is refused."""


class DataSettings(Section):
    """What is read, at which size (height, width), and how it is cut. Column names are a table's; "" finds them.

    `ignore` is the value in masks that stands for no class, -1 when none does.
    """

    source: str = ""
    size: tuple[int, int] = (32, 32)
    channels: Literal[1, 3] = 3
    validation: float = Field(0.1, gt=0, lt=1)
    test: float = Field(0.1, ge=0, lt=1)
    near_duplicates: bool = True
    ignore: int = Field(-1, ge=-1)
    image_column: str = ""
    label_column: str = ""
    split_column: str = ""
    group_column: str = ""

    @field_validator("size", mode="before")
    @classmethod
    def _sides(cls, value: object) -> object:
        sides = [value, value] if isinstance(value, int) else value
        if (
            not isinstance(sides, list | tuple)
            or len(sides) != 2
            or not all(isinstance(s, int) and s > 0 for s in sides)
        ):
            raise ValueError("write height and width in pixels, like [64, 64], or one number for a square")
        return tuple(sides)

    @model_validator(mode="after")
    def _leave_some(self) -> Self:
        if self.validation + self.test >= 1:
            raise ValueError(
                f"validation takes {self.validation:g} of the images and test {self.test:g}; leave some for training"
            )
        return self


class ModelSettings(Section):
    """Which network; `options` are those of its builder in `convscope.models`.

    `init` gives all its layers other first weights than its paper's: a name in `train.INITIALISERS`, or "auto" for what
    fits the activation that follows each.
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
    """What training images go through; `mirror` allows left-right flips.

    `changes` are fields of `data.Policy` that are to differ from the policy's; `mix` mixes images with others, and
    their targets by the same share, which is drawn from Beta(mix_alpha, mix_alpha).
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
            if name not in Policy.model_fields:
                raise ValueError(f"no change {name}{did_you_mean(name, Policy.model_fields)}")
        return value

    def chosen(self) -> Policy:
        """The policy with its changes.

        Raises:
            ConfigError: a change goes too far.
        """
        try:
            return Policy.model_validate({**POLICIES[self.policy].model_dump(), **self.changes})
        except ValidationError as error:
            first = error.errors()[0]
            why = first["msg"].replace("Input ", "it ", 1)
            raise ConfigError(f"augment.changes.{first['loc'][0]} is {first['input']!r}; {why}") from None


class TrainSettings(Section):
    """How long and with what.

    A `budget` in seconds, when not 0, ends the run by the clock and `epochs` is not used. `keep` says which epoch's
    network is the answer: "last" fits schedules that come to rest, and is not chosen by the validation images.
    `probes` images are followed: their feature maps are kept epoch by epoch (0: none).
    `stop_patience` counts epochs without a better score (0: never stop early) and keeps the best.
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
    threads: int = Field(0, ge=0)

    @field_validator("budget", mode="before")
    @classmethod
    def _seconds(cls, value: object) -> object:
        return seconds(value) if isinstance(value, str) else value


class TransferSettings(PlanSettings, frozen=True, extra="forbid"):
    """Whose trained weights the network begins with, and what becomes of them; see `train.PlanSettings`.

    `weights` is "" (from scratch), imagenet, a network's name, a file, or a run's folder. `views` of each image, one as
    it is and the others augmented, go through the frozen part once and are kept (0: in each epoch anew).
    """

    weights: str = ""
    views: int = Field(4, ge=0)


class Recipe(Section):
    """All settings of a run."""

    seed: int = Field(0, ge=0)
    task: str = "classify"
    data: DataSettings = DataSettings()
    model: ModelSettings = ModelSettings()
    augment: AugmentSettings = AugmentSettings()
    loss: dict[str, Any] = Field(default_factory=lambda: checked(TASKS["classify"], {}, "recipe"))
    optimiser: OptimiserSettings = OptimiserSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    step: StepSettings = StepSettings()
    train: TrainSettings = TrainSettings()
    transfer: TransferSettings = TransferSettings()

    @field_validator("task")
    @classmethod
    def _task(cls, value: str) -> str:
        if value not in TASKS:
            raise ValueError(f"no such task{did_you_mean(value, TASKS)}")
        return value

    @property
    def kind(self) -> type[Task]:
        """The task's class."""
        return TASKS[self.task]

    def to_toml(self) -> str:
        """The recipe as a file that `read_recipe` reads back equal."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))


def seconds(text: str) -> float:
    """Read a span of time.

    >>> seconds("5m"), seconds("1h30m"), seconds("90")
    (300.0, 5400.0, 90.0)
    """
    found = re.fullmatch(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s?)?", text.strip())
    if not text.strip() or not found:
        raise ValueError("write a span of time like 90s, 5m or 1h30m")
    hours, minutes, rest = (float(part or 0) for part in found.groups())
    return 3600 * hours + 60 * minutes + rest


def read_recipe(path: Path) -> dict[str, Any]:
    """What a ``recipe.toml`` says, checked against the known settings but not completed.

    Raises:
        ConfigError: when it is missing, no TOML, or has an unknown setting or a value that does not fit.
    """
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; name a recipe.toml, for instance one from an earlier run") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not a TOML file ({error}); compare it with an earlier run's recipe.toml") from None
    complete(said, place=str(path))
    return said


def settings_from_flags(pairs: Iterable[str]) -> dict[str, Any]:
    """``["optimiser.learning_rate=0.1"]`` as a nested dictionary; values are TOML, and a bare word is a string.

    >>> settings_from_flags(["train.epochs=3", "model.name=lenet"])
    {'train': {'epochs': 3}, 'model': {'name': 'lenet'}}
    """
    said: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise ConfigError(f"--set {pair}: no '=' in it; write it like --set optimiser.learning_rate=0.1")
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = text
        said[name.strip()] = value
    return nested(said)


def nested(dotted: Said) -> dict[str, Any]:
    """Settings by their dotted names as a nested dictionary; a value of None was not said and is left out.

    >>> nested({"train.epochs": 3, "train.budget": None, "seed": 1})
    {'train': {'epochs': 3}, 'seed': 1}
    """
    said: dict[str, Any] = {}
    for name, value in dotted.items():
        if value is not None:
            for word in reversed(name.split(".")):
                value = {word: value}
            said = merge(said, value)
    return said


def merge(*layers: Said) -> dict[str, Any]:
    """Nested dictionaries laid over each other; a later layer wins value by value."""
    merged: dict[str, Any] = {}
    for layer in layers:
        for name, value in layer.items():
            below = merged.get(name)
            merged[name] = merge(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return merged


def over(below: Said, above: Said) -> dict[str, Any]:
    """Settings laid over others, which keep what still fits: who names another optimiser gets its own constants.

    >>> over({"optimiser": {"name": "sgd", "momentum": 0.5}}, {"optimiser": {"name": "sgd", "nesterov": True}})
    {'optimiser': {'name': 'sgd', 'momentum': 0.5, 'nesterov': True}}
    >>> over({"optimiser": {"name": "sgd", "momentum": 0.5}}, {"optimiser": {"name": "adam"}})
    {'optimiser': {'name': 'adam'}}
    """
    return merge({section: values for section, values in below.items() if not _replaced(section, values, above)}, above)


def _replaced(section: str, values: Any, above: Said) -> bool:
    chosen = above.get(section)
    if not isinstance(values, Mapping) or not isinstance(chosen, Mapping):
        return False
    return "name" in values and chosen.get("name", values["name"]) != values["name"]


def source_of(said: Said) -> str:
    """The data that settings name.

    Raises:
        ConfigError: when they name none.
    """
    source = said.get("data", {}).get("source")
    if not source:
        raise ConfigError("data.source is not set; name DATA, as in: convscope train photos")
    return str(source)


def complete(said: Said, place: str) -> Recipe:
    """A whole recipe, with plain defaults for what is not said.

    Args:
        said: nested settings.
        place: where they stand, for the error message.

    Raises:
        ConfigError: for a setting that does not exist (with the nearest that does) or a value that does not fit.
    """
    loss = said.get("loss", {})
    try:
        recipe = Recipe.model_validate({**said, "loss": {}} if isinstance(loss, Mapping) else said)
        kind = recipe.kind if "task" in said else _who_knows(loss)
        return recipe.model_copy(update={"task": kind.name, "loss": _loss(kind, loss, place)})
    except ValidationError as error:
        raise ConfigError(f"{place}: {_why(error)}") from None


def _who_knows(loss: Said) -> type[Task]:
    """The task that settings of the loss are for, where no task was said; the usual one where it cannot be told."""
    knowing = (kind for kind in TASKS.values() if set(loss) <= set(kind.options.model_fields))
    return next(knowing, TASKS["classify"])


def _loss(kind: type[Task], loss: Said, place: str) -> dict[str, Any]:
    unknown = next((f"loss.{name}" for name in loss if name not in kind.options.model_fields), None)
    if unknown:
        raise ConfigError(f"{place}: no setting {unknown}{_meant(unknown, kind)}")
    return checked(kind, loss, place)


def _why(error: ValidationError) -> str:
    """What is wrong with the first wrong setting, and what to do."""
    first = error.errors()[0]
    name, value, kind = ".".join(str(word) for word in first["loc"]), first["input"], first["type"]
    if kind == "extra_forbidden":
        while isinstance(value, Mapping) and value:
            word, value = next(iter(value.items()))
            name += f".{word}"
        return f"no setting {name}{_meant(name)}"
    if kind == "model_type":
        inside = [known for known in known_settings() if known.startswith(f"{name}.")]
        return f"{name} is {value!r}, but it is a table of settings; set one of {', '.join(inside)}"
    why = re.sub("^Input ", "it ", first["msg"].removeprefix("Value error, "))
    return f"{name}: {why}" if isinstance(value, Mapping) else f"{name} is {value!r}; {why}"


def _meant(name: str, kind: type[Task] | None = None) -> str:
    """The known setting that comes nearest to an unknown one: by all of its name, else by its last word."""
    section, _, word = name.rpartition(".")
    word = ELSEWHERE.get(word, word)
    names = known_settings(kind)
    by_word = {known.rpartition(".")[2]: known for known in names}
    meant = did_you_mean(f"{section}.{word}" if section else word, names)
    if meant.startswith("; did") or word not in by_word:
        return meant
    return f"; did you mean {by_word[word]}?"


def known_settings(kind: type[Task] | None = None) -> list[str]:
    """The dotted names of all settings, those of the loss as a task (the usual one when None) has them."""
    loss = (kind or TASKS["classify"]).options.model_fields
    return [name for name in _known(Recipe) if name != "loss"] + [f"loss.{name}" for name in loss]


def _known(model: type[BaseModel], before: str = "") -> list[str]:
    names: list[str] = []
    for name, field in model.model_fields.items():
        kind = field.annotation
        nested = isinstance(kind, type) and get_origin(kind) is None and issubclass(kind, BaseModel)
        names += _known(kind, f"{before}{name}.") if nested else [before + name]  # type: ignore[arg-type]
    return names
