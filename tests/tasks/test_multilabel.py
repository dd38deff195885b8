"""Multi-label classification: scores computed by hand, unknown labels and thresholds."""

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score, f1_score
from torch.nn import functional as F

from convscope.tasks import LabelsPrediction, Multilabel, Pictures, Table, TaskContext, ViewTransform
from convscope.tasks.thresholds import best_threshold

TASK = Multilabel(("humour", "sf"))
NAN = math.nan


def logit(share: float) -> float:
    return math.log(share / (1 - share))


def test_the_loss_is_the_mean_binary_cross_entropy_of_the_known_labels():
    output = torch.tensor([[logit(0.8), logit(0.4)], [logit(0.1), logit(0.9)]])
    target = torch.tensor([[1.0, 0.0], [NAN, 1.0]])
    by_hand = -(math.log(0.8) + math.log(0.6) + math.log(0.9)) / 3
    assert float(TASK.loss(output, target)) == pytest.approx(by_hand, abs=1e-6)


def test_an_unknown_label_has_no_gradient_and_a_batch_without_labels_no_loss():
    output = torch.zeros(2, 2, requires_grad=True)
    TASK.loss(output, torch.tensor([[1.0, NAN], [NAN, NAN]])).backward()
    assert output.grad.tolist() == [[-0.5, 0.0], [0.0, 0.0]]
    assert float(TASK.loss(output.detach(), torch.full((2, 2), NAN))) == 0.0


def test_positive_weights_are_negatives_over_positives_and_equal_pytorchs():
    targets = np.array([[1, 0], [0, 0], [0, 1], [0, NAN]], np.float32)
    task = Multilabel.from_data(TaskContext(TASK.classes, targets, (8, 8)), {"positive_weights": "balanced"})
    assert task.positive_weights == (3.0, 2.0)
    output, target = torch.randn(5, 2), torch.randint(2, (5, 2)).float()
    theirs = F.binary_cross_entropy_with_logits(output, target, pos_weight=torch.tensor([3.0, 2.0]))
    assert float(task.loss(output, target)) == pytest.approx(float(theirs), abs=1e-6)


def test_probabilities_need_not_sum_to_one_and_an_image_may_have_two_labels():
    found = TASK.predictions(torch.tensor([[2.0, 1.0], [-1.0, -2.0]]), [frame("a"), frame("b")])
    assert [one.labels for one in found] == [("humour", "sf"), ()]
    assert sum(found[0].probabilities) > 1
    assert found[0].to_dict()["labels"] == ["humour", "sf"]
    assert found[0].csv_row()[0] == "humour sf"
    assert found[0].display(3) == ["humour 88.1 %, sf 73.1 %"]
    assert found[1].display(3) == ["none"]


def test_scores_equal_scikit_learns():
    generator = torch.Generator().manual_seed(2)
    output = torch.randn(200, 4, generator=generator)
    target = (torch.rand(200, 4, generator=generator) < torch.tensor([0.5, 0.1, 0.3, 0.7])).float()
    task, given, truth = Multilabel(tuple("abcd")), (output >= 0).int().numpy(), target.int().numpy()
    found = task.scores(output, target)
    assert found["map"] == pytest.approx(average_precision_score(truth, output.sigmoid().numpy(), average="macro"))
    assert found["micro_f1"] == pytest.approx(f1_score(truth, given, average="micro"))
    assert found["macro_f1"] == pytest.approx(f1_score(truth, given, average="macro"))
    assert found["exact"] == pytest.approx((truth == given).all(1).mean())


def test_unknown_labels_are_ignored():
    output = torch.tensor([[3.0, -3.0], [-3.0, 3.0], [3.0, 3.0]])
    target = torch.tensor([[1.0, 0.0], [0.0, 1.0], [NAN, NAN]])
    assert TASK.scores(output, target) == pytest.approx(TASK.scores(output[:2], target[:2]))
    assert [row.known for row in TASK.table(output, target)] == [2, 2]


@pytest.mark.parametrize(
    ("shares", "truth", "expected"),
    [
        ([0.1, 0.2, 0.3], [0, 1, 1], 0.15),
        ([0.9, 0.2, 0.6, 0.7], [1, 0, 0, 1], 0.65),
        ([0.2, 0.9, NAN], [1, 1, NAN], 0.1),
        ([0.4, 0.6], [0, 0], 0.5),
        ([0.3, 0.7], [0, 1], 0.5),
    ],
)
def test_the_threshold_is_that_of_the_best_f1(shares, truth, expected):
    assert best_threshold(np.array(shares), np.array(truth, float)) == pytest.approx(expected)


def test_no_threshold_gives_a_better_f1_than_the_one_chosen():
    random = np.random.default_rng(0)
    for _ in range(20):
        share, truth = random.random(30).round(1), (random.random(30) < 0.4).astype(float)
        best = f1_score(truth, share >= best_threshold(share, truth), zero_division=0)
        assert best == pytest.approx(
            max(f1_score(truth, share >= t, zero_division=0) for t in np.arange(0, 1.05, 0.05))
        )


def test_calibration_stores_the_thresholds_in_the_task_and_predictions_use_them():
    meter = TASK.meter()
    meter.add(torch.tensor([[-2.0, 0.0], [-1.0, 1.0], [-3.0, -1.0]]), torch.tensor([[1.0, 0], [1, 1], [0, 0]]))
    tuned = TASK.calibrate(meter)
    assert tuned.thresholds[0] < 0.5 < tuned.thresholds[1]
    assert tuned.scores(meter.output, meter.target)["exact"] == 1.0
    assert tuned.settings() == {"positive_weights": None, "thresholds": tuned.thresholds}


def test_its_sections_list_scores_by_label_and_show_mistakes():
    meter = TASK.meter()
    meter.add(torch.tensor([[3.0, -3.0], [3.0, 3.0]]), torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
    table, wrong, right = TASK.sections(meter)
    assert isinstance(table, Table)
    assert [row[0] for row in table.rows] == ["humour", "sf"]
    assert isinstance(wrong, Pictures)
    assert [(one.row, one.prediction, one.target) for one in wrong.shown] == [(1, "humour, sf", "sf")]
    assert [(one.row, one.prediction) for one in right.shown] == [(0, "humour")]


def frame(name: str) -> ViewTransform:
    return ViewTransform(name, (8, 8), 0.0, 0.0, 8.0, 8.0)


def test_a_prediction_is_of_its_kind():
    assert isinstance(TASK.predictions(torch.zeros(1, 2), [frame("x")])[0], LabelsPrediction)
