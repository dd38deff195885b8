"""From settings to a whole recipe; a wrong one is refused with the place that set it and what was meant."""

from collections.abc import Mapping
from typing import Any, get_origin

from pydantic import BaseModel, ValidationError

from convscope.errors import ConfigError, closest, did_you_mean
from convscope.runs.overrides import Overrides
from convscope.runs.recipe import Recipe
from convscope.tasks import DEFAULT_TASK, TASKS, Task, check_options
from convscope.validation import first_problem

SETTING_ALIASES = {
    "lr": "learning_rate",
    "batch_size": "batch",
    "max_epochs": "epochs",
    "wd": "weight_decay",
}  # names in other libraries


def parse_recipe(overrides: Overrides) -> Recipe:
    """A whole recipe, with plain defaults for what is not set.

    Raises:
        ConfigError: for a setting that does not exist (with the nearest that does) or a value that does not fit.
    """
    recipe = _without_loss(overrides)
    return recipe.model_copy(update={"loss": _parse_loss(overrides, recipe.task_class)})


def check_overrides(overrides: Overrides) -> Recipe:
    """Refuse what cannot be set, whatever the data are; returns the recipe as far as it is known.

    Where no task is named, the settings of the loss are only known to be some task's: `parse_recipe` checks them when
    the data have shown the task.

    Raises:
        ConfigError: as `parse_recipe` says.
    """
    if "task" in overrides:
        return parse_recipe(overrides)
    recipe = _without_loss(overrides)
    known = {name for task_class in TASKS.values() for name in task_class.options.model_fields}
    for name in overrides.get("loss", {}):
        if name not in known:
            meant = _suggest_setting(f"loss.{name}", [*known_settings(), *(f"loss.{other}" for other in sorted(known))])
            raise ConfigError(f"{overrides.source(f'loss.{name}')}: no setting loss.{name}{meant}")
    return recipe


def _without_loss(overrides: Overrides) -> Recipe:
    """The recipe with its task's usual loss."""
    loss = overrides.get("loss", {})
    try:
        recipe = Recipe.model_validate({**overrides, "loss": {}} if isinstance(loss, Mapping) else dict(overrides))
    except ValidationError as error:
        name, message = _explain_error(error)
        raise ConfigError(f"{overrides.source(name)}: {message}") from None
    return recipe.model_copy(update={"loss": check_options(recipe.task_class, {}, "recipe")})


def _parse_loss(overrides: Overrides, task_class: type[Task]) -> dict[str, Any]:
    loss, known = overrides.get("loss", {}), task_class.options.model_fields
    for name, value in loss.items():
        source = overrides.source(f"loss.{name}")
        if name not in known and closest(f"loss.{name}", [f"loss.{other}" for other in known]):
            meant = _suggest_setting(f"loss.{name}", known_settings(task_class))
            raise ConfigError(f"{source}: no setting loss.{name}{meant}")
        check_options(task_class, {name: value}, source)
    return check_options(task_class, loss, overrides.source("loss"))


def _explain_error(error: ValidationError) -> tuple[str, str]:
    """The name of the first wrong setting; what is wrong with it, and what to do."""
    problem = first_problem(error)
    name, value = problem.name, problem.value
    if problem.kind == "extra_forbidden":
        while isinstance(value, Mapping) and value:
            word, value = next(iter(value.items()))
            name += f".{word}"
        return name, f"no setting {name}{_suggest_setting(name, known_settings())}"
    if problem.kind == "model_type":
        inside = [known for known in known_settings() if known.startswith(f"{name}.")]
        return name, f"{name} is {value!r}, but it is a table of settings; set one of {', '.join(inside)}"
    return name, f"{name}: {problem.why}" if isinstance(value, Mapping) else str(problem)


def _suggest_setting(name: str, names: list[str]) -> str:
    """The known setting that comes nearest to an unknown one: by all of its name, else by its last word."""
    section, _, word = name.rpartition(".")
    word = SETTING_ALIASES.get(word, word)
    dotted = f"{section}.{word}" if section else word
    by_word = {known.rpartition(".")[2]: known for known in names}
    if word in by_word and not closest(dotted, names):
        return f"; did you mean {by_word[word]}?"
    return did_you_mean(dotted, names)


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
