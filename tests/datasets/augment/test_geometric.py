"""Masks and boxes are transformed exactly as their images; elastic fields and crops compared with SciPy."""

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates
from torch import Tensor

from convscope.datasets.augment.geometric import (
    Motion,
    sample_affine,
    sample_elastic_field,
    sample_motion,
    warp,
    warp_boxes,
)
from convscope.datasets.augment.pipeline import augment
from convscope.datasets.augment.policies import POLICIES, Policy

EVERY = Policy(shift=0.2, scale=1.3, rotate=40, shear=15, crop=0.7, flip=True, elastic=0.03)
MILD = EVERY.model_copy(update={"shift": 0.1, "rotate": 15, "crop": 0.9})  # so that the drawn objects stay visible


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def matrix(a: float, b: float, c: float, d: float, right: float = 0.0, down: float = 0.0) -> Tensor:
    """From a position in the output to one in the input."""
    return torch.tensor([[[a, b, right], [c, d, down]]])


def test_elastic_and_affine_in_one_resampling_equal_scipys() -> None:
    x = torch.rand((3, 1, 30, 40), generator=seeded(1))
    motion = sample_motion(EVERY, 3, (30, 40), True, seeded(2))
    assert motion.field is not None
    found = motion.warp_images(x)
    down, right = np.meshgrid(np.arange(30) + 0.5 - 15, np.arange(40) + 0.5 - 20, indexing="ij")
    for b in range(3):
        m, field = motion.matrix[b].double().numpy(), motion.field[b].double().numpy()
        columns = m[0, 0] * right + m[0, 1] * down + m[0, 2] + field[0] + 20 - 0.5
        rows = m[1, 0] * right + m[1, 1] * down + m[1, 2] + field[1] + 15 - 0.5
        theirs = map_coordinates(x[b, 0].double().numpy(), [rows, columns], order=1, mode="reflect")
        assert np.abs(found[b, 0].numpy() - theirs).max() < 1e-4


