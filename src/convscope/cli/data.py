"""``convscope data``"""

from typing import Annotated

import typer


def data(
    source: Annotated[
        str,
        typer.Argument(
            metavar="DATA", help="A folder, a table or a built-in name, as for convscope train.", show_default=False
        ),
    ],
    task: Annotated[str | None, typer.Option(help="The task. [default: from the data]")] = None,
    layout: Annotated[
        str | None,
        typer.Option(
            help="How DATA is laid out: folder, table, masks, voc, coco, yolo or builtin. [default: detected]"
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A setting as for convscope train: --set data.size=64"),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Summarise DATA without training: images, classes, sizes, splits, and the skipped files with the reasons.

    The decoded images are cached, so a training on the same data starts sooner.

    Example: `convscope data photos`
    """
    from convscope.api import data as summary_of
    from convscope.api import lay, settings_from_flags, settings_from_options
    from convscope.cli.progress import progress
    from convscope.cli.show import print_json

    settings = lay(settings_from_flags(set_ or []), settings_from_options({"--layout": ("data.layout", layout)}))
    with progress("reading images") as on_progress:
        summary = summary_of(source, task=task, settings=settings, on_progress=on_progress)
    if json:
        print_json(summary.to_dict())
        return
    for name, value in summary.rows:
        print(f"{name}: {value}")
