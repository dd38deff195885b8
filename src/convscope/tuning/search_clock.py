"""The seconds of a search, over all its sessions."""

import time

from convscope.tuning.study import Study


class SearchClock:
    """Seconds of a search: those of earlier sessions, up to their last record, and those of this one.

    Args:
        study: the search so far.
        others: whether other processes work on it, so that its time has gone on since the last record.
        started: the start of this session by `time.monotonic`; None: now.
    """

    def __init__(self, study: Study, others: bool = False, started: float | None = None) -> None:
        self.started = time.monotonic() if started is None else started
        gone_on = max(0.0, time.time() - study.at) if others and study.at else 0.0
        self.before = study.clock + gone_on

    def __call__(self) -> float:
        """Return the seconds."""
        return self.before + time.monotonic() - self.started
