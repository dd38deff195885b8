"""Test-time augmentation: the logits equal the average of the views, computed by hand."""

import pytest
import torch
from torch import nn

from convscope.bundle import TTA_VIEWS, AveragedViews
from convscope.errors import ConfigError


class Corner(nn.Module):
    """Two logits: the value of the upper left pixel, and of the upper right one."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.stack([x[:, 0, 0, 0], x[:, 0, 0, -1]], dim=1)


def rising(side: int) -> torch.Tensor:
    """(1, 1, side, side) with the value 10 row + column."""
    rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    return (10.0 * rows + columns)[None, None]


def test_one_view_is_the_networks_own_output() -> None:
    cropped = AveragedViews(Corner(), (7, 7), "1")
    assert cropped.input_size == (7, 7)
    assert cropped(rising(7)).tolist() == [[0, 6]]


def test_the_average_of_five_crops_equals_that_computed_by_hand() -> None:
    """8 x 8 cropped to 7 x 7: corners start at 0, 1, 10, 11; the centre at 0 (rounded down)."""
    cropped = AveragedViews(Corner(), (7, 7), "5")
    assert cropped.input_size == (8, 8)
    begins = [0, 1, 10, 11]  # the centre falls on the first corner here and is not counted twice
    expected = [sum(begins) / 4, sum(begin + 6 for begin in begins) / 4]
    assert cropped(rising(8)).tolist() == [expected]


def test_ten_crops_add_the_mirror_images() -> None:
    begins = [0, 1, 10, 11]
    both = sum(begin + end for begin in begins for end in (0, 6)) / 8
    torch.testing.assert_close(AveragedViews(Corner(), (7, 7), "10")(rising(8)), torch.tensor([[both, both]]))


def test_crops_of_a_larger_margin_have_their_own_centre() -> None:
    views = list(AveragedViews(Corner(), (14, 14), "5").views(rising(16)))
    assert [view[0, 0, 0, 0].item() for view in views] == [0, 2, 20, 22, 11]


def test_three_scales_of_ten_where_the_first_is_the_whole_image_and_its_mirror() -> None:
    cropped = AveragedViews(Corner(), (14, 14), "multi-scale")
    assert cropped.input_size == (18, 18)
    assert len(list(cropped.views(rising(18)))) == 2 + 10 + 10
    flat = torch.full((2, 1, 18, 18), 3.0)
    torch.testing.assert_close(cropped(flat), torch.full((2, 2), 3.0))


def test_unknown_views_are_rejected() -> None:
    with pytest.raises(ConfigError) as caught:
        AveragedViews(Corner(), (7, 7), "11")
    assert str(caught.value) == "views: no 11; did you mean 1?"
    assert TTA_VIEWS == ("1", "5", "10", "multi-scale", "shifts")


def test_shifts_weight_the_unshifted_view_twice_and_add_mirror_images() -> None:
    """3 x 3 of 10 row + column. Upper left pixels: 0, mirrored 2; shifted down and right 11, 11; up and left 11, 11."""
    cropped = AveragedViews(Corner(), (3, 3), "shifts")
    assert cropped.input_size == (3, 3)
    expected = (2 * 0 + 2 * 2 + 11 + 11 + 11 + 11) / 8
    assert cropped(rising(3)).tolist() == [[expected, (2 * 2 + 2 * 0 + 11 + 11 + 11 + 11) / 8]]


def test_shifts_without_mirror_images_are_three_views() -> None:
    """As above: the unshifted view has weight two, without mirrored views."""
    cropped = AveragedViews(Corner(), (3, 3), "shifts", mirror=False)
    assert len(list(cropped.views(rising(3)))) == 3
    assert cropped(rising(3)).tolist() == [[(2 * 0 + 11 + 11) / 4, (2 * 2 + 11 + 11) / 4]]


def test_no_view_is_mirrored_where_training_did_not_mirror() -> None:
    """A network that reads the left edge only sees the same views as with five crops."""
    x = rising(16)
    five = AveragedViews(Corner(), (14, 14), "5")(x)
    assert torch.equal(AveragedViews(Corner(), (14, 14), "10", mirror=False)(x), five)
    views = list(AveragedViews(Corner(), (14, 14), "multi-scale", mirror=False).views(rising(18)))
    assert len(views) == 1 + 5 + 5
    assert all(bool((view[0, 0, 0].diff() > 0).all()) for view in views)  # brighter to the right, as the image


def test_the_number_of_views_is_counted() -> None:
    counts = {crops: AveragedViews(Corner(), (14, 14), crops).num_views for crops in TTA_VIEWS}
    assert counts == {"1": 1, "5": 5, "10": 10, "multi-scale": 22, "shifts": 6}
    assert AveragedViews(Corner(), (14, 14), "shifts", mirror=False).num_views == 3


def test_the_first_view_is_the_unchanged_image() -> None:
    x = rising(5)
    cropped = AveragedViews(Corner(), (5, 5), "shifts")
    each = cropped.per_view(x)
    assert each.shape == (6, 1, 2)
    assert torch.equal(each[0], Corner()(x))
    assert torch.equal(cropped.average(each), cropped(x))
