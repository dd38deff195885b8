"""Settings as users give them: a dictionary, nested or by dotted names, or the path of a TOML file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from convscope.errors import ConfigError
from convscope.runs.overrides import nest, read_recipe

Settings = Mapping[str, Any] | str | Path


def read_settings(settings: Settings | None) -> dict[str, Any]:
    """Settings as a nested dictionary.

    Args:
        settings: a dictionary such as ``{"optimiser.learning_rate": 0.1}``, or the path of a ``recipe.toml``.

    Raises:
        ConfigError: a file that is missing or not TOML, a setting that does not exist, or another type.

    >>> read_settings({"optimiser.learning_rate": 0.1})
    {'optimiser': {'learning_rate': 0.1}}
    """
    if settings is None:
        return {}
    if isinstance(settings, str | Path):
        return read_recipe(Path(settings).expanduser())
    if isinstance(settings, Mapping):
        return nest(settings)
    kind = type(settings).__name__
    raise ConfigError(f"settings: a {kind} is not a kind of settings; give a dictionary or the path of a recipe.toml")
