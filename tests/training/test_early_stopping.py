"""Early stopping: when it stops, and its state."""

import pytest

from convscope.training import EarlyStopping


@pytest.mark.parametrize("patience", [0, 1, 3])
def test_it_stops_after_exactly_patience_plus_1_bad_epochs(patience):
    counter = EarlyStopping(patience, "max")
    assert [counter.update(0.5) for _ in range(patience + 2)] == [False] * (patience + 1) + [True]


def test_an_improvement_resets_the_count():
    counter = EarlyStopping(1)
    assert [counter.update(loss) for loss in (3, 3, 2, 2, 1, 1, 1)] == [False] * 6 + [True]
    assert (counter.best, counter.best_epoch) == (1, 5)


def test_an_improvement_below_min_delta_does_not_count():
    counter = EarlyStopping(0, "max", min_delta=0.01)
    assert [counter.update(score) for score in (0.5, 0.52, 0.525)] == [False, False, True]


def test_nan_scores_are_bad_from_the_first_epoch_on():
    counter = EarlyStopping(1)
    assert [counter.update(float("nan")), counter.update(float("nan"))] == [False, True]
    assert counter.best is None


def test_it_resumes_from_its_state():
    first, second = EarlyStopping(2), EarlyStopping(2)
    for loss in (2.0, 1.0, 1.5):
        first.update(loss)
    second.load_state_dict(first.state_dict())
    assert vars(second) == vars(first)
    assert [second.update(1.5), second.update(1.5)] == [False, True]


def test_epochs_may_be_skipped():
    stopping = EarlyStopping(1, mode="max")
    stopping.update(0.5, epoch=10)
    stopping.update(0.6)
    assert (stopping.best_epoch, stopping.epochs) == (11, 11)
