"""Schedules: values worked by hand, and drops on a plateau."""

import pytest
import torch

from convscope.errors import ConfigError
from convscope.training import SHAPES, PlateauSchedule, ScheduleSettings, build_schedule, by_clock, by_steps
from convscope.training.schedules import constant, cosine, linear, one_cycle, step


@pytest.mark.parametrize(
    ("shape", "values"),
    [
        (constant(), [1, 1, 1, 1, 1]),
        (step((0.5, 0.75), 0.1), [1, 1, 0.1, 0.01, 0.01]),
        (cosine(), [1, 0.853553, 0.5, 0.146447, 0]),
        (linear(), [1, 0.75, 0.5, 0.25, 0]),
        (one_cycle(0.25, start=0.1), [0.1, 1, 0.75, 0.25, 0]),
        (one_cycle(0.5, start=0.1), [0.1, 0.55, 1, 0.5, 0]),
        (one_cycle(0.0), [1, 0.853553, 0.5, 0.146447, 0]),
    ],
)
def test_shapes_at_the_quarters_worked_by_hand(shape, values):
    assert [shape(done / 4) for done in range(5)] == pytest.approx(values, abs=1e-6)


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_factors_stay_between_0_and_1(name):
    shape = SHAPES[name](ScheduleSettings(name=name))
    assert all(0 <= shape(done / 1000) <= 1 for done in range(1001))


@pytest.mark.parametrize("name", ["cosine", "one_cycle"])
def test_shapes_that_end_at_0_do(name):
    assert build_schedule(ScheduleSettings(name=name), total_steps=10)(10) == pytest.approx(0)


def test_steps_past_the_end_keep_the_last_factor():
    schedule = by_steps(step(), 10)
    assert [schedule(at) for at in (10, 11, 1000)] == pytest.approx([0.01] * 3)


def test_cosine_is_that_of_torch():
    weight = torch.nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.SGD([weight], lr=1.0)
    oracle = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 20)
    schedule = by_steps(cosine(), 20)
    for at in range(20):
        assert schedule(at) == pytest.approx(optimiser.param_groups[0]["lr"], abs=1e-9)
        optimiser.step()
        oracle.step()


def test_with_a_clock_the_step_has_no_effect():
    now = iter([0.0, 0.5, 1.0])
    schedule = by_clock(cosine(), lambda: next(now))
    assert [schedule(1000), schedule(0), schedule(7)] == pytest.approx([1, 0.5, 0])


@pytest.mark.parametrize("patience", [0, 1, 2, 5])
def test_on_a_flat_loss_the_rate_drops_after_exactly_patience_plus_1_bad_epochs(patience):
    """The first epoch is the best one; the drops come every patience + 1 epochs after it."""
    plateau = PlateauSchedule(factor=0.5, patience=patience)
    drops = [epoch for epoch in range(20) if plateau.update(1.0)]
    assert drops == list(range(patience + 1, 20, patience + 1))
    assert plateau(0) == 0.5 ** len(drops)


@pytest.mark.parametrize("mode", ["min", "max"])
def test_a_plateau_is_that_of_torch(mode):
    scores = torch.rand(200, generator=torch.Generator().manual_seed(1)).tolist()
    weight = torch.nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.SGD([weight], lr=1.0)
    oracle = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimiser, mode, factor=0.9, patience=3, threshold=0.0, threshold_mode="abs", eps=0.0
    )
    plateau = PlateauSchedule(0.9, 3, mode)
    for score in scores:
        plateau.update(score)
        oracle.step(score)
        assert plateau(0) == pytest.approx(optimiser.param_groups[0]["lr"])


def test_a_nan_score_is_a_bad_one():
    plateau = PlateauSchedule(0.5, patience=0)
    assert [plateau.update(score) for score in (1.0, float("nan"), 0.5)] == [False, True, False]


def test_a_plateau_resumes_from_its_state():
    straight, first, second = (PlateauSchedule(0.5, 2) for _ in range(3))
    expected = [straight.update(1.0) for _ in range(12)]
    before = [first.update(1.0) for _ in range(5)]
    second.load_state_dict(first.state_dict())
    assert before + [second.update(1.0) for _ in range(7)] == expected
    assert second(0) == straight(0)


def test_the_settings_choose_the_schedule():
    assert isinstance(build_schedule(ScheduleSettings(name="plateau")), PlateauSchedule)
    assert build_schedule(ScheduleSettings(name="step", at=(0.1,), factor=0.5), total_steps=10)(1) == 0.5
    assert build_schedule(ScheduleSettings(name="cosine"), clock=lambda: 0.5)(0) == pytest.approx(0.5)


def test_a_schedule_without_steps_or_clock_is_rejected():
    with pytest.raises(ConfigError) as caught:
        build_schedule(ScheduleSettings(name="cosine"))
    assert (
        str(caught.value)
        == "schedule: cosine needs a number of steps, and total_steps is None; give total_steps or a clock"
    )
