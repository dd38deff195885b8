"""``convscope robustness``"""

from pathlib import Path
from typing import Annotated

import typer


def tolerance(
    run: Annotated[Path, typer.Argument(help="A run's folder.", show_default=False)],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")] = False,
) -> None:
    """Show how a network's score falls as its images are shifted, turned and enlarged.

    Convolutions find a thing wherever it is, pooling bears small shifts; turns and sizes are borne only as far as
    training showed them. Curves are written to the run's tolerance.svg.
    """
    from dataclasses import asdict

    from convscope.api import robustness as borne
    from convscope.api import task_of
    from convscope.cli.show import print_json, table_of

    found = borne(run)
    if json:
        for one in found:
            print_json(asdict(one))
        return
    table_of(
        ["move", "amount", task_of(run).primary], [(one.move, f"{one.amount:g}", f"{one.score:.4f}") for one in found]
    )
    print(run / "tolerance.svg")
