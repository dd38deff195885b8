"""``convscope doctor``."""

from typing import Annotated

import typer


def doctor(
    clean: Annotated[
        list[str] | None,
        typer.Option(
            help="Empty a cache: images (decoded images, features, unpacked archives) or weights (downloads). "
            "Give the option once per cache.",
            metavar="CACHE",
            show_default=False,
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check the installation: packages, extras and the commands that need them, processor, GPU and caches.

    The exit code is 1 if something keeps a command from working. Nothing is downloaded or installed.

    Example: `convscope doctor`, or `convscope doctor --clean images`
    """
    from json import dumps

    from convscope.api import doctor as check
    from convscope.cli.printing import table_of

    found = check(clean=tuple(clean or ()))
    if json:
        print(dumps(found.to_dict()))
    else:
        table_of(found.headings(), found.rows())
        for held in found.cleaned:
            print(f"cleaned {held.name}: {held.size / 1e6:,.1f} MB")
        for remedy in found.remedies():
            print(remedy)
    if found.problems:
        raise typer.Exit(1)
