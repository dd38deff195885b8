"""What a record of the log says, as an event."""

from convscope.tuning.events import NetworkRefused, SearchEvent, TrialEnded, TrialStarted, TrialStopped
from convscope.tuning.log import Record
from convscope.tuning.study import Study


def event_of(record: Record, study: Study) -> SearchEvent | None:
    """Return the event of a record; None for those that only the search itself needs.

    Args:
        record: of the log.
        study: the search, to which it was added.
    """
    match record["event"]:
        case "started":
            return TrialStarted(record["number"], record["rung"], study.trials[record["number"]].values)
        case "stopped":
            return TrialStopped(record["number"], record["reason"])
        case "refused":
            return NetworkRefused(record["number"], record["reason"])
        case "rung":
            return _ended(record, study)
    return None


def _ended(record: Record, study: Study) -> TrialEnded:
    one, best = study.trials[record["number"]], study.best()
    assert best is not None  # this trial ended
    assert best.result is not None
    return TrialEnded(
        one.number, record["rung"], record["epochs"], one.values, record["score"], record["seconds"],
        one.num_parameters, best.number, best.result.score, record["clock"],
    )  # fmt: skip
