"""``convscope explain``: one command per explain method, generated from the registry."""

import inspect
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

import typer
from typer.core import TyperCommand, TyperGroup

from convscope.cli.options import JsonOption, OutOption

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from convscope.analysis.method import Method


def methods() -> "Mapping[str, Method]":
    """Import the registry on demand: importing pydantic takes half of the time of ``convscope --help``."""
    from convscope.analysis.registry import METHODS

    return METHODS


SHORT = {"layers": "-l", "images": "-i"}


class Methods(TyperGroup):
    """A command group with one command per explain method, created on demand.

    ``convscope explain attribution --help`` works without a run.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Insert a placeholder for RUN if only the help of a method is requested."""
        if len(args) == 2 and args[0] in methods() and args[1] in ("-h", "--help"):
            args = ["RUN", *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """Return the names of all methods."""
        return list(methods())

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Resolve a method; say which one is meant if there is none of that name.

        Raises:
            ConfigError: no such method.
        """
        from convscope.analysis.registry import method_named

        if args and not args[0].startswith("-"):
            method_named(args[0])
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """Return the command of a method."""
        return command(methods()[cmd_name]) if cmd_name in methods() else None


app = typer.Typer(cls=Methods, no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]})


@app.callback()
def explain(
    ctx: typer.Context,
    run: Annotated[Path, typer.Argument(help="A run's folder, or a saved model's.", show_default=False)],
) -> None:
    """Analyse a trained network with attribution maps, feature visualisation, probes and more.

    Each method writes images and numbers (JSON) to RUN/explain/METHOD; `convscope report RUN` adds them to the report.

    Start with: `convscope explain RUN attribution`, then `convscope explain RUN hierarchy`

    Options of a method: `convscope explain attribution --help`
    """
    ctx.obj = run


def command(method: "Method") -> TyperCommand:
    """Create the command of a method: one option per field of its settings, then --out and --json."""

    def call(ctx: typer.Context, out: Path | None = None, json: bool = False, **given: Any) -> None:
        _run_method(ctx.obj, method, given, out, json)

    kind = inspect.Parameter.KEYWORD_ONLY
    options = [option(name, field) for name, field in method.settings.model_fields.items()]
    options += [
        inspect.Parameter("out", kind, default=None, annotation=OutOption),
        inspect.Parameter("json", kind, default=False, annotation=JsonOption),
    ]
    context = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    setattr(call, "__signature__", inspect.Signature([context, *options]))  # noqa: B010
    call.__annotations__ = {one.name: one.annotation for one in (context, *options)}
    details = f" {method.details}" if method.details else ""
    call.__doc__ = f"{method.summary}\n\n{details} {method.limitations}".strip()
    return _as_command(method.name, call)


def option(name: str, field: "FieldInfo") -> inspect.Parameter:
    """Create the option of one field of a settings model."""
    multiple, plain, choices = _kind(field.annotation)
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    text = str(field.description or "")
    if choices:
        text = f"{text} One of {', '.join(choices)}{'; may be repeated' if multiple else ''}."
    elif multiple:
        text += " A list like 0,3,8-11." if plain is int else " May be repeated."
    auto = str(extra.get("auto") or "")
    default = list(field.default) if isinstance(field.default, tuple) else field.default
    low = next((limit.ge for limit in field.metadata if hasattr(limit, "ge")), None)
    high = next((limit.le for limit in field.metadata if hasattr(limit, "le")), None)
    names = [f"--{name.replace('_', '-')}", *([SHORT[name]] if name in SHORT else [])]
    if multiple:
        kind: Any = str if plain is int else list[str]
    else:
        kind = str if choices else plain
    limits: dict[str, Any] = {"min": low, "max": high} if kind in (int, float) else {}
    declared = typer.Option(*names, help=text, show_default=auto or True, **limits)
    given = Annotated[kind | None, declared]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None if auto else default, annotation=given)


def _kind(annotation: Any) -> tuple[bool, Any, tuple[str, ...]]:
    """Return whether an annotation accepts several values, their type, and the choices."""
    if get_origin(annotation) in (Union, types.UnionType):
        annotation = next(one for one in get_args(annotation) if one is not type(None))
    multiple = get_origin(annotation) is tuple
    if multiple:
        annotation = get_args(annotation)[0]
    choices = tuple(map(str, get_args(annotation))) if get_origin(annotation) is Literal else ()
    return multiple, annotation, choices


def _as_command(name: str, call: Callable[..., None]) -> TyperCommand:
    app_of_one = typer.Typer(rich_markup_mode="markdown", add_completion=False)
    settings = {"help_option_names": ["-h", "--help"]}
    app_of_one.command(name, context_settings=settings)(call)
    created = typer.main.get_command(app_of_one)
    assert isinstance(created, TyperCommand)  # an app with one command is not a group
    return created


def _run_method(run: Path, method: "Method", given: dict[str, Any], out: Path | None, json: bool) -> None:
    from convscope.api.explain import explain as explained
    from convscope.cli.printing import print_json
    from convscope.cli.progress import progress

    settings = {name: value for name, value in given.items() if value not in (None, [])}
    for name, field in method.settings.model_fields.items():
        multiple, plain, _ = _kind(field.annotation)
        if multiple and plain is int and name in settings:
            settings[name] = numbers(settings[name], f"--{name.replace('_', '-')}")
    with progress(method.name) as on_progress:
        result = explained(run, method.name, settings, on_progress=on_progress, out=out)
    if json:
        print_json(result.numbers)
        return
    for sentence in result.summary:
        print(sentence)
    for path in (*result.pictures, result.numbers_file):
        print(path)


def numbers(text: str, source: str = "--channels") -> tuple[int, ...]:
    """Parse a list of numbers and ranges.

    >>> numbers("0,3,8-11")
    (0, 3, 8, 9, 10, 11)
    """
    from convscope.errors import ConfigError

    values: list[int] = []
    for part in text.split(","):
        first, dash, last = (word.strip() for word in part.partition("-"))
        if not first.isdigit() or (dash and not last.isdigit()):
            raise ConfigError(f"{source} {text}: not a list of numbers; write it like 0,3,8-11")
        values += range(int(first), int(last or first) + 1)
    return tuple(values)
