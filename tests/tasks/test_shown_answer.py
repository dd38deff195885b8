"""The answer of each task beside its target, and the error of each image."""

import math

import numpy as np
import pytest
import torch

from convscope.errors import ConfigError
from convscope.predictions.masks import COLORS
from convscope.tasks import Classify, Localise, Multilabel, Regress, Segment
from convscope.tasks.mask_metrics import log_odds
from convscope.tasks.shown_answer import ERROR_COLOR, ShownAnswer, ShownBox, ShownNumber, ShownTag, tag_state

NAMES = ("a", "b", "c")


def metered(task, outputs, targets):
    meter = task.meter()
    meter.add(torch.as_tensor(outputs), torch.as_tensor(targets))
    return meter


def test_a_confident_mistake_between_classes_is_worse_than_a_close_one():
    logits = torch.log(torch.tensor([[0.7, 0.2, 0.1], [0.7, 0.2, 0.1], [0.4, 0.35, 0.25]]))
    found = Classify(NAMES).image_errors(metered(Classify(NAMES), logits, [0, 1, 1]))
    assert found.values == pytest.approx([0, 0.5, 0.05], abs=1e-6)
    assert found.wrong.tolist() == [False, True, True]
    assert found.texts == ("a 70 %", "a 70 %", "a 40 %")


def test_labels_are_shown_as_correct_extra_missed_or_unknown():
    task, output = Multilabel(NAMES), torch.tensor([[2.0, 2.0, -2.0]])
    tags = task.shown_answer(output, np.array([1.0, 0.0, 1.0])).tags
    assert [(tag.name, tag.state) for tag in tags] == [("a", "correct"), ("b", "extra"), ("c", "missed")]
    assert tags[2].probability == pytest.approx(1 / (1 + math.exp(2)))
    assert task.shown_answer(output, None).tags[0].state == "predicted"
    assert [tag_state(True, math.nan), tag_state(False, math.nan), tag_state(False, 0.0)] == ["unknown", None, None]


def test_the_image_with_most_wrong_labels_is_the_worst():
    outputs, targets = torch.tensor([[4.0, -4], [4.0, 4], [1.0, -1]]), torch.tensor([[1.0, 0], [0, 0], [1, torch.nan]])
    found = Multilabel(("a", "b")).image_errors(metered(Multilabel(("a", "b")), outputs, targets))
    assert found.texts == ("0 of 2 labels wrong", "2 of 2 labels wrong", "0 of 1 labels wrong")
    assert np.argsort(-found.values).tolist() == [1, 2, 0]
    assert found.wrong.tolist() == [False, True, False]


def test_numbers_are_compared_in_the_units_of_the_data():
    task = Regress(("age", "size"), (40.0, 2.0), (10.0, 0.5))
    output = torch.tensor([[1.0, -2.0]])
    assert task.shown_answer(output, np.array([45.0, np.nan])).numbers == (
        ShownNumber("age", 50.0, 45.0), ShownNumber("size", 1.0, None),
    )  # fmt: skip
    found = task.image_errors(metered(task, output, torch.tensor([[45.0, 2.0]])))
    assert (found.values.tolist(), found.wrong.tolist(), found.texts) == ([2.0], [True], ("size off by -1",))


def test_boxes_are_shown_with_their_labels_and_the_wrong_class_is_worse_than_a_wrong_box():
    task = Localise(("cat", "dog"), (10, 20))
    output = torch.tensor([[9.0, -9, 0.5, 0.5, 0.2, 0.6]])  # a box from (8, 2) to (12, 8)
    shown = task.shown_answer(output, np.array([1.0, 8, 2, 12, 5])).boxes
    assert [(box.label, box.is_target) for box in shown] == [("cat 100 %", False), ("dog", True)]
    assert shown[0].corners == pytest.approx((8, 2, 12, 8), abs=1e-5)
    assert shown[1].corners == (8, 2, 12, 5)
    assert len(task.shown_answer(output, np.array([1.0, np.nan, np.nan, np.nan, np.nan])).boxes) == 1
    targets = torch.tensor([[1.0, 8, 2, 12, 8], [0, 8, 2, 12, 5], [0, torch.nan, torch.nan, torch.nan, torch.nan]])
    found = task.image_errors(metered(task, output.repeat(3, 1), targets))
    assert found.values == pytest.approx([1, 0.5, 0], abs=1e-5)
    assert found.texts == ("class wrong, IoU 1.00", "IoU 0.50", "unknown box")
    assert found.wrong.tolist() == [True, False, False]


