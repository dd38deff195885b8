"""How much choosing flatters: nothing for one clear winner, much for many equal trials."""

import numpy as np
import pytest

from convscope.tuning.selection_bias import nested_estimate


def drawn(trials, images, probability, seed):
    return (np.random.default_rng(seed).random((trials, images)) < probability).astype(np.float64)


def test_the_estimate_of_many_equal_trials_is_near_their_true_score():
    found = [nested_estimate(drawn(60, 200, 0.9, seed)) for seed in range(10)]
    assert np.mean([one.chosen for one in found]) > 0.94
    assert np.mean([one.estimate for one in found]) == pytest.approx(0.9, abs=0.02)
    assert all(one.low < 0.9 < one.high for one in found)


def test_a_clear_winner_is_hardly_flattered():
    scores = np.vstack([drawn(20, 500, 0.6, 1), drawn(1, 500, 0.95, 2)])
    found = nested_estimate(scores)
    assert found.flattery < 0.01
    assert (found.trials, found.images) == (21, 500)


def test_an_estimate_above_the_choice_is_no_flattery():
    scores = np.ones((2, 50))
    assert nested_estimate(scores).flattery == 0.0
