"""The classification task compared with values computed by hand, SciPy and scikit-learn."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix as reference_matrix
from sklearn.metrics import f1_score, precision_score, recall_score
from torch import nn

from convscope.tasks import TASKS, Classify, Interval
from convscope.tasks.proportions import confusion_matrix, f1_interval, wilson

THREE = Classify(("cat", "dog", "owl"))

# Six images: cats predicted as cat, cat, dog; dogs as dog, dog; an owl as cat.
ANSWERS = torch.tensor([0, 0, 1, 1, 1, 0])
TRUTH = torch.tensor([0, 0, 0, 1, 1, 2])
LOGITS = nn.functional.one_hot(ANSWERS, 3).float()


def test_the_confusion_matrix_has_a_row_per_true_class_and_a_column_per_predicted_class():
    assert confusion_matrix(LOGITS, TRUTH, 3).tolist() == [[2, 1, 0], [0, 2, 0], [1, 0, 0]]


def test_scores_equal_those_worked_by_hand():
    scores = THREE.scores(LOGITS, TRUTH)
    right, wrong = math.log(2 + math.e) - 1, math.log(2 + math.e)  # the loss of a logit row (1, 0, 0)
    assert scores["loss"] == pytest.approx((4 * right + 2 * wrong) / 6, abs=1e-6)
    assert scores["accuracy"] == pytest.approx(4 / 6)
    assert scores["macro_f1"] == pytest.approx((4 / 6 + 4 / 5 + 0) / 3)
    assert list(scores) == ["loss", "accuracy", "macro_f1"]


def test_precision_recall_and_f1_of_each_class_equal_those_worked_by_hand():
    cat, dog, owl = THREE.table(LOGITS, TRUTH)
    assert [(row.name, row.images) for row in (cat, dog, owl)] == [("cat", 3), ("dog", 2), ("owl", 1)]
    assert (cat.precision.value, cat.recall.value, cat.f1.value) == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    assert (dog.precision.value, dog.recall.value, dog.f1.value) == pytest.approx((2 / 3, 1.0, 4 / 5))
    assert (owl.recall.value, owl.f1.value) == (0, 0)
    assert math.isnan(owl.precision.value), "never predicted: precision is undefined"


def test_a_class_without_images_does_not_count_in_the_macro_f1():
    task = Classify(("cat", "dog", "owl", "yak"))
    logits = nn.functional.pad(LOGITS, (0, 1))
    assert task.scores(logits, TRUTH)["macro_f1"] == pytest.approx(THREE.scores(LOGITS, TRUTH)["macro_f1"])
    yak = task.table(logits, TRUTH)[3]
    assert yak.images == 0
    assert all(math.isnan(share.value) for share in (yak.precision, yak.recall, yak.f1))


def test_the_table_equals_scikit_learns_on_random_predictions():
    generator = torch.Generator().manual_seed(3)
    logits, truth = torch.randn(400, 7, generator=generator), torch.randint(7, (400,), generator=generator)
    task, answers = Classify(tuple("abcdefg")), logits.argmax(1)
    table = task.table(logits, truth)
    assert confusion_matrix(logits, truth, 7).tolist() == reference_matrix(truth, answers).tolist()
    for ours, theirs in (("precision", precision_score), ("recall", recall_score), ("f1", f1_score)):
        expected = theirs(truth, answers, average=None)
        np.testing.assert_allclose([getattr(row, ours).value for row in table], expected, atol=1e-12)
    assert task.scores(logits, truth)["macro_f1"] == pytest.approx(f1_score(truth, answers, average="macro"))


def test_top_5_counts_the_five_highest_logits_and_is_left_out_up_to_five_classes():
    task, logits = Classify(tuple("abcdef")), torch.arange(6.0).expand(2, 6)
    assert task.scores(logits, torch.tensor([0, 1]))["top5"] == 0.5
    assert "top5" not in Classify(tuple("abcde")).scores(logits[:, :5], torch.tensor([0, 1]))


def test_probabilities_sum_to_one_with_one_per_class():
    """Also for logits that would overflow an exponential."""
    logits = torch.cat([torch.randn(20, 3) * 10, torch.tensor([[1e4, 0.0, -1e4]])])
    probabilities = THREE.decode(logits)
    assert probabilities.shape == (21, THREE.outputs)
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    torch.testing.assert_close(probabilities.sum(1), torch.ones(21), atol=1e-6, rtol=0)


def test_the_loss_is_the_negative_log_likelihood_of_the_log_softmax():
    logits, y = 5 * torch.randn(50, 3), torch.randint(3, (50,))
    expected = nn.NLLLoss()(nn.LogSoftmax(dim=1)(logits), y)
    assert THREE.loss(logits, y).item() == pytest.approx(expected.item(), abs=1e-6)


def test_class_weights_make_the_loss_a_weighted_mean():
    """By hand: sum of w[y] * loss over sum of w[y]."""
    task = Classify(("a", "b"), class_weights=(1.0, 3.0))
    logits, y = torch.tensor([[2.0, 0.0], [2.0, 0.0]]), torch.tensor([0, 1])
    right, wrong = math.log(1 + math.exp(-2)), math.log(1 + math.exp(2))
    assert task.loss(logits, y).item() == pytest.approx((1 * right + 3 * wrong) / 4, abs=1e-6)


def test_label_smoothing_distributes_probability_over_all_classes():
    task = Classify(("a", "b"), label_smoothing=0.2)
    right, wrong = math.log(1 + math.exp(-2)), math.log(1 + math.exp(2))
    loss = task.loss(torch.tensor([[2.0, 0.0]]), torch.tensor([0]))
    assert loss.item() == pytest.approx(0.9 * right + 0.1 * wrong, abs=1e-6)


def test_the_reported_loss_uses_neither_smoothing_nor_class_weights():
    harsh = Classify(THREE.classes, label_smoothing=0.5, class_weights=(1.0, 2.0, 30.0))
    assert harsh.scores(LOGITS, TRUTH) == THREE.scores(LOGITS, TRUTH)


@pytest.mark.parametrize(("hits", "trials"), [(0, 1), (1, 1), (0, 10), (10, 10), (9, 10), (1, 3), (500, 1000)])
def test_intervals_are_wilsons(hits, trials):
    expected = binomtest(hits, trials).proportion_ci(0.95, method="wilson")
    found = wilson(hits, trials)
    assert found.value == hits / trials
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-6)
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_an_interval_without_samples_is_nan():
    assert all(math.isnan(end) for end in (wilson(0, 0).value, wilson(0, 0).low, wilson(0, 0).high))


def test_the_interval_of_f1_is_derived_from_the_interval_of_a_proportion():
    share, found = wilson(6, 10), f1_interval(6, 10)
    assert found.value == pytest.approx(2 * 6 / (2 * 6 + 4))
    assert (found.low, found.high) == pytest.approx(
        (2 * share.low / (1 + share.low), 2 * share.high / (1 + share.high))
    )


def test_the_interval_of_f1_covers_the_true_value_in_95_percent_of_samples():
    """3,000 samples of 60 images from a classifier whose F1 is known."""
    generator = np.random.default_rng(0)
    shares = [0.4, 0.1, 0.15, 0.35]  # true positive, false negative, false positive, true negative
    truth, inside = 2 * 0.4 / (2 * 0.4 + 0.1 + 0.15), 0
    for both, missed, false_alarms, _ in generator.multinomial(60, shares, size=3000):
        found = f1_interval(int(both), int(both + missed + false_alarms))
        inside += found.low <= truth <= found.high
    assert 0.93 < inside / 3000 < 0.97


def test_tasks_are_registered_by_the_name_that_they_save():
    assert all(make(("a", "b")).name == name for name, make in TASKS.items())


def meters(task, *answers, target):
    """A meter for each list of predictions for the same images."""
    found = [task.meter() for _ in answers]
    for meter, given in zip(found, answers, strict=True):
        meter.add(torch.eye(task.outputs)[torch.tensor(given)], torch.tensor(target))
    return found


def test_a_gain_in_accuracy_depends_on_the_images_that_only_one_model_predicts_correctly():
    """Ten images: three are correct only after, one only before. 0.2 +- 1.96 sqrt(0.4 - 0.04) / sqrt(10)."""
    task = Classify(("a", "b"))
    before, after = meters(task, [1, 1, 1, 0, 0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 0, 0, 0, 0, 1, 1], target=[0] * 10)
    gain = task.paired_gain(before, after)
    reach = 1.959963984540054 * math.sqrt(0.36 / 10)
    assert (gain.value, gain.low, gain.high) == pytest.approx((0.2, 0.2 - reach, 0.2 + reach))
    assert task.paired_gain(before, before) == Interval(0, 0, 0)


def test_no_gain_is_mistaken_for_one_in_one_of_forty_samples():
    """Independent predictions of equal accuracy: the lower bound is above 0 by chance only."""
    task, generator, found = Classify(("a", "b")), np.random.default_rng(0), 0
    for _ in range(1000):
        before, after = meters(task, *generator.binomial(1, 0.2, (2, 400)).tolist(), target=[0] * 400)
        found += task.paired_gain(before, after).low > 0
    assert 10 <= found <= 40
