"""``report.html`` of a search: one self-contained file that opens offline."""

from pathlib import Path
from typing import Any

from convscope.durations import format_seconds
from convscope.extras import require
from convscope.files import atomic_write
from convscope.tuning.folder import DEFAULT, WINNER, SearchFolder
from convscope.tuning.search_charts import (
    best_so_far,
    cost_and_score,
    importance_bars,
    parallel_coordinates,
    slices,
)
from convscope.tuning.summary import SearchSummary

ROWS = 30
REASONS = 20


def write_report(folder: SearchFolder) -> Path:
    """Write the report from the log and the runs of a search; return its path.

    Raises:
        MissingExtraError: the packages that render it are not installed.
    """
    require("report", "report")
    from jinja2 import Environment, PackageLoader, select_autoescape

    environment = Environment(
        loader=PackageLoader("convscope.tuning", "."), autoescape=select_autoescape(), trim_blocks=True
    )
    text = environment.get_template("search_report.html").render(**content(SearchSummary.read(folder)))
    atomic_write(folder.report, text.encode(errors="backslashreplace"))
    return folder.report


def content(summary: SearchSummary) -> dict[str, Any]:
    """Return the variables of the template."""
    study, space, task_class = summary.study, summary.plan.space, summary.task_class
    ranked = study.ranked()
    names = [one.name for one in summary.importances] or [one.name for one in space.parameters]
    return {
        "name": summary.folder.path.name,
        "source": summary.plan.base.data.source,
        "model": summary.plan.base.model.name,
        "metrics": metrics(summary),
        "sentences": summary.sentences(),
        "headings": summary.headings(),
        "rows": summary.rows(ROWS),
        "more": max(0, len(ranked) - ROWS),
        "best_so_far": best_so_far(study, task_class.primary),
        "parallel": parallel_coordinates(ranked, space),
        "importance": importance_bars(summary.importances) if summary.importances else "",
        "slices": slices(ranked, space, names, task_class.primary),
        "cost": cost_and_score(ranked, task_class.primary),
        "stopped": [(one.number, one.stopped) for one in study.trials.values() if one.stopped][:REASONS],
        "refused": [(record["number"], record["reason"]) for record in study.refused][:REASONS],
    }


def metrics(summary: SearchSummary) -> list[tuple[str, str]]:
    """Return the key figures: value and name."""
    score, study = summary.task_class.format_score, summary.study
    shown = [
        (score(study.trainings[what].score), f"validation {summary.task_class.primary} of {name}")
        for what, name in ((WINNER, "the winner"), (DEFAULT, "the default recipe"))
        if what in study.trainings
    ]
    if summary.nested:
        shown.append((score(summary.nested.estimate), "nested estimate of the best trial"))
    return [*shown, (str(len(study.trials)), "networks tried"), (format_seconds(study.clock), "total time")]