@pytest.mark.parametrize("policy", [EVERY, POLICIES["light"], POLICIES["standard"], POLICIES["strong"]])
@pytest.mark.parametrize("size", [(20, 24), (70, 80)])
def test_a_mask_is_transformed_like_its_image_and_keeps_its_label_set(policy: Policy, size: tuple[int, int]) -> None:
    """An image of two values, transformed as image and as mask, agrees wherever interpolation mixes no values."""
    rows, columns = torch.meshgrid(torch.arange(size[0]), torch.arange(size[1]), indexing="ij")
    mask = (((rows // 5) + (columns // 6)) % 2 * 200 + 7).to(torch.uint8).expand(6, *size).contiguous()
    motion = sample_motion(policy, 6, size, True, seeded(3))
    moved, image = motion.warp_masks(mask), motion.warp_images(mask[:, None].float())[:, 0]
    assert moved.dtype == torch.uint8
    assert set(moved.unique().tolist()) == {7, 207}
    inside = (image < 7.5) | (image > 206.5)  # where interpolation mixes no values
    assert inside.float().mean() > 0.3
    assert (moved.float() - image).abs()[inside].max() < 1


def test_an_ignored_border_and_every_number_of_a_byte_survive() -> None:
    mask = torch.arange(256, dtype=torch.uint8).view(1, 16, 16)
    assert set(sample_motion(EVERY, 1, (16, 16), True, seeded()).warp_masks(mask).unique().tolist()) <= set(range(256))
    assert torch.equal(Motion((16, 16), matrix(1, 0, 0, 1)).warp_masks(mask), mask)


def test_a_mirrored_box_lies_at_the_width_less_x() -> None:
    found = warp_boxes(torch.tensor([[2.0, 3, 7, 9]]), matrix(-1, 0, 0, 1), (20, 30))
    assert found.tolist() == [[30 - 7, 3, 30 - 2, 9]]


def test_transformed_boxes_equal_those_computed_by_hand() -> None:
    box = torch.tensor([[2.0, 4, 6, 10]])
    shifted = warp_boxes(box, matrix(1, 0, 0, 1, right=-3, down=2), (20, 20))
    assert shifted.tolist() == [[5, 2, 9, 8]], "the result shows the source 3 to its left: the box goes right"
    larger = warp_boxes(box, matrix(0.5, 0, 0, 0.5), (20, 20))
    assert larger.tolist() == [[0, 0, 2, 10]] or math.isnan(larger[0, 0]), "enlarged from the middle, cut at the border"
    quarter = warp_boxes(torch.tensor([[12.0, 8, 16, 10]]), matrix(0, 1, -1, 0), (20, 20))
    assert quarter.tolist() == [[10, 12, 12, 16]], "a quarter turn"


def test_a_box_mostly_outside_becomes_unknown_and_one_partly_outside_is_clipped() -> None:
    box = torch.tensor([[0.0, 0, 10, 10]])
    assert warp_boxes(box, matrix(1, 0, 0, 1, right=7), (20, 20)).tolist() == [[0, 0, 3, 10]]
    assert warp_boxes(box, matrix(1, 0, 0, 1, right=8), (20, 20)).isnan().all()
    assert warp_boxes(torch.full((1, 4), math.nan), matrix(1, 0, 0, 1), (20, 20)).isnan().all()


@pytest.mark.parametrize("policy", [POLICIES["light"], POLICIES["standard"], POLICIES["strong"], MILD])
@pytest.mark.parametrize("size", [(40, 48), (96, 80)])
def test_a_box_contains_its_object_after_the_transform(policy: Policy, size: tuple[int, int]) -> None:
    """A bright rectangle in the image is inside the transformed box, and fills most of it."""
    height, width = size
    box = (
        torch.tensor([[0.0, width * 0.35, height * 0.4, width * 0.6, height * 0.65]]).round().expand(40, 5).contiguous()
    )
    x1, y1, x2, y2 = (int(side) for side in box[0, 1:])
    x = torch.zeros(40, 1, height, width)
    x[:, :, y1:y2, x1:x2] = 1
    motion = sample_motion(policy, 40, size, True, seeded(5))
    moved, boxes = motion.warp_images(x)[:, 0] > 0.5, motion.warp_boxes(box)
    assert (boxes[:, 0] == 0).all()
    for result, (left, top, right, bottom) in zip(moved, boxes[:, 1:].tolist(), strict=True):
        inside = torch.zeros_like(result)
        inside[math.floor(top - 1) : math.ceil(bottom + 1), math.floor(left - 1) : math.ceil(right + 1)] = True
        rows, columns = result.any(1).nonzero(), result.any(0).nonzero()
        central = result & inside
        assert central.sum() > 0.9 * min(result.sum(), (right - left) * (bottom - top) * 0.4)
        if not policy.rotate and rows[0] > 0 and rows[-1] < height - 1 and columns[0] > 0 and columns[-1] < width - 1:
            found = [int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1]
            assert found == pytest.approx([left, top, right, bottom], abs=1.01)


def test_a_box_is_transformed_by_an_elastic_field() -> None:
    """Positions mapped back by the field must equal the original ones."""
    size, policy = (64, 64), Policy(elastic=0.05)
    field = sample_elastic_field(policy, 8, size, seeded(4))
    boxes = torch.rand((8, 2), generator=seeded()) * 20 + 18
    boxes = torch.cat([boxes, boxes + 0.01], 1)  # a point
    identity = matrix(1, 0, 0, 1).expand(8, 2, 3)
    found = warp_boxes(boxes, identity, size, field)
    middle = (found[:, :2] + found[:, 2:]) / 2
    there = torch.nn.functional.grid_sample(field.double(), (middle / 32 - 1)[:, None, None], align_corners=False)[
        :, :, 0, 0
    ]
    assert (middle + there - boxes[:, :2]).abs().max() < 0.05


def test_an_elastic_field_stays_within_its_bound_and_bends() -> None:
    field = sample_elastic_field(Policy(elastic=0.1), 50, (32, 64), seeded())
    assert field[:, 0].abs().max() <= 6.4
    assert field[:, 1].abs().max() <= 3.2
    assert field.std((2, 3)).min() > 0.1


def test_a_crop_shows_a_part_of_the_image_and_nothing_beyond_it() -> None:
    drawn = sample_affine(Policy(crop=0.5), 500, (20, 30), False, seeded()).double()
    corners = torch.tensor([[-15.0, -10, 1], [15, 10, 1]]).double().T
    places = drawn @ corners
    assert (places[:, 0].abs() <= 15 + 1e-4).all()
    assert (places[:, 1].abs() <= 10 + 1e-4).all()
    sides = places[:, 0, 1] - places[:, 0, 0]
    assert 15 <= sides.min() < 16
    assert 29 < sides.max() <= 30


def test_half_of_the_images_are_flipped_vertically_if_requested() -> None:
    x = torch.rand((400, 1, 6, 5), generator=seeded())
    found = warp(x, sample_affine(Policy(flip=True), 400, (6, 5), False, seeded(1)))
    turned = torch.isclose(found, x.flip(2), atol=1e-5).flatten(1).all(1)
    same = torch.isclose(found, x, atol=1e-5).flatten(1).all(1)
    assert (turned ^ same).all()
    assert 0.4 < turned.float().mean() < 0.6


def test_images_masks_and_boxes_are_transformed_together_and_other_targets_are_unchanged() -> None:
    x, masks = torch.rand(4, 3, 16, 16), torch.randint(0, 3, (4, 16, 16)).to(torch.uint8)
    change = augment(Policy(shift=0.25), mirror=True)
    alone = change(x, seeded(3))
    moved, moved_masks = change.augment_pair(x, masks, "masks", seeded(3))
    assert torch.equal(alone, moved)
    assert torch.equal(
        change.augment_pair(masks[:, None].float(), masks, "masks", seeded(3))[0][:, 0].to(torch.uint8), moved_masks
    )
    classes = torch.arange(4)
    assert torch.equal(change.augment_pair(x, classes, "classes", seeded(3))[1], classes)
    assert change.augment_pair(x, torch.tensor([[1.0, 2, 2, 9, 9]] * 4), "boxes", seeded(3))[1].shape == (4, 5)
