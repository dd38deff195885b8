"""``convscope data``"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from convscope.cli.options import LAYOUT_HELP, with_options


@dataclass(frozen=True)
class DataOptions:
    """What ``convscope data`` accepts."""

    source: Annotated[
        str, typer.Argument(metavar="DATA", help="A folder, a table or a built-in name.", show_default=False)
    ]
    task: Annotated[str | None, typer.Option(help="The task. [default: from the data]")] = None
    layout: Annotated[str | None, typer.Option(help=LAYOUT_HELP)] = None
    group: Annotated[
        str | None,
        typer.Option(
            help="A regular expression that finds a group in each file's name, such as _(.+)_ for 7_jackson_32.wav; "
            "a group stays in one split."
        ),
    ] = None
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A setting as for convscope train: --set data.size=64"),
    ] = None
    pixels: Annotated[
        bool | None,
        typer.Option(
            "--pixels/--no-pixels",
            help="Decode the images, to find copies, leaks and damaged files. [default: if they are few]",
        ),
    ] = None
    sheet: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write a page of examples with their labels, boxes or masks, as the network gets them: .png or .html.",
        ),
    ] = None
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False


@with_options(DataOptions)
def data(options: DataOptions) -> None:
    """Look at DATA without training: how it is read and why, images, sizes, classes, splits, and skipped files.

    The table is the one that `convscope train` prints. With --json it is one object, whose fields are described in
    docs/reference/data-json.md.

    Example: `convscope data photos --sheet photos.png`
    """
    from convscope.api import data as summary_of
    from convscope.api import lay, settings_from_flags, settings_from_options
    from convscope.cli.printing import print_json
    from convscope.cli.progress import progress
    from convscope.cli.show import show_data

    chosen = {"--layout": ("data.layout", options.layout), "--group": ("data.group", options.group)}
    settings = lay(settings_from_flags(options.set_ or []), settings_from_options(chosen))
    with progress("reading images") as on_progress:
        summary = summary_of(
            options.source, task=options.task, settings=settings, pixels=options.pixels, on_progress=on_progress
        )
    if options.sheet is not None:
        summary.sheet(options.sheet)
    if options.json:
        print_json(summary.to_dict())
    else:
        show_data(summary.to_dict())
    if options.sheet is not None and not options.json:
        print(f"sheet: {options.sheet}")
