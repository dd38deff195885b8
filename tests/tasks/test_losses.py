"""The losses equal the sums of their terms, and class weights follow from the class frequencies.

Which one: one right class of several takes the cross entropy of logits; several labels at once the binary cross
entropy of logits; a quantity the mean squared error. Those of logits compute logarithm and exponential together, so
that they take any real number; "values between 0 and 1" are what the forms on probabilities take.
"""

import math

import numpy as np
import pytest
import torch
from torch import nn

from convscope.tasks import Classify, Multilabel, Regress, TaskContext


def test_cross_entropy_is_negative_log_likelihood_of_log_softmax():
    logits, y = 5 * torch.randn(50, 7), torch.randint(7, (50,))
    made = nn.NLLLoss()(nn.LogSoftmax(dim=1)(logits), y)
    torch.testing.assert_close(Classify(tuple("abcdefg")).loss(logits, y), made, atol=1e-6, rtol=0)


def test_binary_cross_entropy_with_logits_is_that_of_the_sigmoid():
    logits, y = torch.randn(50, 7), torch.randint(2, (50, 7)).float()
    made = nn.BCELoss()(nn.Sigmoid()(logits), y)
    torch.testing.assert_close(Multilabel(tuple("abcdefg")).loss(logits, y), made, atol=1e-6, rtol=0)


def test_binary_cross_entropy_with_logits_takes_any_real_number():
    loss = Multilabel(("a", "b")).loss(torch.tensor([[200.0, -200.0]]), torch.tensor([[0.0, 1.0]]))
    assert loss.item() == pytest.approx(200)


def test_mean_squared_error_worked_by_hand():
    task = Regress(("width",), mean=(0.0,), std=(1.0,))
    assert task.loss(torch.tensor([[1.0], [4.0]]), torch.tensor([[0.0], [2.0]])).item() == (1 + 4) / 2


def test_the_scale_of_class_weights_does_not_change_the_rate():
    logits, y = torch.tensor([[2.0, 0.0], [2.0, 0.0]]), torch.tensor([0, 1])
    losses = [Classify(("a", "b"), class_weights=(k, 3 * k)).loss(logits, y).item() for k in (1.0, 10.0)]
    assert losses[0] == pytest.approx(losses[1])
    assert losses[0] == pytest.approx((math.log(1 + math.exp(-2)) + 3 * math.log(1 + math.exp(2))) / 4, abs=1e-6)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [((60, 30, 10), (100 / 180, 100 / 90, 100 / 30)), ((3, 0, 1), (4 / 6, 0, 2))],
    ids=["every class counts alike", "a class without images has no weight"],
)
def test_balanced_weights_are_images_over_classes_times_images_of_the_class(counts, expected):
    targets = np.repeat(np.arange(3), counts)
    task = Classify.from_data(TaskContext(tuple("abc"), targets, (8, 8)), {"class_weights": "balanced"})
    assert task.class_weights == pytest.approx(expected)
    assert np.dot(task.class_weights, counts) == pytest.approx(sum(counts)), "over all images they average 1"
