"""Reference pages of the documentation site, written from the code: commands, settings, Python API."""

from collections.abc import Iterator
from inspect import cleandoc
from typing import Any

from pydantic import BaseModel
from typer.main import get_command

import convscope as cs
from convscope.cli.main import app
from convscope.runs.recipe import Recipe

API_OPTIONS = "    options:\n      heading_level: 3\n      show_root_heading: true\n      show_root_full_path: false\n"


def commands_page() -> str:
    """Return the reference of the command line: each command with its help, arguments and options."""
    root = get_command(app)
    sections = [_command_section(name, command) for name, command in _walk("convscope", root)]
    return "# Commands\n\nAlso shown by `--help` of each command.\n\n" + "\n\n".join(sections) + "\n"


def settings_page() -> str:
    """Return the reference of `recipe.toml`: each section with its description, and each setting with its default."""
    sections = [_settings_section("", Recipe)]
    for name, field in Recipe.model_fields.items():
        if _is_section(field.annotation):
            sections.append(_settings_section(name, field.annotation))
    intro = (
        "# Settings of a recipe\n\nWritten as `name = value` below its section in `recipe.toml`, or as `--set "
        "section.name=value`. The defaults here are those before the data are known; "
        "[which are chosen from the data, and why](defaults.md).\n\n"
    )
    return intro + "\n\n".join(sections) + "\n"


def api_page() -> str:
    """Return the page of the public Python names, whose docstrings mkdocstrings fills in."""
    names = [name for name in dir(cs) if name != "results"]
    blocks = [f"::: convscope.{_home(getattr(cs, name))}\n{API_OPTIONS}" for name in names]
    results = [f"::: convscope.{_home(getattr(cs.results, name))}\n{API_OPTIONS}" for name in cs.results.__all__]
    return (
        "# Python API\n\n`import convscope as cs`; `cs.results` lists the types that the verbs return.\n\n## Verbs\n\n"
        + "\n".join(blocks)
        + "\n## Results\n\n"
        + "\n".join(results)
    )


def _home(thing: Any) -> str:
    return f"{thing.__module__.removeprefix('convscope.')}.{thing.__qualname__}"


def _walk(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    if not hasattr(command, "list_commands"):
        yield name, command
        return
    context = command.context_class(command, info_name=name)
    for part in command.list_commands(context):
        yield from _walk(f"{name} {part}", command.get_command(context, part))


def _command_section(name: str, command: Any) -> str:
    context = command.context_class(command, info_name=name)
    usage = " ".join(command.collect_usage_pieces(context))
    rows = [_option_row(parameter, context) for parameter in command.params]
    table = "| | | default |\n|---|---|---|\n" + "\n".join(rows) if rows else ""
    return f"## {name}\n\n```\n{name} {usage}\n```\n\n{cleandoc(command.help or '')}\n\n{table}"


def _option_row(parameter: Any, context: Any) -> str:
    record = parameter.get_help_record(context)
    label = record[0] if record else parameter.human_readable_name
    text = getattr(parameter, "help", "") or ""
    default = getattr(parameter, "show_default", None)
    if default is True or default is None:
        value = parameter.get_default(context)
        default = "" if value in (None, False, ()) else str(value)
    shown = "" if default is False else str(default)
    return f"| `{_cell(label)}` | {_cell(text)} | {_cell(shown)} |"


def _settings_section(name: str, section: type[BaseModel]) -> str:
    fields = {key: field for key, field in section.model_fields.items() if not _is_section(field.annotation)}
    rows = [
        f"| `{key}` | `{_cell(_type_name(field.annotation))}` | `{_cell(repr(default))}` |"
        for key, field in fields.items()
        for default in [field.get_default(call_default_factory=True)]
    ]
    table = "| setting | type | default |\n|---|---|---|\n" + "\n".join(rows)
    return f"## {f'[{name}]' if name else 'Without a section'}\n\n{cleandoc(section.__doc__ or '')}\n\n{table}"


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _type_name(annotation: Any) -> str:
    text = (
        annotation.__name__ if isinstance(annotation, type) and not hasattr(annotation, "__args__") else str(annotation)
    )
    return text.replace("typing.", "").replace("NoneType", "None")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
