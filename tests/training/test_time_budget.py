"""A time budget ends a run in time, including evaluation."""

import pytest

from convscope.training import Epoch, Step, TimeBudget, by_clock, run
from convscope.training.schedules import cosine
from helpers.toy_network import batches, cross_entropy, evaluate, new_state


class Time:
    """A clock that is advanced manually."""

    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds


def budget_run(budget: float, step_takes: float, evaluation_takes: float):
    """Return records, rates, and when the run was over."""
    time = Time()
    clock = TimeBudget(budget, now=time)

    def slow_batches(epoch):
        for pair in batches(epoch):
            time.seconds += step_takes
            yield pair

    def slow_evaluate(model):
        time.seconds += evaluation_takes
        return evaluate(model)

    records = list(
        run(
            new_state(),
            clock.limit(slow_batches),
            cross_entropy,
            by_clock(cosine(), clock),
            None,
            clock.timing(slow_evaluate),
        )
    )
    return records, time.seconds


@pytest.mark.parametrize("budget", [20, 50, 51, 53, 100])
def test_a_run_with_evaluation_ends_within_its_budget(budget):
    records, over = budget_run(budget, step_takes=1.0, evaluation_takes=3.0)
    assert isinstance(records[-1], Epoch)
    assert budget - 3 - 1 <= over <= budget + 1


def test_one_slow_evaluation_does_not_end_training():
    time = Time()
    clock = TimeBudget(100, now=time)
    for took in (1.0, 1.0, 60.0):
        clock.timing(lambda _, took=took: setattr(time, "seconds", time.seconds + took) or {})(None)
    assert clock.evaluation == 1.0
    assert clock() == pytest.approx(62 / 99)


def test_a_partial_epoch_is_evaluated():
    records, _ = budget_run(20, step_takes=1.0, evaluation_takes=2.0)
    steps_of_last = [record for record in records if isinstance(record, Step) and record.epoch == records[-1].epoch]
    assert 0 < len(steps_of_last) < 3
    assert records[-1].validation


def test_the_schedule_follows_the_time():
    records, _ = budget_run(100, step_takes=1.0, evaluation_takes=0.0)
    rates = [record.learning_rate for record in records if isinstance(record, Step)]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] == pytest.approx(0.1, rel=0.01)
    assert rates[-1] < 0.0001


def test_the_fraction_never_decreases_and_stays_within_bounds():
    time = Time()
    clock = TimeBudget(10, reserve=2, now=time)
    clock.evaluation = 4.0
    fractions = []
    for seconds, evaluation in ((0, 4), (2, 4), (2.5, 0), (9, 0), (30, 0)):
        time.seconds, clock.evaluation = seconds, evaluation
        fractions.append(clock())
    assert fractions == [0, 0.5, 0.5, 1, 1]


def test_a_budget_smaller_than_the_evaluation_is_spent():
    assert TimeBudget(5, reserve=6, now=Time())() == 1


def test_a_resumed_budget_has_only_the_rest():
    time = Time()
    first = TimeBudget(10, now=time)
    time.seconds = 4
    second = TimeBudget(10, now=time)
    second.load_state_dict(first.state_dict())
    time.seconds = 7
    assert second() == pytest.approx(0.7)


def test_the_first_batch_of_a_run_is_always_trained_on():
    records, _ = budget_run(0.5, step_takes=1.0, evaluation_takes=3.0)
    assert [type(record) for record in records] == [Step, Epoch]


def test_the_seconds_left_do_not_include_the_reserve():
    time = Time()
    clock = TimeBudget(100, reserve=3.0, now=time)
    clock.evaluation, time.seconds = 2.0, 10.0
    assert clock.left == 85.0


def test_a_clock_that_jumps_back_does_not_give_more_time():
    times = iter([100.0, 103.0, 40.0, 42.0])
    budget = TimeBudget(10, now=lambda: next(times))
    assert [budget.spent for _ in range(3)] == [3.0, 3.0, 5.0]


def test_slower_batches_lengthen_the_expected_evaluation():
    """An evaluation of 4 s at 1 s per batch is expected to take 12 s at 3 s per batch, from the third of such on."""
    time = Time()
    clock = TimeBudget(1000, now=time)
    batches_of = clock.limit(lambda _epoch: iter([("x", "y")] * 6))
    for number, _ in enumerate(batches_of(0)):
        time.seconds += 1.0 if number < 3 else 3.0
        if number == 2:
            clock.timing(lambda _: setattr(time, "seconds", time.seconds + 4.0) or {})(None)
            clock._evaluating = None
    assert clock.batch == 3.0
    assert clock.evaluation == 12.0


def test_before_the_first_evaluation_its_images_are_expected_to_take_as_long_as_in_training():
    """The first batch takes 4 s with what is done once, so 2 s are expected of the next; it takes 1 s."""
    time = Time()
    clock = TimeBudget(1000, now=time)
    clock.evaluation_batches = 5.0
    expected = []
    for seconds, _ in zip((4.0, 1.0, 0.0), clock.limit(lambda _epoch: iter([("x", "y")] * 3))(0), strict=True):
        expected.append((clock.batch, clock.evaluation))
        time.seconds += seconds
    assert expected == [(0.0, 0.0), (2.0, 10.0), (1.0, 5.0)]


def test_what_follows_an_evaluation_is_reserved_with_it():
    time = Time()
    clock = TimeBudget(1000, now=time)
    limited = clock.limit(lambda _epoch: iter([("x", "y")]))
    list(limited(0))
    clock.timing(lambda _: setattr(time, "seconds", time.seconds + 2.0) or {})(None)
    assert clock.evaluation == 2.0
    time.seconds += 3.0  # a checkpoint
    list(limited(1))
    assert clock.evaluation == 5.0


def test_the_reserve_is_updated_at_most_once_per_second():
    time, calls = Time(), []
    clock = TimeBudget(100, now=time)
    clock.update_reserve = lambda: calls.append(time.seconds)
    for seconds in (0.5, 1.2, 1.9, 2.5):
        time.seconds = seconds
        clock.plan()
    assert calls == [1.2, 2.5]
