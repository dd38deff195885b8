"""``convscope report``"""

from pathlib import Path
from typing import Annotated

import typer


def report(run: Annotated[Path, typer.Argument(help="A run's folder.", show_default=False)]) -> None:
    """Write a run's report.html anew from what the run holds, and print where it is."""
    from convscope.api import RunFolder, write_report

    print(write_report(RunFolder.open(run)))
