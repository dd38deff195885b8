"""Run the checks of the learning on a run, or while it trains."""

from collections.abc import Iterable
from dataclasses import replace

from torch import nn

from convscope.bundle import load_bundle
from convscope.diagnosis.finding import Finding
from convscope.diagnosis.registry import EXPLAINS, LEARNING_CHECKS
from convscope.runs.folder import RunFolder
from convscope.runs.training_records import RunRecords, module_types, read_records


def check_records(records: RunRecords, names: Iterable[str] = LEARNING_CHECKS) -> list[Finding]:
    """Return the findings of the named checks, in their order, without those that others of them explain."""
    found = [finding for name in names if (finding := LEARNING_CHECKS[name](records))]
    explained = set().union(*(EXPLAINS.get(finding.kind, set()) for finding in found))
    return [finding for finding in found if finding.kind not in explained]


def check_learning(folder: RunFolder, model: nn.Module | None = None) -> list[Finding]:
    """Return the findings about how a run's network learned; `model` is that network, loaded if it is not given.

    Raises:
        RunError: files of the run are missing or damaged.
    """
    records = read_records(folder)
    if model is not None or folder.model.exists():
        records = replace(records, modules=module_types(model or load_bundle(folder.model)[0]))
    return check_records(records)
