"""Explain methods on a run: results are kept, and the run's report takes them in."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from convscope.analysis.registry import METHODS
from convscope.analysis.result import AnalysisResult
from convscope.analysis.runner import explain as explain_target
from convscope.analysis.target import AnalysisTarget, InputInfo, wrap_module
from convscope.progress import Progress
from convscope.report.report import write_report
from convscope.runs.folder import RunFolder


def explain(
    target: AnalysisTarget | str | Path,
    method: str,
    settings: Mapping[str, Any] | None = None,
    on_progress: Progress | None = None,
    out: str | Path | None = None,
) -> AnalysisResult:
    """As `analysis.runner.explain`; what is written into a run is in its report from then on."""
    result = explain_target(target, method, settings, on_progress, out)
    kept_in_run = not isinstance(target, AnalysisTarget) and out is None
    if kept_in_run and RunFolder(Path(str(target))).has_predictions("validation"):
        write_report(RunFolder.open(Path(str(target))))
    return result


__all__ = ["METHODS", "AnalysisResult", "AnalysisTarget", "InputInfo", "explain", "wrap_module"]
