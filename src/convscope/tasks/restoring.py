"""Tasks from saved settings, and the options of a task checked."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from pydantic import TypeAdapter, ValidationError

from convscope.errors import ConfigError, ModelError, did_you_mean
from convscope.tasks.task import Task
from convscope.validation import first_problem


def restore_task(task_class: type[Task], classes: Sequence[str], settings: Mapping[str, Any]) -> Task:
    """Restore a task from the result of `Task.settings`.

    Raises:
        ModelError: the settings do not match the task.
    """
    unknown = sorted(set(settings) - {field.name for field in fields(task_class)})
    why = f"no setting {unknown[0]}" if unknown else ""
    try:
        if not why:
            return TypeAdapter(task_class).validate_python({"classes": tuple(classes), **settings})
    except ValidationError as error:
        why = str(first_problem(error))
    raise ModelError(f"task {task_class.name}: {why}; copy the model again")


def check_options(task_class: type[Task], options: Mapping[str, Any], source: str) -> dict[str, Any]:
    """The options of a task, completed with its defaults.

    Raises:
        ConfigError: an option is unknown, or a value is invalid.
    """
    known = task_class.options.model_fields
    unknown = [name for name in options if name not in known]
    if unknown:
        meant = did_you_mean(unknown[0], known) if known else "; it has none"
        raise ConfigError(f"{source}: the task {task_class.name} has no setting loss.{unknown[0]}{meant}")
    try:
        return task_class.options.model_validate(dict(options)).model_dump()
    except ValidationError as error:
        raise ConfigError(f"{source}: loss.{first_problem(error)}") from None
