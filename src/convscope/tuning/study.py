"""The state of a search, rebuilt from its log: every trial with what it reached, and what is running."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from convscope.tuning.log import Record
from convscope.tuning.parameter import Value

DEFAULT = "default"
"""The origin of the trial that trains the recipe which `convscope train` would choose."""


@dataclass(frozen=True)
class Result:
    """What a trial reached at the end of a rung.

    Attributes:
        score: the task's main score on the validation images, higher is better.
        epoch: epochs trained.
        seconds: of training and evaluation on this rung.
        energy: kWh used on this rung, None where it is unknown.
    """

    score: float
    epoch: int
    seconds: float
    energy: float | None = None


@dataclass
class Trial:
    """One network and its training.

    Attributes:
        number: from 0.
        values: of the parameters; empty for the default recipe.
        origin: "default", "start" or "sampled".
        results: by rung.
        running: the rung on which it is being trained, and by which worker; None while it waits.
        stopped: why it does not go on, "" where it may.
        refused: why it was never trained, "" where it was.
        num_parameters: of the network.
    """

    number: int
    values: dict[str, Value]
    origin: str
    results: dict[int, Result] = field(default_factory=dict)
    running: tuple[int, str] | None = None
    stopped: str = ""
    refused: str = ""
    num_parameters: int = 0

    @property
    def rung(self) -> int:
        """The highest rung that it completed; -1 for none."""
        return max(self.results, default=-1)

    @property
    def score(self) -> float | None:
        """The score at the highest rung that it completed."""
        return self.results[self.rung].score if self.results else None

    @property
    def seconds(self) -> float:
        """Seconds of training on all rungs."""
        return sum(result.seconds for result in self.results.values())

    @property
    def energy(self) -> float | None:
        """The kWh of all rungs, None where one is unknown."""
        parts = [result.energy for result in self.results.values()]
        return None if None in parts or not parts else sum(part for part in parts if part is not None)


class Study:
    """All trials of a search.

    Args:
        records: events of its log, oldest first.
    """

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self.header: Mapping[str, Any] = {}
        self.trials: dict[int, Trial] = {}
        self.winner: int | None = None
        self.final: Record | None = None
        self.add(records)

    def add(self, records: Iterable[Record]) -> None:
        """Add new events."""
        for record in records:
            handler = getattr(self, f"_on_{record['event']}", None)
            if handler:
                handler(record)

    @property
    def last_rung(self) -> int:
        """The number of the last rung."""
        return len(self.header.get("rungs", (0,))) - 1

    def results(self, rung: int) -> dict[int, float]:
        """Return the scores of the trials that completed a rung, by number."""
        return {number: one.results[rung].score for number, one in self.trials.items() if rung in one.results}

    def completed(self) -> list[Trial]:
        """Return the trials that completed at least the first rung."""
        return [one for one in self.trials.values() if one.results]

    def best(self) -> Trial | None:
        """Return the best of the trials that reached the highest rung that any reached."""
        done = self.completed()
        if not done:
            return None
        top = max(one.rung for one in done)
        return max((one for one in done if one.rung == top), key=lambda one: (one.results[top].score, -one.number))

    def next_number(self) -> int:
        """Return the number of the next trial."""
        return max(self.trials, default=-1) + 1

    def _on_search(self, record: Record) -> None:
        self.header = record

    def _on_trial(self, record: Record) -> None:
        self.trials[record["number"]] = Trial(record["number"], record["values"], record["origin"])

    def _on_refused(self, record: Record) -> None:
        one = self.trials[record["number"]]
        one.refused = one.stopped = record["reason"]

    def _on_started(self, record: Record) -> None:
        self.trials[record["number"]].running = (record["rung"], record["worker"])

    def _on_rung(self, record: Record) -> None:
        one = self.trials[record["number"]]
        result = Result(record["score"], record["epoch"], record["seconds"], record.get("energy"))
        one.results[record["rung"]] = result
        one.num_parameters, one.running = record["num_parameters"], None

    def _on_stopped(self, record: Record) -> None:
        one = self.trials[record["number"]]
        one.stopped, one.running = record["reason"], None

    def _on_paused(self, record: Record) -> None:
        self.trials[record["number"]].running = None

    def _on_winner(self, record: Record) -> None:
        self.winner = record["number"]

    def _on_finished(self, record: Record) -> None:
        self.final = record
