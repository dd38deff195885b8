"""``convscope diagnose``"""

from collections.abc import Iterable
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
    fix: Annotated[
        bool,
        typer.Option("--fix", help="Of a run: change the setting of the worst finding, train again, and compare."),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print all findings as one JSON object.")] = False,
) -> None:
    """Say what is wrong with a run or with data, where, and what to change: at most five findings, worst first.

    Each finding has the figure behind it and one change to make. docs/diagnose/ describes each check, with its source
    and its limitations.

    With --fix the new run is RUN-fix-1; the old one and the data stay as they are.

    Example: `convscope diagnose runs/photos-1`

    Example: `convscope diagnose photos --json`
    """
    from convscope.api import as_lines, settings_from_flags
    from convscope.api import diagnose as diagnosis_of
    from convscope.api import fix as fixed
    from convscope.cli.printing import print_json
    from convscope.cli.progress import progress
    from convscope.printable import printable

    groups = None if checks is None else [name.strip() for name in checks.split(",")]
    with progress("reading images") as on_progress:
        found = diagnosis_of(source, checks=groups, settings=settings_from_flags(set_ or []), on_progress=on_progress)
    record = found.to_dict()
    if not json:
        _print(map(printable, found.lines()))
    if fix:
        made = fixed(source, diagnosis=found, on_event=None if json else lambda event: _print(as_lines(event)))
        record["fix"] = made.to_dict()
        if not json:
            _print(map(printable, made.lines()))
    if json:
        print_json(record)


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line, flush=True)
