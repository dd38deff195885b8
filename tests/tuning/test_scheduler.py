"""Which trial goes on: the best third of a rung, unless it cannot reach the best or there is no time."""

import pytest

from convscope.tuning.epoch_time import epoch_seconds
from convscope.tuning.rungs import Rungs, epochs_per_trial, rungs_for
from convscope.tuning.scheduler import Job, cost, hopeless, next_job, promotable
from helpers.studies import reached, started, stopped, study_of, trial

RUNGS = Rungs((1, 3, 9), 1.0, 10.0)


def test_two_results_are_too_few_to_go_on():
    assert next_job(study_of([0.5, 0.6]), RUNGS, 100) is None


def test_the_best_of_three_goes_on():
    assert next_job(study_of([0.5, 0.7, 0.6]), RUNGS, 100) == Job(1, 1)


def test_of_equal_scores_the_lower_loss_goes_on():
    study = study_of([0.5, 0.5, 0.5])
    study.add([reached(3, 0, 0.5) | {"loss": 0.1}] if study.add([trial(3)]) is None else [])
    assert promotable(study, 0) == [3]


def test_higher_rungs_come_first():
    study = study_of([0.1, 0.2, 0.3], rung=1)
    study.add([record for n in (3, 4, 5) for record in (trial(n), reached(n, 0, 0.9))])
    assert next_job(study, RUNGS, 1000) == Job(2, 2)


def test_a_trial_that_was_stopped_or_is_running_does_not_go_on():
    study = study_of([0.5, 0.7, 0.6])
    study.add([started(1, 1)])
    assert next_job(study, RUNGS, 100) is None
    study = study_of([0.5, 0.7, 0.6])
    study.add([stopped(1, "vanishing gradient")])
    assert next_job(study, RUNGS, 100) is None


def test_a_trial_that_nobody_trains_is_taken_up_first():
    study = study_of([0.5, 0.7, 0.6])
    study.add([trial(3), started(3), {"event": "released", "number": 3, "clock": 0, "at": 1}])
    assert next_job(study, RUNGS, 100) == Job(3, 0)


def test_there_must_be_time_for_the_next_rung():
    study = study_of([0.5, 0.7, 0.6])
    assert cost(study.trials[1], 1, RUNGS) == 2.0
    assert next_job(study, RUNGS, 1.9) is None
    assert next_job(study, RUNGS, 2.0) == Job(1, 1)


def test_a_curve_that_cannot_reach_the_best_is_not_continued():
    study = study_of([0.8, 0.8, 0.8, 0.8, 0.8])
    study.add([reached(number, 1, 0.85) for number in range(5)])
    study.add([trial(5), reached(5, 0, 0.79), trial(6), reached(6, 0, 0.81)])
    assert hopeless(study, study.trials[5])
    assert not hopeless(study, study.trials[6])


def test_the_longest_rungs_are_chosen_for_which_there_is_time():
    assert rungs_for(1.0, 10_000, 10_000).epochs == (1, 3, 9, 27)
    assert rungs_for(1.0, 10_000, 100).epochs == (1, 3, 9)
    assert rungs_for(1.0, 10_000, 100, jobs=4).epochs == (1, 3, 9, 27)
    assert rungs_for(1.0, 10_000, None) == Rungs((1, 3, 9), 1.0, float("inf"))


def test_without_time_for_all_images_trials_get_a_share_of_them_but_never_fewer_than_500():
    assert rungs_for(100.0, 10_000, 600).share == pytest.approx(1 / 3)
    assert rungs_for(1000.0, 1_000, 60).share == 0.5
    assert rungs_for(1000.0, 300, 60).share == 1.0


def test_the_epochs_of_a_trial_on_average():
    assert epochs_per_trial((1, 2)) == pytest.approx(1 + 1 / 3)


def test_the_time_of_an_epoch_is_that_of_the_nearest_network_in_proportion_to_its_arithmetic():
    assert epoch_seconds(500, [], (1000, 2.0)) == 1.0
    assert epoch_seconds(4000, [], (1000, 2.0)) == 8.0
    study = study_of([0.5])
    study.add([trial(1, macs=1_000_000), reached(1, 0, 0.5, seconds=50.0)])
    assert epoch_seconds(2_000_000, study.trials.values(), (1000, 2.0)) == 100.0
    assert epoch_seconds(900, study.trials.values(), (1000, 2.0)) == 0.9
