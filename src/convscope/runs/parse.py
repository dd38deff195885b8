"""Parse settings into a complete recipe; an error names the source of a wrong setting and the nearest valid one."""

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
    """Return a complete recipe, with static defaults for missing settings.

    Raises:
        ConfigError: a setting is unknown (with the nearest valid one), or its value is invalid.
    """
    recipe = _without_loss(overrides)
    return recipe.model_copy(update={"loss": _parse_loss(overrides, recipe.task_class)})


def check_overrides(overrides: Overrides) -> Recipe:
    """Check settings before the data are known; return the recipe as far as it is determined.

    Without a task, settings of the loss may be those of any task; `parse_recipe` checks them once the task is known.

    Raises:
        ConfigError: as for `parse_recipe`.
    """
    if "task" in overrides:
        return parse_recipe(overrides)
    recipe = _without_loss(overrides)
    known = {name for task_class in TASKS.values() for name in task_class.options.model_fields}
    for name in overrides.get("loss", {}):
        if name not in known:
            hint = _suggest_setting(f"loss.{name}", [*known_settings(), *(f"loss.{other}" for other in sorted(known))])
            raise ConfigError(f"{overrides.source(f'loss.{name}')}: no setting loss.{name}{hint}")
    return recipe


def _without_loss(overrides: Overrides) -> Recipe:
    """Return the recipe with the default loss of its task."""
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
            hint = _suggest_setting(f"loss.{name}", known_settings(task_class))
            raise ConfigError(f"{source}: no setting loss.{name}{hint}")
        check_options(task_class, {name: value}, source)
    return check_options(task_class, loss, overrides.source("loss"))


def _explain_error(error: ValidationError) -> tuple[str, str]:
    """Return the name of the first wrong setting, and the message."""
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
    """Suggest the nearest known setting, by the whole name, else by its last word."""
    section, _, word = name.rpartition(".")
    word = SETTING_ALIASES.get(word, word)
    dotted = f"{section}.{word}" if section else word
    by_word = {known.rpartition(".")[2]: known for known in names}
    if word in by_word and not closest(dotted, names):
        return f"; did you mean {by_word[word]}?"
    return did_you_mean(dotted, names)


def known_settings(task_class: type[Task] | None = None) -> list[str]:
    """Return the dotted names of all settings, with the loss of a task (None: of the default task)."""
    loss = (task_class or DEFAULT_TASK).options.model_fields
    return [name for name in _known(Recipe) if name != "loss"] + [f"loss.{name}" for name in loss]


def _known(model: type[BaseModel], before: str = "") -> list[str]:
    names: list[str] = []
    for name, field in model.model_fields.items():
        kind = field.annotation
        nested = isinstance(kind, type) and get_origin(kind) is None and issubclass(kind, BaseModel)
        names += _known(kind, f"{before}{name}.") if nested else [before + name]  # type: ignore[arg-type]
    return names
