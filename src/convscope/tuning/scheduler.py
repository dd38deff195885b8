"""Asynchronous successive halving: which trial goes on, without waiting for others (Li 2020, arXiv:1810.05934)."""

from dataclasses import dataclass

from convscope.tuning.rungs import FACTOR, Rungs
from convscope.tuning.study import Study, Trial

GAINS = 5  # trials that went from one rung to a higher one, from which the greatest gain is taken


@dataclass(frozen=True)
class Job:
    """A trial and the rung to train it to."""

    number: int
    rung: int


def next_job(study: Study, rungs: Rungs, seconds_left: float) -> Job | None:
    """Return the trial to continue; None: start a new one.

    First come trials that a stopped process left unfinished. Then a trial goes on if it is in the best third of its
    rung, can still reach the best score, and there is time for it; higher rungs come first.

    Args:
        study: the search so far.
        rungs: of the search.
        seconds_left: until the search ends.
    """
    for one in study.trials.values():
        if not one.results and one.waits:
            return Job(one.number, 0)
    for rung in range(rungs.last - 1, -1, -1):
        for number in promotable(study, rung):
            one = study.trials[number]
            if cost(one, rung + 1, rungs) <= seconds_left and not hopeless(study, one):
                return Job(number, rung + 1)
    return None


def promotable(study: Study, rung: int) -> list[int]:
    """Return the trials in the best third of a rung that have not gone on, best first."""
    results = study.results(rung)
    ranked = sorted(results, key=lambda number: (-results[number].rank, number))
    chosen = ranked[: len(ranked) // FACTOR]
    return [number for number in chosen if study.trials[number].rung == rung and study.trials[number].waits]


def hopeless(study: Study, one: Trial) -> bool:
    """Whether a trial cannot reach the best score: not even with the greatest gain that a trial had from its rung."""
    best = study.best()
    if best is None or best.rung <= one.rung:
        return False
    rung, top = one.rung, best.rung
    gains = [
        other.results[top].score - other.results[rung].score for other in study.completed() if top in other.results
    ]
    if len(gains) < GAINS:
        return False
    return one.results[rung].score + max(*gains, 0.0) < best.results[top].score


def cost(one: Trial, rung: int, rungs: Rungs) -> float:
    """Return the seconds that a trial needs to reach a rung, from those of its epochs so far."""
    done = one.result.epochs if one.result else 0
    return one.epoch_seconds * (rungs.epochs[rung] - done)
