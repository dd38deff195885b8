"""Segmentation: counts computed by hand, scores of other libraries, and bounded memory."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from convscope.errors import ModelError
from convscope.models import build, resolve
from convscope.tasks import TASKS, Segment, ViewTransform
from convscope.tasks.drawing import borders, with_mask
from convscope.tasks.mask_meter import MaskMeter
from convscope.tasks.mask_metrics import IGNORE, by_class, dice_loss
from convscope.tasks.task import TaskContext

TASK = Segment(("ground", "cell"))


def logits_of(mask: torch.Tensor, kinds: int = 2, sure: float = 4.0) -> torch.Tensor:
    return sure * F.one_hot(mask, kinds).movedim(-1, 1).float()


# One image of 2 x 3: the prediction has one wrong pixel of the cell and one of the background.
TRUTH = torch.tensor([[[0, 0, 1], [0, 1, IGNORE]]], dtype=torch.uint8)
ANSWER = torch.tensor([[[0, 1, 1], [0, 0, 1]]])


def test_the_counts_and_scores_equal_those_worked_by_hand():
    meter = TASK.meter()
    meter.add(logits_of(ANSWER), TRUTH)
    assert meter.counts.tolist() == [[2, 1], [1, 1]], "the ignored pixel is nowhere"
    scores = meter.scores()
    assert scores["miou"] == pytest.approx((2 / 4 + 1 / 3) / 2)
    assert scores["dice"] == pytest.approx((4 / 6 + 2 / 4) / 2)
    assert scores["accuracy"] == pytest.approx(3 / 5)
    right, wrong = math.log(1 + math.exp(-4)), math.log(1 + math.exp(4))
    assert scores["loss"] == pytest.approx((3 * right + 2 * wrong) / 5, abs=1e-5)


def test_precision_and_recall_of_each_class_are_nan_if_it_does_not_occur():
    iou, dice, precision, recall = by_class(np.array([[2, 1, 0], [1, 1, 0], [0, 0, 0]]))
    assert precision[:2].tolist() == pytest.approx([2 / 3, 1 / 2])
    assert recall[:2].tolist() == pytest.approx([2 / 3, 1 / 2])
    assert all(math.isnan(values[2]) for values in (iou, dice, precision, recall))


def test_scores_do_not_depend_on_the_batches():
    truth, answer = torch.randint(3, (7, 5, 6)), torch.randint(3, (7, 5, 6))
    task = Segment(("a", "b", "c"))
    whole, parts = task.meter(), task.meter()
    whole.add(logits_of(answer, 3), truth)
    for start in range(0, 7, 2):
        parts.add(logits_of(answer[start : start + 2], 3), truth[start : start + 2])
    assert parts.scores() == pytest.approx(whole.scores())
    assert sorted(parts.worst) == sorted(whole.worst)


def test_scores_equal_scikit_learns_jaccard():
    from sklearn.metrics import jaccard_score

    truth, answer = torch.randint(4, (3, 9, 9)), torch.randint(4, (3, 9, 9))
    meter = Segment(tuple("abcd")).meter()
    meter.add(logits_of(answer, 4), truth)
    theirs = jaccard_score(truth.flatten(), answer.flatten(), average="macro")
    assert meter.scores()["miou"] == pytest.approx(theirs)


def test_a_large_set_keeps_only_the_masks_that_are_shown():
    meter = TASK.meter()
    for _ in range(20):
        meter.add(torch.randn(10, 2, 4, 4), torch.randint(2, (10, 4, 4)))
    assert len(meter) == 200
    assert len(meter.shown_masks) <= 24
    assert len(meter.worst) == 12


def test_the_worst_images_are_those_of_the_lowest_score():
    truth = torch.randint(2, (40, 6, 6))
    wrong = {30: 20, 17: 12}
    answer = truth.clone()
    for row, pixels in wrong.items():
        answer[row].view(-1)[:pixels] = 1 - answer[row].view(-1)[:pixels]
    meter = TASK.meter()
    meter.add(logits_of(answer), truth)
    assert [row for _, row in sorted(meter.worst)][:2] == [30, 17]
    assert meter.shown_masks[30][0].tolist() == answer[30].tolist()


def test_a_meter_is_restored_from_its_stored_state():
    meter = TASK.meter()
    meter.add(torch.randn(5, 2, 4, 4), torch.randint(2, (5, 4, 4)))
    again = TASK.meter(meter.arrays())
    assert isinstance(again, MaskMeter)
    assert again.scores() == meter.scores()
    assert [s.title for s in TASK.sections(again)] == [s.title for s in TASK.sections(meter)]


def test_the_loss_is_the_mean_over_pixels_with_a_class():
    output = torch.randn(2, 2, 3, 3)
    target = torch.randint(2, (2, 3, 3))
    assert float(TASK.loss(output, target)) == pytest.approx(float(F.cross_entropy(output, target)), abs=1e-6)
    target[0] = IGNORE
    assert float(TASK.loss(output, target)) == pytest.approx(float(F.cross_entropy(output[1:], target[1:])), abs=1e-6)
    assert float(TASK.loss(output, torch.full_like(target, IGNORE))) == 0.0


def test_the_dice_loss_equals_that_worked_by_hand():
    output = torch.zeros(1, 2, 1, 2)  # both classes 1/2 everywhere
    target = torch.tensor([[[0, 1]]])
    # each class: intersection = 1/2, sum = 1 + 1; (2 * 1/2 + 1) / (2 + 1)
    assert float(dice_loss(output, target)) == pytest.approx(1 - 2 / 3)
    assert float(dice_loss(logits_of(target, sure=50.0), target)) == pytest.approx(0.0, abs=1e-6)
    both = Segment(TASK.classes, dice=2.0)
    assert float(both.loss(output, target)) == pytest.approx(math.log(2) + 2 / 3)


def test_probabilities_sum_to_one_in_every_pixel():
    torch.testing.assert_close(TASK.decode(torch.randn(2, 2, 5, 7)).sum(1), torch.ones(2, 5, 7))


def test_a_mask_is_returned_at_the_size_of_the_file(tmp_path):
    mask = torch.zeros(1, 4, 4, dtype=torch.long)
    mask[:, :2] = 1
    found = TASK.predictions(logits_of(mask), [ViewTransform("photos/a.jpg", (8, 12), 0, 0, 12, 8)])[0]
    assert found.mask.shape == (8, 12)
    assert (found.mask[:3] == 1).all()
    assert found.shares == (0.5, 0.5)
    assert found.to_dict() == {"file": "photos/a.jpg", "size": [8, 12], "shares": {"ground": 0.5, "cell": 0.5}}
    from PIL import Image

    assert found.save_image(tmp_path / "a.b") == tmp_path / "a.b.png"
    with Image.open(tmp_path / "a.b.png") as image:
        assert image.mode == "P"
        assert np.array_equal(np.asarray(image), found.mask)


def test_any_network_becomes_the_encoder_of_a_unet_and_dense_ones_stay():
    assert TASK.network("resnet18", {"width": 8}) == (
        "unet",
        {"encoder": "resnet18", "encoder_options": {"width": 8}, "norm": "batch"},
    )
    assert TASK.network("segnet", {"width": 8}) == ("segnet", {"width": 8})


def test_a_network_with_one_prediction_per_image_is_rejected():
    with pytest.raises(ModelError) as caught:
        TASK.attach_head(build(resolve("lenet", 2, 1, (28, 28))))
    assert (
        str(caught.value)
        == "task segment: the network gives one output per image, not per pixel; choose unet or segnet"
    )


def test_borders_are_drawn_between_classes_and_the_background_is_not_coloured():
    mask = np.array([[0, 0], [0, 1]], np.uint8)
    assert borders(mask).tolist() == [[False, True], [True, False]]
    drawn = with_mask(np.full((2, 2, 3), 100, np.uint8), mask)
    assert drawn.shape == (192, 192, 3)
    assert (drawn[0, 0] == 100).all()
    assert (drawn[-1, -1] != 100).any()


@pytest.mark.parametrize("name", ["classify", "multilabel", "regress"])
def test_tasks_of_whole_images_refuse_dense_networks(name):
    task = TASKS[name].from_data(TaskContext(("a", "b"), np.zeros((2, 2)), (16, 16)), {})
    with pytest.raises(ModelError) as caught:
        task.attach_head(build(resolve("unet", 2, 3, (16, 16), {"width": 2})))
    assert str(caught.value) == (
        f"task {name}: the network gives one output per pixel, not per image; choose another, such as resnet18"
    )
