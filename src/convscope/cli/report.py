"""``convscope report``"""

from pathlib import Path
from typing import Annotated

import typer


def report(run: Annotated[Path, typer.Argument(help="A run's folder.", show_default=False)]) -> None:
    """Write a run's report.html from the current content of its folder, and print the path.

    Training does this at its end; repeat it after `evaluate` or `explain` to include their results.

    Example: `convscope report runs/digits-1`
    """
    from convscope.api import report as render

    print(render(run))
