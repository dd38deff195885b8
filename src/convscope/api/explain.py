"""Looking into a network, for people: what was seen is kept, and the run's report takes in what belongs there."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from convscope.analysis import METHODS, About, Seen, Subject, own_module
from convscope.analysis import explain as looked
from convscope.progress import Progress
from convscope.report.report import write_report
from convscope.runs.folder import RunFolder


def explain(
    what: Subject | str | Path,
    method: str,
    said: Mapping[str, Any] | None = None,
    on_progress: Progress | None = None,
) -> Seen:
    """As `convscope.analysis.registry`; what is kept in a run is in its report from then on."""
    seen = looked(what, method, said, on_progress)
    kept_in_run = not isinstance(what, Subject) and (said or {}).get("out") is None
    if kept_in_run and RunFolder(Path(str(what))).has_answers("validation"):
        write_report(RunFolder.open(Path(str(what))))
    return seen


__all__ = ["METHODS", "About", "Seen", "Subject", "explain", "own_module"]
