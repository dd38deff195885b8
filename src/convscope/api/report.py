"""The report of a run, rendered from what its folder holds."""

from pathlib import Path

from convscope.api.run import Run
from convscope.report.report import write_report


def report(run: Run | str | Path) -> Path:
    """Write the run's ``report.html`` from what its folder holds now, and return its path.

    Training does this at its end. `evaluate` and `explain` only add their results to the run folder; this shows them.

    Args:
        run: a run or its folder.

    Raises:
        RunError: there is no such run, or it was not evaluated on its validation images yet.
        ConfigError: the packages that render it are not installed.
    """
    return write_report((run if isinstance(run, Run) else Run(run)).folder)
