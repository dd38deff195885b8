"""Which parameters mattered, and silence where too few trials say so."""

import numpy as np

from convscope.tuning.importance import importances, sentence
from helpers.studies import SPACE, reached, study_of, trial


def random_study(count, score):
    random, study = np.random.default_rng(3), study_of([])
    for number in range(count):
        values = SPACE.sample(random)
        study.add([trial(number, values), reached(number, 0, score(values, random))])
    return study


def by_width(values, random):
    return SPACE["model.options.width"].fraction(values["model.options.width"]) + 0.01 * random.random()


def test_the_parameter_that_decides_comes_first():
    found = importances(random_study(60, by_width), SPACE)
    assert found[0].title == "filters"
    assert found[0].share > 0.5
    assert found[0].low <= found[0].share <= found[0].high
    assert sum(one.share for one in found) == 1.0 or abs(sum(one.share for one in found) - 1) < 1e-9


def test_below_20_trials_nothing_is_said():
    assert importances(random_study(19, by_width), SPACE) == []
    assert sentence([], 19) == ""


def test_the_sentence_has_shares_and_intervals():
    found = importances(random_study(60, by_width), SPACE)
    text = sentence(found, 60)
    share, low, high = (f"{100 * number:.0f}" for number in (found[0].share, found[0].low, found[0].high))
    assert text.startswith(
        "What mattered most, as shares of the importance over 60 trials: "
        f"filters ({share} %, 95 % interval {low} to {high} %)"
    )
