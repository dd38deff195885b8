"""Looking into a network, for people: what was seen is kept, and the run's report takes in what belongs there."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from convscope.analysis import METHODS, AnalysisResult, AnalysisTarget, InputInfo, wrap_module
from convscope.analysis import explain as looked
from convscope.progress import Progress
from convscope.report.report import write_report
from convscope.runs.folder import RunFolder


def explain(
    target: AnalysisTarget | str | Path,
    method: str,
    settings: Mapping[str, Any] | None = None,
    on_progress: Progress | None = None,
) -> AnalysisResult:
    """As `convscope.analysis.registry`; what is kept in a run is in its report from then on."""
    seen = looked(target, method, settings, on_progress)
    kept_in_run = not isinstance(target, AnalysisTarget) and (settings or {}).get("out") is None
    if kept_in_run and RunFolder(Path(str(target))).has_predictions("validation"):
        write_report(RunFolder.open(Path(str(target))))
    return seen


__all__ = ["METHODS", "AnalysisResult", "AnalysisTarget", "InputInfo", "explain", "wrap_module"]
