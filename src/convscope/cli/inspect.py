"""``convscope inspect``"""

from pathlib import Path
from typing import Annotated

import typer

from convscope.errors import ConfigError


def inspect(
    model: Annotated[
        str,
        typer.Argument(
            help="A network's name (vgg16, resnet50, unet ...: docs/reference/networks.md), a .toml of blocks, a run, "
            "or your own in Python, like mine:Net.",
            show_default=False,
        ),
    ],
    size: Annotated[str | None, typer.Option(help="Channels x height x width, like 3x224x224.")] = None,
    classes: Annotated[int, typer.Option(help="Classes of a network given by name.")] = 1000,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="An option of the network: --set activation=tanh"),
    ] = None,
    objects: Annotated[int | None, typer.Option(help="Side in pixels of what is to be recognised.")] = None,
    path: Annotated[
        str | None, typer.Option(help="Show only the path with this layer's largest receptive field.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    html: Annotated[Path | None, typer.Option(help="Draw the network on a page that opens offline.")] = None,
) -> None:
    """Show a network layer by layer: shape, parameters, MACs, memory, receptive field.

    Every figure comes with its formula filled in. Nothing is downloaded and no memory is allocated for the parameters.
    """
    from convscope.api import anatomy_page, anatomy_table, settings_from_flags
    from convscope.api import inspect as dissected
    from convscope.cli.show import print_json, table_of

    options = settings_from_flags(set_ or [])
    summary = dissected(model, _shape(size), classes=classes, objects=objects, options=options)
    if json:
        print_json(summary.to_json())
        return
    if html is not None:
        html.write_text(anatomy_page(summary), encoding="utf-8")
        print(html)
        return
    heading, *rows = anatomy_table(summary)
    wanted = {layer.name for layer in summary.path(path)} if path else None
    table_of(list(heading), [row for row in rows if wanted is None or row[0] in wanted])
    shares = ", ".join(f"{100 * share:.1f} % {group}" for group, share in summary.shares().items())
    print(f"\nparameters by group: {shares}")
    for warning in summary.warnings:
        print(f"! {warning}")


def _shape(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    parts = text.lower().split("x")
    if not all(part.strip().isdigit() for part in parts) or len(parts) < 2:
        raise ConfigError(f"--size {text}: not a shape; write channels x height x width, like 3x224x224")
    return tuple(int(part) for part in parts)
