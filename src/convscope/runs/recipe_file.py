"""Recipe files: read with the line number of each setting, written with its source as a comment."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from convscope.errors import ConfigError
from convscope.runs.overrides import UNNAMED, Overrides, leaves, nest
from convscope.runs.parse import check_overrides

Settings = Mapping[str, Any] | Path | str
"""Settings: nested, by dotted names, or the path of a file."""


def read_recipe(path: Path) -> Overrides:
    """Read the settings of a ``recipe.toml``; they are checked, but defaults are not filled in.

    Raises:
        ConfigError: it is missing or not TOML, or has an unknown setting or an invalid value.
    """
    try:
        text = path.read_text(encoding="utf-8")
        values = tomllib.loads(text)
        lines = line_numbers(text)
    except (FileNotFoundError, NotADirectoryError):
        raise ConfigError(f"{path}: no such file; give a recipe.toml, for example one from an earlier run") from None
    except IsADirectoryError:
        raise ConfigError(
            f"{path}: a folder, not a file; give a recipe.toml, for example one from an earlier run"
        ) from None
    except (ValueError, RecursionError) as error:  # not TOML, not UTF-8, a number of thousands of digits, too deep
        raise ConfigError(f"{path}: not a TOML file ({error}); compare it with an earlier run's recipe.toml") from None
    settings = Overrides(values, {name: f"{path} line {line}" for name, line in lines.items()})
    check_overrides(settings)
    return settings


def as_overrides(settings: Settings | None, source: str = UNNAMED) -> Overrides:
    """Convert settings in any form to `Overrides`.

    Args:
        settings: nested, by dotted names, or the path of a recipe.toml; None: none.
        source: of settings that have none of their own, for messages.

    Raises:
        ConfigError: as for `read_recipe`.
    """
    if isinstance(settings, Overrides):
        return settings
    if isinstance(settings, str | Path):
        return read_recipe(Path(settings).expanduser())
    return Overrides.of(nest(settings or {}), source)


def line_numbers(text: str) -> dict[str, int]:
    r"""Return the line number, from 1, of each setting of a TOML text, by its dotted name.

    The text is divided into statements, each parsed with the header of its table, so all of TOML is supported.

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
    r"""Add a comment with its source to each setting of a TOML text.

    >>> annotate("[train]\nepochs = 3", {"train.epochs": "--epochs"})
    '[train]\nepochs = 3  # --epochs'
    """
    lines = text.split("\n")
    for name, number in line_numbers(text).items():
        if name in sources:
            lines[number - 1] += f"  # {_printable(sources[name])}"
    return "\n".join(lines)


def _printable(comment: str) -> str:
    """Remove characters that TOML and UTF-8 do not allow in a comment."""
    return re.sub(r"[\x00-\x1f\x7f]", " ", comment).encode("utf-8", "replace").decode()
