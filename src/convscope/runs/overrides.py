"""What a user says of a run, layer over layer, until a whole recipe is known.

Three layers, later ones win: defaults chosen from the data (`run.defaults`), a ``recipe.toml``, flags.
The first layer fills only what nobody said, so `Overrides` stays a plain nested dictionary until all is known.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, get_origin

from pydantic import BaseModel, ValidationError

from convscope.errors import ConfigError, did_you_mean
from convscope.runs.recipe import Recipe
from convscope.tasks import DEFAULT_TASK, TASKS, Task, check_options

Overrides = Mapping[str, Any]
SETTING_ALIASES = {
    "lr": "learning_rate",
    "batch_size": "batch",
    "max_epochs": "epochs",
    "wd": "weight_decay",
}  # others' words


def read_recipe(path: Path) -> dict[str, Any]:
    """What a ``recipe.toml`` says, checked against the known settings but not completed.

    Raises:
        ConfigError: when it is missing, no TOML, or has an unknown setting or a value that does not fit.
    """
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; name a recipe.toml, for instance one from an earlier run") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not a TOML file ({error}); compare it with an earlier run's recipe.toml") from None
    parse_recipe(settings, source=str(path))
    return settings


def settings_from_flags(pairs: Iterable[str]) -> dict[str, Any]:
    """``["optimiser.learning_rate=0.1"]`` as a nested dictionary; values are TOML, and a bare word is a string.

    >>> settings_from_flags(["train.epochs=3", "model.name=lenet"])
    {'train': {'epochs': 3}, 'model': {'name': 'lenet'}}
    """
    settings: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise ConfigError(f"--set {pair}: no '=' in it; write it like --set optimiser.learning_rate=0.1")
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = text
        settings[name.strip()] = value
    return nest(settings)


def nest(dotted: Overrides) -> dict[str, Any]:
    """Settings by their dotted names as a nested dictionary; a value of None was not said and is left out.

    >>> nest({"train.epochs": 3, "train.budget": None, "seed": 1})
    {'train': {'epochs': 3}, 'seed': 1}
    """
    settings: dict[str, Any] = {}
    for name, value in dotted.items():
        if value is not None:
            for word in reversed(name.split(".")):
                value = {word: value}
            settings = merge(settings, value)
    return settings


def merge(*layers: Overrides) -> dict[str, Any]:
    """Nested dictionaries laid over each other; a later layer wins value by value."""
    merged: dict[str, Any] = {}
    for layer in layers:
        for name, value in layer.items():
            below = merged.get(name)
            merged[name] = merge(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return merged


def override(below: Overrides, above: Overrides) -> dict[str, Any]:
    """Settings laid over others, which keep what still fits: who names another optimiser gets its own constants.

    >>> override({"optimiser": {"name": "sgd", "momentum": 0.5}}, {"optimiser": {"name": "sgd", "nesterov": True}})
    {'optimiser': {'name': 'sgd', 'momentum': 0.5, 'nesterov': True}}
    >>> override({"optimiser": {"name": "sgd", "momentum": 0.5}}, {"optimiser": {"name": "adam"}})
    {'optimiser': {'name': 'adam'}}
    """
    return merge({section: values for section, values in below.items() if not _replaced(section, values, above)}, above)


def _replaced(section: str, values: Any, above: Overrides) -> bool:
    chosen = above.get(section)
    if not isinstance(values, Mapping) or not isinstance(chosen, Mapping):
        return False
    return "name" in values and chosen.get("name", values["name"]) != values["name"]


def data_source(overrides: Overrides) -> str:
    """The data that settings name.

    Raises:
        ConfigError: when they name none.
    """
    source = overrides.get("data", {}).get("source")
    if not source:
        raise ConfigError("data.source is not set; name DATA, as in: convscope train photos")
    return str(source)


def parse_recipe(overrides: Overrides, source: str) -> Recipe:
    """A whole recipe, with plain defaults for what is not said.

    Args:
        overrides: nested settings.
        source: where they stand, for the error message.

    Raises:
        ConfigError: for a setting that does not exist (with the nearest that does) or a value that does not fit.
    """
    loss = overrides.get("loss", {})
    try:
        recipe = Recipe.model_validate({**overrides, "loss": {}} if isinstance(loss, Mapping) else overrides)
        task_class = recipe.task_class if "task" in overrides else _task_of_loss(loss)
        return recipe.model_copy(update={"task": task_class.name, "loss": _loss(task_class, loss, source)})
    except ValidationError as error:
        raise ConfigError(f"{source}: {_explain_error(error)}") from None


def _task_of_loss(loss: Overrides) -> type[Task]:
    """The task that settings of the loss are for, where no task was said; the usual one where it cannot be told."""
    candidates = (task_class for task_class in TASKS.values() if set(loss) <= set(task_class.options.model_fields))
    return next(candidates, DEFAULT_TASK)


def _loss(task_class: type[Task], loss: Overrides, source: str) -> dict[str, Any]:
    unknown = next((f"loss.{name}" for name in loss if name not in task_class.options.model_fields), None)
    if unknown:
        raise ConfigError(f"{source}: no setting {unknown}{_suggest_setting(unknown, task_class)}")
    return check_options(task_class, loss, source)


def _explain_error(error: ValidationError) -> str:
    """What is wrong with the first wrong setting, and what to do."""
    first = error.errors()[0]
    name, value, kind = ".".join(str(word) for word in first["loc"]), first["input"], first["type"]
    if kind == "extra_forbidden":
        while isinstance(value, Mapping) and value:
            word, value = next(iter(value.items()))
            name += f".{word}"
        return f"no setting {name}{_suggest_setting(name)}"
    if kind == "model_type":
        inside = [known for known in known_settings() if known.startswith(f"{name}.")]
        return f"{name} is {value!r}, but it is a table of settings; set one of {', '.join(inside)}"
    why = re.sub("^Input ", "it ", first["msg"].removeprefix("Value error, "))
    return f"{name}: {why}" if isinstance(value, Mapping) else f"{name} is {value!r}; {why}"


def _suggest_setting(name: str, task_class: type[Task] | None = None) -> str:
    """The known setting that comes nearest to an unknown one: by all of its name, else by its last word."""
    section, _, word = name.rpartition(".")
    word = SETTING_ALIASES.get(word, word)
    names = known_settings(task_class)
    by_word = {known.rpartition(".")[2]: known for known in names}
    meant = did_you_mean(f"{section}.{word}" if section else word, names)
    if meant.startswith("; did") or word not in by_word:
        return meant
    return f"; did you mean {by_word[word]}?"


def known_settings(task_class: type[Task] | None = None) -> list[str]:
    """The dotted names of all settings, those of the loss as a task (the usual one when None) has them."""
    loss = (task_class or DEFAULT_TASK).options.model_fields
    return [name for name in _known(Recipe) if name != "loss"] + [f"loss.{name}" for name in loss]


def _known(model: type[BaseModel], before: str = "") -> list[str]:
    names: list[str] = []
    for name, field in model.model_fields.items():
        kind = field.annotation
        nested = isinstance(kind, type) and get_origin(kind) is None and issubclass(kind, BaseModel)
        names += _known(kind, f"{before}{name}.") if nested else [before + name]  # type: ignore[arg-type]
    return names
