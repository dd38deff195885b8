"""The report of a run, rendered from what its folder holds."""

from os import PathLike
from pathlib import Path

from convscope.report.report import write_report
from convscope.runs.folder import RunFolder


def report(run: str | PathLike[str]) -> Path:
    """Write the run's ``report.html`` from what its folder holds now, and return its path.

    Training does this at its end. `evaluate` and `explain` only add their results to the run folder; this shows them.

    Args:
        run: a run or its folder.

    Raises:
        RunError: there is no such run, or it was not evaluated on its validation images yet.
        ConfigError: the packages that render it are not installed.
    """
    return write_report(RunFolder.open(Path(run)))
