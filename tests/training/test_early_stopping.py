"""Early stopping counts what it should."""

import pytest

from convscope.training import EarlyStopping


@pytest.mark.parametrize("patience", [0, 1, 3])
def test_it_is_exhausted_after_exactly_patience_plus_1_bad_epochs(patience):
    counter = EarlyStopping(patience, "max")
    assert [counter.update(0.5) for _ in range(patience + 2)] == [False] * (patience + 1) + [True]


def test_progress_begins_the_count_anew():
    counter = EarlyStopping(1)
    assert [counter.update(loss) for loss in (3, 3, 2, 2, 1, 1, 1)] == [False] * 6 + [True]
    assert (counter.best, counter.best_epoch) == (1, 5)


def test_a_gain_that_is_too_small_is_none():
    counter = EarlyStopping(0, "max", min_delta=0.01)
    assert [counter.update(score) for score in (0.5, 0.52, 0.525)] == [False, False, True]


def test_scores_that_are_no_numbers_are_bad_from_the_first_on():
    counter = EarlyStopping(1)
    assert [counter.update(float("nan")), counter.update(float("nan"))] == [False, True]
    assert counter.best is None


def test_it_goes_on_from_its_state():
    first, second = EarlyStopping(2), EarlyStopping(2)
    for loss in (2.0, 1.0, 1.5):
        first.update(loss)
    second.load_state_dict(first.state_dict())
    assert vars(second) == vars(first)
    assert [second.update(1.5), second.update(1.5)] == [False, True]
