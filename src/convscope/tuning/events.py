"""Events of a search, in order; between them come those of the two trainings in full, as from `pipeline.training`."""

from dataclasses import dataclass
from pathlib import Path

from convscope.runs.events import Event
from convscope.tasks import Task
from convscope.tuning.parameter import Parameter, Value
from convscope.tuning.rungs import Rungs


@dataclass(frozen=True)
class SearchReady:
    """The data are read and the space is known; trials follow.

    `budget` are the seconds of the whole search and `search_seconds` those of its trials, None where not limited;
    `removed` is the number of bytes of an incomplete last line that were removed from the log.
    """

    folder: Path
    source: str
    images: int
    task: type[Task]
    parameters: tuple[Parameter, ...]
    rungs: Rungs
    budget: float | None
    search_seconds: float | None
    trials: int | None
    resumed: int
    """The number of trials of earlier sessions."""
    removed: int = 0


@dataclass(frozen=True)
class TrialStarted:
    """A trial is trained to a rung, by this process or another one."""

    number: int
    rung: int
    values: dict[str, Value]


@dataclass(frozen=True)
class TrialEnded:
    """A trial reached a rung; `best` is the number of the best trial so far, and `best_score` its score.

    `seconds` are those of training on this rung, `clock` those of the search.
    """

    number: int
    rung: int
    epochs: int
    values: dict[str, Value]
    score: float
    seconds: float
    num_parameters: int
    best: int
    best_score: float
    clock: float


@dataclass(frozen=True)
class TrialStopped:
    """A trial does not go on, and why."""

    number: int
    reason: str


@dataclass(frozen=True)
class NetworkRefused:
    """A proposal was refused before a trial was spent, and why."""

    number: int
    reason: str


@dataclass(frozen=True)
class TrainingStarted:
    """A training in full starts: "default" or "winner", with the number of its trial (None for the default)."""

    what: str
    folder: Path
    number: int | None


@dataclass(frozen=True)
class SearchFinished:
    """The search is complete; `report` is None where the packages that render it are not installed."""

    folder: Path
    report: Path | None
    seconds: float


SearchEvent = (
    SearchReady | TrialStarted | TrialEnded | TrialStopped | NetworkRefused | TrainingStarted | SearchFinished | Event
)
