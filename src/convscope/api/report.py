"""The report of a run, rendered from what its folder holds."""

from os import PathLike
from pathlib import Path

from convscope.reports.report import write_report
from convscope.runs.folder import RunFolder


def report(run: str | PathLike[str]) -> Path:
    """Write the run's ``report.html`` from what its folder holds now, and return its path.

    Training does this at its end. `evaluate` and `explain` only store their results in the run folder; call this
    afterwards to show them.

    Args:
        run: a run or its folder.

    Raises:
        RunError: there is no such run, or it has no validation predictions yet.
        ConfigError: the packages of the extra "report" are not installed.
    """
    return write_report(RunFolder.open(Path(run)))
