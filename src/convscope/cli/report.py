"""``convscope report``"""

from pathlib import Path
from typing import Annotated

import typer


def report(run: Annotated[Path, typer.Argument(help="A run's folder.", show_default=False)]) -> None:
    """Write a run's report.html from what the run folder holds now, and print its path.

    Training does this at its end; do it after `evaluate` or `explain` to show their results.
    """
    from convscope.api import report as render

    print(render(run))
