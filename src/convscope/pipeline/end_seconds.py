"""How long a run takes from its last evaluation to its end, at the present speed of the machine."""

import time
from collections import deque

CHECKPOINT_SECONDS = 1.0
REPORT_SECONDS = 2.0
SECONDS_PER_IMAGE = 0.001  # of validation, for the report
INSIGHTS_SECONDS = 1.5  # to load the network before the first insights into it
PASSES, PASSES_SECONDS = 20_000, 0.005
"""The passes of a loop, and their seconds on an idle core of the machine on which the above was measured."""
LATEST = 3  # measurements of the speed whose mean counts: one may fall in a moment without other work


def slowness() -> float:
    """Return how many times as long as there Python takes on this machine, now, with all that runs beside it."""
    began = time.perf_counter()
    sum(len(str(number * number)) for number in range(PASSES))
    return (time.perf_counter() - began) / PASSES_SECONDS


class EndSeconds:
    """Returns the seconds for the last checkpoint and the report of a run, by the latest measurements of the speed."""

    def __init__(self, images: int) -> None:
        """Set the number of validation images."""
        self._usual = CHECKPOINT_SECONDS + REPORT_SECONDS + SECONDS_PER_IMAGE * images
        self._latest: deque[float] = deque(maxlen=LATEST)

    def __call__(self, insights: bool = False) -> float:
        """Measure the speed again, in a few milliseconds, and return the seconds, with those before the insights."""
        self._latest.append(max(1.0, slowness()))
        return (self._usual + insights * INSIGHTS_SECONDS) * sum(self._latest) / len(self._latest)
