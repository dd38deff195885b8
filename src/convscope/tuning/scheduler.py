"""Asynchronous successive halving: which trial goes on, without waiting for others (Li 2020, arXiv:1810.05934)."""

from collections.abc import Sequence
from dataclasses import dataclass

from convscope.tuning.rungs import FACTOR, Rung
from convscope.tuning.study import DEFAULT, Study, Trial

GAINS = 5  # trials that went from one rung to the next, from which the greatest possible gain is taken


@dataclass(frozen=True)
class Job:
    """A trial and the rung to train it to."""

    number: int
    rung: int


def next_job(study: Study, rungs: Sequence[Rung], seconds_left: float) -> Job | None:
    """Return the trial to continue; None: start a new one.

    The default recipe always goes on, so that the winner has something to be compared with. Of the others, a trial
    goes on if it is in the best third of its rung, can still reach the best score, and there is time for it.

    Args:
        study: the search so far.
        rungs: of the search.
        seconds_left: until the search ends.
    """
    for one in study.trials.values():
        if one.origin == DEFAULT and _waits(one) and one.results and one.rung < len(rungs) - 1:
            return Job(one.number, one.rung + 1)
    for rung in range(len(rungs) - 2, -1, -1):
        for number in promotable(study, rung):
            one = study.trials[number]
            if cost(one, rung + 1, rungs) <= seconds_left and not hopeless(study, one, rung):
                return Job(number, rung + 1)
    return None


def promotable(study: Study, rung: int) -> list[int]:
    """Return the trials in the best third of a rung that have not gone on, best first."""
    scores = study.results(rung)
    ranked = sorted(scores, key=lambda number: (-scores[number], number))
    chosen = ranked[: len(ranked) // FACTOR]
    return [number for number in chosen if study.trials[number].rung == rung and _waits(study.trials[number])]


def hopeless(study: Study, one: Trial, rung: int) -> bool:
    """Whether a trial cannot reach the best score: not even with the greatest gain that a trial had from its rung."""
    best = study.best()
    if best is None or best.rung <= rung:
        return False
    pairs = [(other.results[rung].score, other.results[best.rung].score) for other in study.completed() if best.rung in other.results and rung in other.results]  # fmt: skip  # noqa: E501
    if len(pairs) < GAINS:
        return False
    greatest = max(after - before for before, after in pairs)
    return one.results[rung].score + max(greatest, 0.0) < best.results[best.rung].score


def cost(one: Trial, rung: int, rungs: Sequence[Rung]) -> float:
    """Return the seconds that a trial needs for its next rung, from those of the rungs before."""
    last = one.results[one.rung]
    before = one.results[one.rung - 1].epoch if one.rung - 1 in one.results else 0
    per_image = last.seconds / max(1, last.epoch - before) / (rungs[one.rung].share * rungs[one.rung].scale ** 2)
    return per_image * (rungs[rung].epochs - last.epoch) * rungs[rung].share * rungs[rung].scale ** 2


def _waits(one: Trial) -> bool:
    return one.running is None and not one.stopped
