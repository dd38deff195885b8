"""Regression: standardised targets, and scores equal to scikit-learn's."""

import numpy as np
import pytest
import torch
from sklearn.metrics import mean_absolute_error, r2_score

from convscope.tasks import Regress, Scatter, TaskContext, ViewTransform

TARGETS = np.array([[10.0, 1.0], [20.0, 1.0], [30.0, 1.0]], np.float32)
TASK = Regress.from_data(TaskContext(("age", "height"), TARGETS, (8, 8)), {"kind": "mse"})


def test_targets_are_standardised_by_the_training_targets_and_mapped_back():
    assert TASK.mean == (20.0, 1.0)
    assert TASK.std == pytest.approx((np.sqrt(200 / 3), 1.0)), "a number that never changes is divided by 1"
    assert TASK.decode(torch.zeros(1, 2)).tolist() == [[20.0, 1.0]]
    found = TASK.predictions(torch.tensor([[1.0, -0.5]]), [ViewTransform("a", (8, 8), 0, 0, 8, 8)])[0]
    assert found.values == pytest.approx((20 + np.sqrt(200 / 3), 0.5))
    assert found.to_dict() == {"file": "a", "values": dict(zip(("age", "height"), found.values, strict=True))}
    assert found.csv_row() == list(found.values)
    assert found.display(1) == ["age 28.16"]


def test_the_loss_is_the_mean_squared_distance_of_standardised_numbers():
    output, target = torch.tensor([[0.0, 0.0]]), torch.tensor([[20 + 2 * TASK.std[0], 1.5]])
    assert float(TASK.loss(output, target)) == pytest.approx((4 + 0.25) / 2)


def test_huber_is_squared_up_to_one_deviation_and_then_linear():
    task = Regress.from_data(TaskContext(("age", "height"), TARGETS, (8, 8)), {"kind": "huber"})
    output, target = torch.tensor([[0.0, 0.0]]), torch.tensor([[20 + 2 * TASK.std[0], 1.5]])
    assert float(task.loss(output, target)) == pytest.approx(((2 - 0.5) + 0.5 * 0.25) / 2)


def test_scores_equal_scikit_learns():
    generator = torch.Generator().manual_seed(1)
    output, target = torch.randn(50, 2, generator=generator), torch.randn(50, 2, generator=generator) + 20
    found, answer = TASK.scores(output, target), TASK.decode(output)
    assert found["r2"] == pytest.approx(r2_score(target, answer), rel=1e-4)
    assert found["mae"] == pytest.approx(mean_absolute_error(target, answer), rel=1e-5)


def test_perfect_predictions_have_r2_of_one_and_the_mean_has_zero():
    target = torch.tensor([[10.0], [20.0], [30.0]])
    task = Regress(("age",), (20.0,), (10.0,))
    assert task.scores((target - 20) / 10, target) == {"loss": 0.0, "r2": 1.0, "mae": 0.0}
    assert task.scores(torch.zeros(3, 1), target)["r2"] == pytest.approx(0.0)


def test_the_residual_plot_shows_prediction_minus_target_of_every_image():
    meter = Regress(("age",), (0.0,), (1.0,)).meter()
    meter.add(torch.tensor([[1.0], [4.0]]), torch.tensor([[2.0], [2.0]]))
    answers, residuals = (s for s in meter.measure.__self__.sections(meter) if isinstance(s, Scatter))
    assert (answers.x.tolist(), answers.y.tolist()) == ([2.0, 2.0], [1.0, 4.0])
    assert residuals.y.tolist() == [-1.0, 2.0]


def test_the_largest_errors_are_shown_first():
    task = Regress(("age",), (0.0,), (1.0,))
    meter = task.meter()
    meter.add(torch.tensor([[1.0], [4.0]]), torch.tensor([[2.0], [2.0]]))
    shown = task.sections(meter)[-1].shown
    assert [(one.row, one.prediction, one.target) for one in shown] == [(1, "age 4", "age 2"), (0, "age 1", "age 2")]
