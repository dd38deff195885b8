"""Options shared by several commands, and commands whose options are the fields of a dataclass."""

import inspect
import os
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_type_hints

import typer

OutOption = Annotated[
    Path | None,
    typer.Option(help="Folder for images and numbers.", show_default="RUN/explain/METHOD, included in the report"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the numbers as one JSON object.")]
ViewsOption = Annotated[
    str | None,
    typer.Option(
        help="Test-time augmentation: views averaged per image: 1, 5, 10, multi-scale or shifts. "
        "They include mirror images only where training mirrored.",
        show_default="as chosen in training",
    ),
]


def _leave_out_self_test(chosen: bool) -> bool:
    if chosen:
        os.environ["CONVSCOPE_SELF_TEST"] = "0"
    return chosen


SelfTestOption = Annotated[
    bool,
    typer.Option(
        "--no-self-test",
        help="Open the model although its answers to five fixed inputs differ from those when it was saved.",
        callback=_leave_out_self_test,
    ),
]

RuntimeOption = Annotated[
    Literal["auto", "torch", "onnx"],
    typer.Option(
        help="What computes: torch, onnx (the file that `convscope export` wrote into the run), or auto: the one that "
        "`export` measured as the faster one on this machine; torch without such a file."
    ),
]

LAYOUT_HELP = (
    "How DATA is laid out: folder, nested-folders, file-names, name-parts, table, table-folder, masks, voc, coco, "
    "yolo, via, label-studio, labelme, cvat, arrays, idx, cifar, series, text-table, "
    "text-folders, text-lines or builtin. [default: detected]"
)
Options = TypeVar("Options")


@dataclass(frozen=True)
class Setting:
    """Marks an option, in its `Annotated` type, as the value of a setting of the recipe by its dotted name."""

    name: str


TaskOption = Annotated[
    str | None,
    typer.Option(help="classify, multilabel, regress, segment or localise. [default: from the data]"),
    Setting("task"),
]
LayoutOption = Annotated[str | None, typer.Option(help=LAYOUT_HELP), Setting("data.layout")]
SizeOption = Annotated[
    int | None,
    typer.Option(help="Side in pixels to resize images to. [default: from the data]"),
    Setting("data.size"),
]


def with_options(declared: type[Options]) -> Callable[[Callable[[Options], None]], Callable[..., None]]:
    """Give a command one option per field of a dataclass; the command is called with an instance of it.

    Args:
        declared: a dataclass whose fields have `Annotated` types with `typer.Option` or `typer.Argument`.
    """

    def decorate(command: Callable[[Options], None]) -> Callable[..., None]:
        def call(**given: Any) -> None:
            command(declared(**given))

        hints = get_type_hints(declared, include_extras=True)
        parameters = [
            inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if field.default is MISSING else field.default,
                annotation=hints[field.name],
            )
            for field in fields(declared)  # type: ignore[arg-type]  # a dataclass
        ]
        call.__name__, call.__doc__, call.__module__ = command.__name__, command.__doc__, command.__module__
        call.__annotations__ = {**hints, "return": None}
        setattr(call, "__signature__", inspect.Signature(parameters))  # noqa: B010
        return call

    return decorate


def settings_of(options: Any) -> dict[str, tuple[str, Any]]:
    """Return the options that are settings: ``{"--epochs": ("train.epochs", 3)}``, None where not given."""
    hints = get_type_hints(type(options), include_extras=True)
    marks = {name: mark for name, hint in hints.items() for mark in hint.__metadata__ if isinstance(mark, Setting)}
    return {
        f"--{name.strip('_').replace('_', '-')}": (mark.name, getattr(options, name)) for name, mark in marks.items()
    }
