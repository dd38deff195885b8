"""The groups of checks: data, learning, mistakes."""

from collections.abc import Callable

from convscope.diagnosis.data.view import DataView
from convscope.diagnosis.finding import Finding
from convscope.diagnosis.learning_group import check_learning
from convscope.diagnosis.registry import DATA_CHECKS
from convscope.progress import Progress
from convscope.runs.folder import RunFolder
from convscope.runs.loaders import PreparedData, reload


def check_prepared(prepared: PreparedData) -> list[Finding]:
    """Return the findings about decoded data, in the order of the checks."""
    view = DataView(prepared)
    found = (check(view) for check in DATA_CHECKS.values())
    return [finding for finding in found if finding]


def _data(folder: RunFolder, on_progress: Progress | None) -> list[Finding]:
    return check_prepared(reload(folder, on_progress=on_progress))


def _learning(folder: RunFolder, _on_progress: Progress | None) -> list[Finding]:
    return check_learning(folder)


GROUPS: dict[str, Callable[[RunFolder, Progress | None], list[Finding]]] = {"data": _data, "learning": _learning}
"""The checks of a run by group; those of data that are no run are `check_prepared`."""
