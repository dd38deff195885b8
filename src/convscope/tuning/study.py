"""The state of a search, rebuilt from its log: every trial with what it reached, and what is running."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from convscope.tuning.log import Record
from convscope.tuning.parameter import Value

TIE = 1e-4  # of the loss, subtracted from a score to rank equal ones


@dataclass(frozen=True)
class Result:
    """What a trial reached at the end of a rung.

    Attributes:
        score: the task's main score on the validation images, higher is better.
        loss: on the validation images.
        first: the score after the first epoch.
        epochs: trained in all.
        seconds: of training and evaluation on this rung.
        clock: seconds of the search when it was reached.
    """

    score: float
    loss: float
    first: float
    epochs: int
    seconds: float
    clock: float = 0.0

    @property
    def rank(self) -> float:
        """The score, with equal scores ranked by the loss."""
        return self.score - TIE * min(self.loss, 100.0)


@dataclass
class Trial:
    """One network and its training.

    Attributes:
        number: from 0.
        values: of all parameters of the space.
        num_parameters: of the network.
        macs: of a forward pass of one image.
        results: by rung.
        running: the rung on which it is being trained, and by which worker; None while it waits.
        stopped: why it does not go on; "" where it may.
    """

    number: int
    values: dict[str, Value]
    num_parameters: int
    macs: int
    results: dict[int, Result] = field(default_factory=dict)
    running: tuple[int, str] | None = None
    stopped: str = ""

    @property
    def rung(self) -> int:
        """The highest rung that it completed; -1 for none."""
        return max(self.results, default=-1)

    @property
    def result(self) -> Result | None:
        """The result at the highest rung that it completed."""
        return self.results[self.rung] if self.results else None

    @property
    def seconds(self) -> float:
        """Seconds of training on all rungs."""
        return sum(result.seconds for result in self.results.values())

    @property
    def epoch_seconds(self) -> float:
        """Seconds of an epoch, on average; 0 where none is complete."""
        return self.seconds / self.result.epochs if self.result else 0.0

    @property
    def waits(self) -> bool:
        """Whether it may be continued."""
        return self.running is None and not self.stopped


@dataclass(frozen=True)
class Training:
    """A training in full: of the winner, or of the default recipe.

    `score` is the main score on the validation images; `epochs` and `seconds` are those of the whole training.
    `instead_of` says why the network is that of the trial itself; "": it is that of the training in full.
    """

    score: float
    epochs: int
    seconds: float
    num_parameters: int
    instead_of: str = ""


class Study:
    """All trials of a search.

    Args:
        records: events of its log, oldest first.
    """

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self.header: Mapping[str, Any] = {}
        self.trials: dict[int, Trial] = {}
        self.reached: dict[int, list[int]] = {}
        """The trials that completed a rung, in the order in which they did."""
        self.refused: list[Record] = []
        self.trainings: dict[str, Training] = {}
        self.winner: int | None = None
        self.closing: str = ""
        """The worker that ends the search; "" while it goes on."""
        self.analysis: Mapping[str, Any] = {}
        """What was computed from the trials at the end: importances and the nested estimate."""
        self.finished = False
        self.clock, self.at = 0.0, 0.0
        """Seconds of the search at the last record, and its time."""
        self.add(records)

    def add(self, records: Iterable[Record]) -> None:
        """Add new events."""
        for record in records:
            self.clock, self.at = max(self.clock, record["clock"]), record["at"]
            getattr(self, f"_on_{record['event']}")(record)

    def results(self, rung: int) -> dict[int, Result]:
        """Return the results of the trials that completed a rung, in the order in which they did."""
        return {number: self.trials[number].results[rung] for number in self.reached.get(rung, ())}

    def completed(self) -> list[Trial]:
        """Return the trials that completed at least the first rung."""
        return [one for one in self.trials.values() if one.results]

    def ranked(self) -> list[Trial]:
        """Return the completed trials by their last score, best first; of equal ones, those trained longer first."""
        return sorted(self.completed(), key=lambda one: (-one.results[one.rung].rank, -one.rung, one.number))

    def best(self) -> Trial | None:
        """Return the trial with the best last score, at whichever rung; None where none completed one."""
        return next(iter(self.ranked()), None)

    def running(self) -> list[Trial]:
        """Return the trials that a worker trains."""
        return [one for one in self.trials.values() if one.running]

    def _on_search(self, record: Record) -> None:
        self.header = record

    def _on_session(self, record: Record) -> None:
        pass

    def _on_trial(self, record: Record) -> None:
        number = record["number"]
        self.trials[number] = Trial(number, record["values"], record["num_parameters"], record["macs"])

    def _on_refused(self, record: Record) -> None:
        self.refused.append(record)

    def _on_started(self, record: Record) -> None:
        self.trials[record["number"]].running = (record["rung"], record["worker"])

    def _on_rung(self, record: Record) -> None:
        one = self.trials[record["number"]]
        names = ("score", "loss", "first", "epochs", "seconds", "clock")
        one.results[record["rung"]] = Result(**{name: record[name] for name in names})
        self.reached.setdefault(record["rung"], []).append(one.number)
        one.running = None

    def _on_stopped(self, record: Record) -> None:
        one = self.trials[record["number"]]
        one.stopped, one.running = record["reason"], None

    def _on_released(self, record: Record) -> None:
        self.trials[record["number"]].running = None

    def _on_closing(self, record: Record) -> None:
        self.closing, self.winner = record["worker"], record["winner"]

    def _on_analysed(self, record: Record) -> None:
        self.analysis = record

    def _on_trained(self, record: Record) -> None:
        names = ("score", "epochs", "seconds", "num_parameters", "instead_of")
        self.trainings[record["what"]] = Training(**{name: record[name] for name in names})

    def _on_finished(self, record: Record) -> None:  # noqa: ARG002
        self.finished = True