def test_masks_are_compared_pixel_by_pixel_and_unlabelled_pixels_are_no_errors():
    logits = torch.tensor([[[[1.0, 0], [0, 1]], [[0.0, 1], [1, 0]]]])
    found = Segment(("ground", "cell")).shown_answer(logits, np.array([[0, 0], [1, 255]]))
    assert found.mask.tolist() == [[0, 1], [1, 0]]
    assert found.overlay("errors")[..., 3].tolist() == [[0, 255], [0, 0]]
    assert found.overlay("errors")[0, 1].tolist() == [*ERROR_COLOR, 255]
    assert found.overlay("predicted")[..., 3].tolist() == [[0, 255], [255, 0]]
    assert found.overlay("target")[1, 0].tolist() == [*COLORS[1].tolist(), 255]
    assert found.overlay("target")[..., 3].tolist() == [[0, 0], [255, 0]]
    assert found.to_json()["masks"] == {"predicted": [0, 1], "target": [0, 1, 255]}
    assert ShownAnswer(mask=found.mask).overlay("errors") is None


def test_the_mask_with_the_lowest_mean_iou_is_the_worst():
    logits = torch.tensor([[[[1.0, 0]], [[0, 1.0]]]]).repeat(2, 1, 1, 1)
    found = Segment(("ground", "cell")).image_errors(metered(Segment(("ground", "cell")), logits, [[[0, 1]], [[1, 1]]]))
    assert found.values == pytest.approx([0, 0.75])
    assert found.texts == ("mIoU 1.000", "mIoU 0.250")
    assert found.wrong.tolist() == [False, True]


def test_every_answer_has_a_name_and_a_score():
    box = Localise(("cat", "dog"), (10, 20))
    assert box.answer_names == ("cat", "dog", "left side", "top side", "right side", "bottom side")
    output = torch.tensor([[9.0, -9, 0.5, 0.5, 0.2, 0.6]])
    assert box.answer_scores(output)[0].tolist() == pytest.approx([9, -9, 8, 2, 12, 8])
    assert box.default_answer(output).tolist() == [0]
    numbers = Regress(("age",), (40.0,), (10.0,))
    assert numbers.answer_scores(torch.tensor([[1.0]])).tolist() == [[50.0]]
    assert numbers.default_answer(torch.tensor([[1.0]])).tolist() == [0]


def test_the_score_of_a_pixel_is_the_log_odds_of_its_classes():
    logits = torch.tensor([[1.0, 2.0, 0.5], [0.0, 0.0, 3.0]])[:, :, None, None]
    p = logits.softmax(1)
    torch.testing.assert_close(log_odds(logits), (p / (1 - p)).log())
    mask = torch.zeros(1, 2, 3, 4)
    mask[0, 1, 2, 3] = 5.0
    task = Segment(("ground", "cell"))
    assert task.answer_scores(mask, (2, 3))[0].tolist() == [-5, 5]
    assert task.default_answer(mask, (2, 3)).tolist() == [1]
    assert task.answer_scores(mask).shape == (1, 2)


def test_a_pixel_outside_the_mask_and_a_pixel_of_an_answer_for_the_whole_image_are_errors():
    with pytest.raises(ConfigError) as outside:
        Segment(("ground", "cell")).answer_scores(torch.zeros(1, 2, 3, 4), (3, 0))
    assert str(outside.value) == "pixel: no row 3, column 0 in a mask of 3 x 4; choose up to 2, 3"
    with pytest.raises(ConfigError) as whole:
        Classify(NAMES).answer_scores(torch.zeros(1, 3), (0, 0))
    assert str(whole.value) == "pixel: the task classify answers for the whole image; omit pixel"


def test_an_answer_is_sent_as_plain_data():
    found = ShownAnswer((ShownBox("cat", (1.0, 2, 3, 4)),), (ShownTag("a", "extra", 0.5),), (ShownNumber("age", 3.0),))
    assert found.to_json() == {
        "boxes": [{"label": "cat", "corners": (1.0, 2, 3, 4), "is_target": False}],
        "tags": [{"name": "a", "state": "extra", "probability": 0.5}],
        "numbers": [{"name": "age", "predicted": 3.0, "target": None}],
        "masks": {},
    }
