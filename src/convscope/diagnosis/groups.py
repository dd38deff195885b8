"""The groups of checks: data, learning, mistakes."""

from collections.abc import Callable

from torch import nn

from convscope.diagnosis.data.shortcuts import strongest_cue
from convscope.diagnosis.data.view import DataView
from convscope.diagnosis.finding import Finding
from convscope.diagnosis.learning_group import check_learning
from convscope.diagnosis.mistakes.view import MistakeView, mistake_view, stored_mistakes
from convscope.diagnosis.registry import DATA_CHECKS, MISTAKE_CHECKS, SHORTCUT_CHECKS
from convscope.progress import Progress
from convscope.runs.folder import RunFolder
from convscope.runs.loaders import PreparedData, reload
from convscope.runs.predictions import SplitPredictions


def check_prepared(prepared: PreparedData) -> list[Finding]:
    """Return the findings about decoded data, in the order of the checks."""
    view = DataView(prepared)
    found = (check(view) for check in DATA_CHECKS.values())
    return [finding for finding in found if finding]


def check_mistakes(view: MistakeView | None) -> list[Finding]:
    """Return the findings about mistakes, in the order of the checks."""
    found = (check(view) for check in MISTAKE_CHECKS.values()) if view else ()
    return [finding for finding in found if finding]


def stored_findings(folder: RunFolder, predictions: SplitPredictions, model: nn.Module | None = None) -> list[Finding]:
    """Return the findings about a finished run for which no image is opened, worst first.

    `model` is the run's network, which is loaded if it is not given.
    """
    found = check_learning(folder, model) + check_mistakes(stored_mistakes(predictions))
    return sorted(found, key=lambda finding: -finding.severity)


def _data(folder: RunFolder, on_progress: Progress | None) -> list[Finding]:
    """Check the data, and whether the network uses the shortcut that they have."""
    prepared = reload(folder, on_progress=on_progress)
    found = check_prepared(prepared)
    if any(one.kind == "shortcuts" for one in found) and folder.has_predictions("validation"):
        view = DataView(prepared)
        cue = strongest_cue(view)
        found += [one for check in SHORTCUT_CHECKS.values() if cue and (one := check(view, folder, cue))]
    return found


def _learning(folder: RunFolder, _on_progress: Progress | None) -> list[Finding]:
    return check_learning(folder)


def _mistakes(folder: RunFolder, on_progress: Progress | None) -> list[Finding]:
    if not folder.has_predictions("validation"):  # not trained to its end
        return []
    return check_mistakes(mistake_view(folder, on_progress))


GROUPS: dict[str, Callable[[RunFolder, Progress | None], list[Finding]]] = {
    "data": _data,
    "learning": _learning,
    "mistakes": _mistakes,
}
"""The checks of a run by group; those of data that are no run are `check_prepared`."""
