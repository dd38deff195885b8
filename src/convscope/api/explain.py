"""Explain methods for a run, a saved model or any module; the results are stored in the run folder."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from convscope.analysis.method import MethodSettings
from convscope.analysis.registry import METHODS
from convscope.analysis.result import AnalysisResult
from convscope.analysis.runner import explain as explain_target
from convscope.analysis.target import AnalysisTarget, InputInfo, wrap_module
from convscope.progress import Progress


def explain(
    target: AnalysisTarget | str | PathLike[str],
    method: str,
    /,
    settings: Mapping[str, Any] | MethodSettings | None = None,
    *,
    on_progress: Progress | None = None,
    out: str | Path | None = None,
    **options: Any,
) -> AnalysisResult:
    """Run an explain method and write its images and numbers; the next report of a run includes them.

    Equal seeds give equal JSON to the byte on the same machine and versions (on a GPU, optimised images may differ in
    their last digits). ::

        cs.explain(run, "attribution", images=["mistakes"], per_class=8)

    Args:
        target: a run, its folder, the folder of a saved model, or an `AnalysisTarget` from `wrap_module`.
        method: a name, as ``convscope explain --help`` lists them.
        settings: the method's settings as a mapping or as its settings model, see `analysis.registry.METHODS`.
        on_progress: called with the steps done and their total.
        out: output folder; by default explain/METHOD in the run.
        **options: single settings of the method, which take precedence over `settings`.

    Raises:
        ConfigError: no such method or setting, or an invalid value.
        ConvscopeError: the target cannot be opened, or the method does not apply.
    """
    opened = target if isinstance(target, AnalysisTarget) else Path(target)
    given = settings.model_dump(exclude_unset=True) if isinstance(settings, MethodSettings) else settings or {}
    return explain_target(opened, method, {**given, **options}, on_progress, out)


__all__ = ["METHODS", "AnalysisResult", "AnalysisTarget", "InputInfo", "explain", "wrap_module"]
