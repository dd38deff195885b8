"""Settings as files: a ``recipe.toml`` is read with the line of each setting, and written with where each is from."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from convscope.errors import ConfigError
from convscope.runs.overrides import UNNAMED, Overrides, leaves, nest
from convscope.runs.parse import check_overrides

Settings = Mapping[str, Any] | Path | str
"""Settings as the library takes them: nested, by dotted names, or a file's path."""


def read_recipe(path: Path) -> Overrides:
    """What a ``recipe.toml`` sets, checked against the known settings but not completed.

    Raises:
        ConfigError: when it is missing, no TOML, or has an unknown setting or a value that does not fit.
    """
    try:
        text = path.read_text(encoding="utf-8")
        values = tomllib.loads(text)
    except (FileNotFoundError, NotADirectoryError):
        raise ConfigError(f"{path}: no such file; give a recipe.toml, for example one from an earlier run") from None
    except IsADirectoryError:
        raise ConfigError(f"{path}: a folder, not a file; give a recipe.toml, for example one from an earlier run") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not a TOML file ({error}); compare it with an earlier run's recipe.toml") from None
    settings = Overrides(values, {name: f"{path} line {line}" for name, line in line_numbers(text).items()})
    check_overrides(settings)
    return settings


def as_overrides(settings: Settings | None, source: str = UNNAMED) -> Overrides:
    """Settings in any form, each with where it was set.

    Args:
        settings: nested, by dotted names, or the path of a recipe.toml; None: none.
        source: where they stand, unless they know it themselves, for messages.

    Raises:
        ConfigError: as `read_recipe` says.
    """
    if isinstance(settings, Overrides):
        return settings
    if isinstance(settings, str | Path):
        return read_recipe(Path(settings).expanduser())
    return Overrides.of(nest(settings or {}), source)


def line_numbers(text: str) -> dict[str, int]:
    r"""The line, counted from 1, on which each setting of a TOML text begins, by its dotted name.

    The text is cut into statements, and each is read below the header of its table, so that all of TOML is understood.

    >>> line_numbers('seed = 1\n[train]\nepochs = 3 # few\nmodel.name = "a"')
    {'seed': 1, 'train': 2, 'train.epochs': 3, 'train.model.name': 4}
    """
    found: dict[str, int] = {}
    header, statement, first = "", "", 1
    for number, line in enumerate(text.split("\n"), 1):
        first = first if statement else number
        statement += line + "\n"
        table = statement.lstrip().startswith("[")
        try:
            values = tomllib.loads(statement if table else header + statement)
        except tomllib.TOMLDecodeError:
            continue  # the statement goes on
        header = statement if table else header
        for name in leaves(values):
            found.setdefault(name, first)
        statement = ""
    return found


def annotate(text: str, sources: Mapping[str, str]) -> str:
    r"""A TOML text with a comment behind each setting that says where its value is from.

    >>> annotate("[train]\nepochs = 3", {"train.epochs": "--epochs"})
    '[train]\nepochs = 3  # --epochs'
    """
    lines = text.split("\n")
    for name, number in line_numbers(text).items():
        if name in sources:
            lines[number - 1] += f"  # {_printable(sources[name])}"
    return "\n".join(lines)


def _printable(comment: str) -> str:
    """Without what TOML and UTF-8 do not allow in a comment."""
    return re.sub(r"[\x00-\x1f\x7f]", " ", comment).encode("utf-8", "replace").decode()
