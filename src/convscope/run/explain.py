"""Looking into a network, for people: what was seen is kept, and the run's report takes in what belongs there."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from convscope.explain import Progress
from convscope.run.folder import RunFolder
from convscope.run.report import write_report
from convscope.run.seeing import METHODS, About, Seen, Subject, own_module
from convscope.run.seeing import explain as looked


def explain(
    what: Subject | str | Path,
    method: str,
    said: Mapping[str, Any] | None = None,
    on_progress: Progress | None = None,
) -> Seen:
    """As `convscope.run.seeing.explain`; what is kept in a run is in its report from then on."""
    seen = looked(what, method, said, on_progress)
    kept_in_run = not isinstance(what, Subject) and (said or {}).get("out") is None
    if kept_in_run and RunFolder(Path(str(what))).has_answers("validation"):
        write_report(RunFolder.open(Path(str(what))))
    return seen


__all__ = ["METHODS", "About", "Seen", "Subject", "explain", "own_module"]
