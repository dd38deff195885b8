"""``convscope inspect``"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from convscope.cli.options import with_options
from convscope.errors import ConfigError


@dataclass(frozen=True)
class InspectOptions:
    """What ``convscope inspect`` accepts."""

    model: Annotated[
        str,
        typer.Argument(
            help="A network's name (vgg16, resnet50, unet ...: docs/reference/networks.md), a .toml of blocks, a run, "
            "or the import path of your own, like mine:Net.",
            show_default=False,
        ),
    ]
    size: Annotated[
        str | None,
        typer.Option(help="Input shape: channels x height x width. [default: as published, else 3x224x224]"),
    ] = None
    classes: Annotated[
        int | None, typer.Option(help="Number of classes of a network given by name. [default: as published]", min=1)
    ] = None
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="An option of the network: --set activation=tanh"),
    ] = None
    objects: Annotated[
        int | None,
        typer.Option(help="Side in pixels of the objects to recognise; warns if the receptive field is smaller."),
    ] = None
    path: Annotated[
        str | None, typer.Option(help="Show only the path to this layer with the largest receptive field.")
    ] = None
    all: Annotated[bool, typer.Option("--all", help="Print every layer, also of networks with many.")] = False
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False
    html: Annotated[Path | None, typer.Option(help="Write a diagram of the network as a self-contained HTML page.")] = (
        None
    )


@with_options(InspectOptions)
def inspect(options: InspectOptions) -> None:
    """Summarise a network layer by layer: shape, parameters, MACs, memory, receptive field; many layers by stages.

    Each number is shown with its formula. Nothing is downloaded, and no memory is allocated for the parameters. Of a
    run, also the ranks of its trained kernels: how many are a column times a row, and what that loses in the others.

    Example: `convscope inspect vgg16 --size 3x224x224`
    """
    from convscope.api import inspect as summary_of
    from convscope.api import (
        kernels_table,
        settings_from_flags,
        summary_folds,
        summary_page,
        summary_stages,
        summary_table,
    )
    from convscope.cli.printing import print_json, table_of

    network_options = settings_from_flags(options.set_ or [])
    summary = summary_of(
        options.model, _shape(options.size), classes=options.classes, objects=options.objects, options=network_options
    )
    if options.html is not None:
        options.html.parent.mkdir(parents=True, exist_ok=True)
        options.html.write_text(summary_page(summary), encoding="utf-8")
        print(options.html, file=sys.stderr if options.json else sys.stdout)
    if options.json:
        print_json(summary.to_json())
    if options.json or options.html is not None:
        return
    folded = summary_folds(summary) and not options.all and not options.path
    heading, *rows = summary_stages(summary) if folded else summary_table(summary)
    shown = {layer.name for layer in summary.path(options.path)} if options.path else None
    table_of(list(heading), [row for row in rows if shown is None or row[0] in shown])
    if folded:
        print(f"\n{len(summary.layers)} layers folded to stages; every layer, with formulas: --all")
    shares = ", ".join(f"{100 * share:.1f} % {group}" for group, share in summary.shares().items())
    print(f"\nparameters by group: {shares}")
    if summary.kernels and not options.path:
        heading, *rows = kernels_table(summary.kernels)
        print()
        table_of(list(heading), rows)
    for warning in summary.warnings:
        print(f"! {warning}")


def _shape(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    parts = text.lower().split("x")
    if not all(part.strip().isdigit() for part in parts) or len(parts) < 2:
        raise ConfigError(f"--size {text}: not a shape; write channels x height x width, like 3x224x224")
    return tuple(int(part) for part in parts)
