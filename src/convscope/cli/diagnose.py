"""``convscope diagnose``"""

from typing import Annotated

import typer


def diagnose(
    source: Annotated[
        str,
        typer.Argument(metavar="RUN|DATA", help="A run's folder, or data as for convscope train.", show_default=False),
    ],
    checks: Annotated[
        str | None,
        typer.Option(metavar="data,learning,mistakes", help="The groups of checks. [default: all that apply]"),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="How data are read and split: --set data.size=64"),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print all findings as one JSON object.")] = False,
) -> None:
    """Say what is wrong with a run or with data, where, and what to change: at most five findings, worst first.

    Each finding has the figure behind it and one change to make. docs/diagnose/ describes each check, with its source
    and when it misleads.

    Example: `convscope diagnose runs/photos-1`

    Example: `convscope diagnose photos --json`
    """
    from convscope.api import diagnose as diagnosis_of
    from convscope.api import settings_from_flags
    from convscope.cli.progress import progress
    from convscope.cli.show import print_json
    from convscope.printable import printable

    groups = None if checks is None else [name.strip() for name in checks.split(",")]
    with progress("reading images") as on_progress:
        found = diagnosis_of(source, checks=groups, settings=settings_from_flags(set_ or []), on_progress=on_progress)
    if json:
        print_json(found.to_dict())
        return
    for line in found.lines():
        print(printable(line))
