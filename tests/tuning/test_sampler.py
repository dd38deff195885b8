"""Proposals: the same log gives the same one, results draw them towards the best values, and the history is bounded."""

import time

import pytest

from convscope.tuning.sampler import Sampler, history
from helpers.studies import SPACE, reached, study_of, trial


def good_at_wide(count, rung=0):
    """A study in which the score rises with the width and falls with the distance of the rate from 1."""
    study, sampler = study_of([]), Sampler(SPACE, 7)
    for number in range(count):
        values = sampler.propose(study, number)
        score = SPACE["model.options.width"].fraction(values["model.options.width"])
        score -= abs(SPACE["optimiser.rate"].fraction(values["optimiser.rate"]) - 0.5)
        study.add([trial(number, values), *(reached(number, below, score) for below in range(rung + 1))])
    return study, sampler


def test_a_reloaded_search_proposes_what_one_without_a_stop_would():
    study, sampler = good_at_wide(30)
    assert Sampler(SPACE, 7).propose(study, 30) == sampler.propose(study, 30)


def test_after_a_reload_proposals_are_not_repeated():
    study, _ = good_at_wide(30)
    again = Sampler(SPACE, 7)
    proposals = [again.propose(study, number) for number in (30, 31, 32)]
    assert len({tuple(one.values()) for one in proposals}) == 3
    assert all(one not in [trial.values for trial in study.trials.values()] for one in proposals)


def test_another_attempt_is_another_proposal():
    study, sampler = good_at_wide(30)
    assert sampler.propose(study, 30, 0) != sampler.propose(study, 30, 1)


def test_proposals_move_towards_the_best_values():
    study, _ = good_at_wide(60)
    fractions = [
        SPACE["model.options.width"].fraction(one.values["model.options.width"]) for one in study.trials.values()
    ]
    assert sum(fractions[:10]) / 10 < 0.65
    assert sum(fractions[-20:]) / 20 > 0.75


def test_every_proposal_is_in_the_space():
    study, sampler = good_at_wide(20)
    values = sampler.propose(study, 20)
    assert all(one.contains(values[one.name]) for one in SPACE.parameters)
    assert isinstance(values["model.options.width"], int)


def test_the_highest_rung_with_enough_results_is_learned_from():
    study, sampler = good_at_wide(12)
    assert sampler.rung(study) == 0
    study.add([reached(number, 1, 0.5) for number in range(10)])
    assert sampler.rung(study) == 1
    assert Sampler(SPACE, 0).rung(study_of([0.5] * 9)) == -1


def test_all_results_are_seen_up_to_a_bound_then_the_best_and_the_latest():
    results = [(number, float(number % 50)) for number in range(500)]
    assert history(results[:100]) == list(range(100))
    used = history(results)
    assert len(used) == 80
    assert used[40:] == list(range(460, 500))
    assert all(number % 50 >= 45 for number in used[:40])


@pytest.mark.slow
def test_a_proposal_among_500_trials_takes_less_than_15_ms():
    study, sampler = good_at_wide(100)
    study.add([record for n in range(100, 500) for record in (trial(n), reached(n, 0, 0.1))])
    sampler.propose(study, 500)
    started = time.process_time()
    for number in range(500, 520):
        sampler.propose(study, number)
    assert (time.process_time() - started) / 20 < 0.015
