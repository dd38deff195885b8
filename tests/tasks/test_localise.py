"""Localisation: IoU computed by hand and by torchvision, summed losses, two heads on one encoder."""

import math

import pytest
import torch
from torch.nn import functional as F

from convscope.errors import ModelError
from convscope.models import build, resolve
from convscope.tasks import Localise, ViewTransform
from convscope.tasks.boxes import giou, iou, to_file_pixels, to_xywh, to_xyxy
from convscope.tasks.two_heads import TwoHeads
from helpers.oracles import torchvision_models

TASK = Localise(("cat", "dog"), (10, 20), "mse", 3.0)


def boxes(count: int) -> torch.Tensor:
    corner, sides = torch.rand(count, 2) * 20, torch.rand(count, 2) * 15 + 0.5
    return torch.cat([corner, corner + sides], 1)


def test_iou_and_giou_equal_those_worked_by_hand():
    a, b = torch.tensor([0.0, 0, 4, 4]), torch.tensor([2.0, 2, 6, 6])
    assert float(iou(a, b)) == pytest.approx(4 / 28)
    assert float(giou(a, b)) == pytest.approx(4 / 28 - 8 / 36)
    apart = torch.tensor([8.0, 0, 12, 4])
    assert float(iou(a, apart)) == 0
    assert float(giou(a, apart)) == pytest.approx(-16 / 48)
    assert float(iou(a, torch.tensor([2.0, 2, 2, 2]))) == 0


def test_iou_and_giou_equal_torchvisions():
    torchvision_models()  # makes it importable
    from torchvision import ops

    a, b = boxes(200), boxes(200)
    torch.testing.assert_close(iou(a, b), ops.box_iou(a, b).diagonal())
    torch.testing.assert_close(1 - giou(a, b), ops.generalized_box_iou_loss(a, b), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(to_xyxy(to_xywh(a)), a)


def test_the_loss_is_the_cross_entropy_plus_lambda_times_the_boxes_mean_squared_error():
    output = torch.tensor([[1.0, 0.0, 0.5, 0.5, 0.2, 0.4]])
    target = torch.tensor([[0.0, 8.0, 2.0, 12.0, 8.0]])  # the middle (10, 5), sides (4, 6) of 20 x 10
    entropy = math.log(1 + math.exp(-1))
    mse = (0.4 - 0.6) ** 2 / 4
    assert float(TASK.loss(output, target)) == pytest.approx(entropy + 3.0 * mse, abs=1e-6)


@pytest.mark.parametrize("kind", ["mse", "smooth_l1", "giou"])
def test_every_box_loss_is_zero_for_the_correct_box_and_ignores_unknown_boxes(kind):
    task = Localise(("cat", "dog"), (10, 20), kind, 1.0)
    target = torch.tensor([[0.0, 8, 2, 12, 8], [1.0, math.nan, math.nan, math.nan, math.nan]])
    output = torch.tensor([[0.0, 0, 0.5, 0.5, 0.2, 0.6], [0.0, 0, 0.1, 0.2, 0.3, 0.4]], requires_grad=True)
    assert float(task.box_loss(output, target).detach()) == pytest.approx(0.0, abs=1e-6)
    task.loss(output + 0.01, target).backward()
    assert output.grad.isfinite().all()
    assert (output.grad[1, 2:] == 0).all()
    assert (output.grad[0, 2:] != 0).any()


def test_the_smooth_l1_loss_is_pytorchs_with_a_beta_of_a_tenth():
    task = Localise(("cat", "dog"), (1, 1), "smooth_l1", 1.0)
    found, wanted = torch.rand(6, 4), torch.rand(6, 4)
    target = torch.cat([torch.zeros(6, 1), to_xyxy(wanted)], 1)
    output = torch.cat([torch.zeros(6, 2), found], 1)
    assert float(task.box_loss(output, target)) == pytest.approx(
        float(F.smooth_l1_loss(found, wanted, beta=0.1)), abs=1e-6
    )


def test_scores_equal_those_worked_by_hand():
    half = [0.5, 0.5, 0.2, 0.6]
    output = torch.tensor([[2.0, 0, *half], [0.0, 2, *half], [2.0, 0, 0.1, 0.1, 0.1, 0.1]])
    target = torch.tensor([[0.0, 8, 2, 12, 8]] * 3)
    scores = TASK.scores(output, target)
    assert scores["accuracy"] == pytest.approx(2 / 3)
    assert scores["iou"] == pytest.approx(2 / 3, abs=1e-5)
    assert scores["iou50"] == pytest.approx(2 / 3)
    assert scores["both"] == pytest.approx(1 / 3)


def test_boxes_are_in_pixels_of_the_file_and_clipped_to_its_border():
    frame = ViewTransform("a.jpg", (100, 300), 50.0, 0.0, 200.0, 100.0)  # the middle 200 of 300 pixels, seen as 10 x 20
    output = torch.tensor([[0.0, 3.0, 0.5, 0.5, 0.2, 1.4]])
    found = TASK.predictions(output, [frame])[0]
    assert found.label == "dog"
    assert found.box == pytest.approx((130.0, 0.0, 170.0, 100.0), abs=1e-4)
    assert found.csv_row()[2:] == list(found.box)
    assert found.display(3) == ["dog 95.3 %", "130.0 0.0 170.0 100.0"]
    assert to_file_pixels([-5.0, 0.0, 30.0, 5.0], frame, (10, 20)) == (0.0, 0.0, 300.0, 50.0)


def test_both_heads_share_one_encoder():
    network = build(resolve("resnet18", 2, 3, (64, 64), {"width": 8, "depths": [1, 1, 1]}))
    encoder = {id(p) for p in network.stages.parameters()}
    headed = Localise(("cat", "dog"), (64, 64)).attach_head(network)
    assert isinstance(headed.head, TwoHeads)
    assert {id(p) for p in headed.stages.parameters()} == encoder
    x = torch.rand(2, 3, 64, 64)
    output = headed(x)
    assert output.shape == (2, 6)
    output[:, :2].sum().backward(retain_graph=True)
    first = next(iter(headed.stem.parameters()))
    by_class = first.grad.clone()
    output[:, 2:].sum().backward()
    assert (first.grad != by_class).any(), "the box's loss reaches the same weights"


def test_a_dense_network_is_rejected():
    with pytest.raises(ModelError) as caught:
        TASK.attach_head(build(resolve("unet", 2, 1, (32, 32), {"width": 4, "depth": 1})))
    assert str(caught.value) == (
        "task localise: the network does not support a second head; choose another, such as resnet18"
    )


def test_its_sections_draw_both_boxes():
    meter = TASK.meter()
    meter.add(torch.tensor([[2.0, 0, 0.5, 0.5, 0.2, 0.6]]), torch.tensor([[0.0, 2, 2, 6, 8]]))
    *_, worst, first = TASK.sections(meter)
    assert worst.shown[0].prediction == "cat, IoU 0.00"
    drawn = first.shown[0].draw(torch.full((10, 20, 3), 100, dtype=torch.uint8).numpy())
    found = {tuple(colour) for colour in drawn.reshape(-1, 3).tolist()}
    assert {(255, 255, 255), (255, 64, 64), (0, 0, 0), (100, 100, 100)} == found
