"""Explain methods for a run, a saved model or any module; the results are stored in the run folder."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from convscope.analysis.registry import METHODS
from convscope.analysis.result import AnalysisResult
from convscope.analysis.runner import explain as explain_target
from convscope.analysis.target import AnalysisTarget, InputInfo, wrap_module
from convscope.progress import Progress


def explain(
    target: AnalysisTarget | str | PathLike[str],
    method: str,
    settings: Mapping[str, Any] | None = None,
    on_progress: Progress | None = None,
    out: str | Path | None = None,
) -> AnalysisResult:
    """See `analysis.runner.explain`; results stored in a run are shown when its report is rendered next."""
    opened = target if isinstance(target, AnalysisTarget) else Path(target)
    return explain_target(opened, method, settings, on_progress, out)


__all__ = ["METHODS", "AnalysisResult", "AnalysisTarget", "InputInfo", "explain", "wrap_module"]
