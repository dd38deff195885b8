"""Run an explain method on a run, a saved model or any module, and write its results."""

from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from convscope.analysis.method import Method, MethodSettings
from convscope.analysis.registry import METHODS, method_named
from convscope.analysis.result import AnalysisResult, Findings, write_result
from convscope.analysis.target import AnalysisTarget, open_target
from convscope.datasets import INPUT_KINDS
from convscope.errors import ConfigError
from convscope.progress import Progress


def explain(
    target: AnalysisTarget | str | Path,
    method: str,
    settings: Mapping[str, Any] | None = None,
    on_progress: Progress | None = None,
    out: str | Path | None = None,
) -> AnalysisResult:
    """Run a method and write its pictures and numbers.

    Equal seeds give equal JSON to the byte on the same machine and versions (on a GPU, optimised images may differ in
    their last digits).

    Args:
        target: the folder of a run or a saved model, or an `AnalysisTarget` from `wrap_module`.
        method: one of `METHODS`.
        settings: values of the method's settings model.
        on_progress: called with the steps done and their total.
        out: output folder; by default explain/METHOD in the run.
    Raises:
        ConfigError: no such method or setting, or an invalid value.
        ConvscopeError: the target cannot be opened, or the method does not apply.
    """
    chosen = method_named(method)
    parsed = chosen.parse(settings or {})
    opened = target if isinstance(target, AnalysisTarget) else open_target(Path(target))
    findings = run_method(opened, chosen, parsed, on_progress or (lambda _done, _of: None))
    folder = opened.home / method if out is None else Path(out)
    return write_result(findings, method, parsed.model_dump(mode="json"), folder)


def _other_rank(target: AnalysisTarget, method: Method) -> str:
    others = [name for name, one in METHODS.items() if _takes(one, target)]
    some = "another method" if len(others) > 3 else f"explain {' or '.join(others)}"
    held = _noun(len(target.size)) if target.preprocessing is None else target.preprocessing.nouns[1]
    wanted = _noun(method.rank, method.codes)
    return f"explain {method.name} is for {wanted}, and {target.home.parent} holds {held}; use {some}"


def _noun(rank: int, codes: bool = False) -> str:
    """What inputs of a number of sides, or of tokens, are called, the most usual kind."""
    kinds = [kind for kind in INPUT_KINDS.values() if len(kind.sides) == rank and kind.codes == codes]
    return kinds[0].nouns[1] if kinds else "other inputs"


def _takes(method: Method, target: AnalysisTarget) -> bool:
    codes = target.preprocessing is not None and target.preprocessing.codes
    return (method.rank, method.codes) == (len(target.size), codes)


def run_method(target: AnalysisTarget, method: Method, settings: MethodSettings, on_progress: Progress) -> Findings:
    """Run a method without writing files; the network returns class scores if its task has them.

    Methods that explain any answer reduce the outputs themselves.

    Raises:
        ConvscopeError: as the method raises it.
    """
    if not _takes(method, target):
        raise ConfigError(_other_rank(target, method))
    with nullcontext() if method.any_answer else target.class_scores_only():
        return method.run(target, settings, on_progress)
