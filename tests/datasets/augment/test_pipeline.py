"""Augmentation of batches, compared with slow per-pixel implementations."""

import colorsys
import math
import sys
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from convscope.datasets.augment.geometric import shift_by_index, shift_by_slice
from convscope.datasets.augment.pipeline import (
    POLICIES,
    Policy,
    augment,
    change_color,
    cut_out,
    sample_affine,
    sample_shift,
    shift_whole,
    warp,
)
from convscope.errors import ConfigError


def pictures(batch: int = 6, channels: int = 3, height: int = 9, width: int = 12) -> Tensor:
    return torch.rand((batch, channels, height, width), generator=seeded(1))


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def folded(index: int, length: int) -> int:
    """The index after reflection at the border, with the border pixel repeated."""
    while not 0 <= index < length:
        index = -1 - index if index < 0 else 2 * length - 1 - index
    return index


def slow_sample(image: Tensor, x: float, y: float) -> Tensor:
    """(C,) bilinear value at a position in pixels, with pixel centres at integers."""
    left, top = math.floor(x), math.floor(y)
    total = torch.zeros(len(image), dtype=torch.float64)
    for row, down in ((top, 1 - (y - top)), (top + 1, y - top)):
        for column, across in ((left, 1 - (x - left)), (left + 1, x - left)):
            total += down * across * image[:, folded(row, image.shape[1]), folded(column, image.shape[2])].double()
    return total


def slow_warp(x: Tensor, matrix: Tensor) -> Tensor:
    result = torch.empty_like(x, dtype=torch.float64)
    height, width = x.shape[-2:]
    for b in range(len(x)):
        m = matrix[b].double().tolist()
        for row in range(height):
            for column in range(width):
                right, down = column + 0.5 - width / 2, row + 0.5 - height / 2
                there = [m[k][0] * right + m[k][1] * down + m[k][2] for k in (0, 1)]
                result[b, :, row, column] = slow_sample(x[b], there[0] + width / 2 - 0.5, there[1] + height / 2 - 0.5)
    return result


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize(("channels", "size"), [(3, (9, 12)), (1, (8, 8)), (3, (70, 64)), (4, (5, 5))])
def test_every_policy_keeps_shape_range_and_repeats_with_the_generator(
    name: str, channels: int, size: tuple[int, int]
) -> None:
    x = pictures(5, channels, *size)
    before = x.clone()
    change = augment(name)
    one, two, three = change(x, seeded(4)), change(x, seeded(4)), change(x, seeded(5))
    assert one.shape == x.shape
    assert one.dtype == torch.float32
    assert one.min() >= 0
    assert one.max() <= 1
    assert torch.equal(one, two)
    assert torch.equal(x, before)
    assert torch.equal(one, three) == (name == "none")


@pytest.mark.parametrize("way", [shift_by_slice, shift_by_index, shift_whole])
def test_a_whole_shift_equals_the_slow_one(way: Callable[..., Tensor]) -> None:
    x = pictures()
    down, right = torch.tensor([0, 3, -2, 9, -20, 1]), torch.tensor([1, 0, -5, 4, 30, 0])
    mirrored = torch.tensor([False, True, False, True, True, True])
    found = way(x, down, right, mirrored)
    for b in range(6):
        source = x[b].flip(-1) if mirrored[b] else x[b]
        for row in range(9):
            for column in range(12):
                expected = source[:, folded(row - int(down[b]), 9), folded(column - int(right[b]), 12)]
                assert torch.equal(found[b, :, row, column], expected)


def test_a_warp_equals_the_slow_one() -> None:
    x = pictures(4, 2)
    policy = Policy(shift=0.3, scale=1.5, rotate=60, shear=20)
    matrix = sample_affine(policy, 4, (9, 12), True, seeded(2))
    assert torch.allclose(warp(x, matrix).double(), slow_warp(x, matrix), atol=1e-4)


def test_a_warp_by_whole_pixels_equals_the_exact_shift() -> None:
    x = pictures(3)
    matrix = torch.tensor([[[1.0, 0, -3], [0, 1, 2]], [[-1.0, 0, 0], [0, 1, 0]], [[1.0, 0, 0], [0, 1, -20]]])
    shifted = shift_whole(x, torch.tensor([-2, 0, 20]), torch.tensor([3, 0, 0]), torch.tensor([False, True, False]))
    assert torch.allclose(warp(x, matrix), shifted, atol=1e-5)


def test_the_sampled_matrix_inverts_the_transform() -> None:
    """An input position transformed step by step in float64 must be the output position of the matrix."""
    policy = Policy(shift=0.2, scale=1.4, rotate=35, shear=15)
    matrix = sample_affine(policy, 200, (40, 60), True, seeded(3)).double()
    draw = seeded(3)

    def way() -> Tensor:
        return (torch.rand(200, generator=draw) * 2 - 1).double()

    angle, lean, scale = math.radians(35) * way(), torch.tan(math.radians(15) * way()), torch.exp(math.log(1.4) * way())
    down, right = 0.2 * 40 * way(), 0.2 * 60 * way()
    sign = torch.where(torch.rand(200, generator=draw) < 0.5, -1.0, 1.0).double()
    x, y = torch.full((200,), 7.0).double(), torch.full((200,), -3.0).double()
    u, v = sign * x, y  # mirrored
    u, v = (torch.cos(angle) * u + torch.sin(angle) * v) * scale, (torch.cos(angle) * v - torch.sin(angle) * u) * scale
    u = u - lean * v  # sheared
    u, v = u + right, v + down  # shifted
    back = matrix @ torch.stack([u, v, torch.ones(200).double()], 1)[:, :, None]
    assert torch.allclose(back[:, 0, 0], x, atol=1e-3)
    assert torch.allclose(back[:, 1, 0], y, atol=1e-3)


def test_a_mask_warped_by_nearest_neighbour_keeps_its_values() -> None:
    mask = torch.randint(0, 4, (5, 1, 20, 20), generator=seeded()).float()
    moved = warp(mask, sample_affine(POLICIES["strong"], 5, (20, 20), True, seeded()), mode="nearest")
    assert set(moved.unique().tolist()) <= {0.0, 1.0, 2.0, 3.0}


def test_drawn_shifts_stay_within_the_policy_and_reach_its_ends() -> None:
    down, right, mirrored = sample_shift(POLICIES["light"], 4000, (32, 16), True, seeded())
    assert (int(down.min()), int(down.max())) == (-4, 4)
    assert (int(right.min()), int(right.max())) == (-2, 2)
    assert abs(float(mirrored.float().mean()) - 0.5) < 0.03


@pytest.mark.parametrize("name", ["light", "standard", "strong"])
def test_nothing_is_mirrored_when_mirroring_is_off(name: str) -> None:
    policy = POLICIES[name]
    assert not sample_shift(policy, 500, (32, 32), False, seeded())[2].any()
    matrix = sample_affine(policy, 500, (32, 32), False, seeded())
    assert (torch.linalg.det(matrix[:, :, :2]) > 0).all()
    assert (torch.linalg.det(sample_affine(policy, 500, (32, 32), True, seeded())[:, :, :2]) < 0).any()


def slow_recolour(image: Tensor, brightness: float, contrast: float, saturation: float, hue: float) -> Tensor:
    """Per pixel: hue rotation around the grey axis, saturation, brightness; then contrast around the mean."""
    changed = torch.empty_like(image)
    for row in range(image.shape[1]):
        for column in range(image.shape[2]):
            colour = image[:, row, column]
            grey = colour.mean()
            p, q = (2 * colour[0] - colour[1] - colour[2]) / math.sqrt(6), (colour[1] - colour[2]) / math.sqrt(2)
            p, q = p * math.cos(hue) - q * math.sin(hue), p * math.sin(hue) + q * math.cos(hue)
            red = grey + saturation * 2 * p / math.sqrt(6)
            green = grey + saturation * (-p / math.sqrt(6) + q / math.sqrt(2))
            blue = grey + saturation * (-p / math.sqrt(6) - q / math.sqrt(2))
            changed[:, row, column] = brightness * torch.stack([red, green, blue])
    middle = changed.mean()
    return (middle + contrast * (changed - middle)).clamp(0, 1)


def test_colour_changes_equal_the_slow_ones() -> None:
    x = pictures(5)
    policy = Policy(brightness=0.3, contrast=0.4, saturation=0.8, hue=90)
    draw = seeded(9)
    brightness, contrast, saturation, hue = (
        (amount * (torch.rand(5, generator=draw) * 2 - 1)).tolist() for amount in (0.3, 0.4, 0.8, math.pi / 2)
    )
    found = change_color(x, policy, seeded(9))
    for b in range(5):
        slow = slow_recolour(x[b], 1 + brightness[b], 1 + contrast[b], 1 + saturation[b], hue[b])
        assert torch.allclose(found[b], slow, atol=1e-5)


def test_a_third_of_the_colour_wheel_turns_red_into_green() -> None:
    red = torch.tensor([0.6, 0.3, 0.3]).view(1, 3, 1, 1).expand(400, 3, 1, 1)
    turned = change_color(red, Policy(hue=120), seeded())
    hues = [colorsys.rgb_to_hsv(*colour)[0] * 360 for colour in turned[:, :, 0, 0].tolist()]
    assert any(115 < hue < 121 for hue in hues)
    assert all(hue < 125 or hue > 235 for hue in hues)
    assert torch.allclose(turned.mean(1), red.mean(1))


def test_hue_and_saturation_do_not_change_grey_images() -> None:
    grey = pictures(4, 1).expand(4, 3, 9, 12)
    changed = change_color(grey, POLICIES["strong"], seeded())
    assert torch.allclose(changed[:, 0], changed[:, 1], atol=1e-5)
    assert torch.allclose(changed[:, 0], changed[:, 2], atol=1e-5)
    assert torch.allclose(change_color(grey[:, :1], POLICIES["strong"], seeded()), changed[:, :1], atol=1e-5)


def test_a_cutout_is_a_square_of_the_mean_colour_in_half_of_the_images() -> None:
    x = pictures(600, 3, 12, 12)
    found = cut_out(x, Policy(cutout=1 / 3), seeded())
    where = (found != x).any(1)
    touched = where.flatten(1).any(1)
    assert 0.4 < float(touched.float().mean()) < 0.6
    for b in touched.nonzero()[:50, 0].tolist():
        rows, columns = where[b].any(1).nonzero()[:, 0], where[b].any(0).nonzero()[:, 0]
        assert len(rows) <= 4
        assert len(columns) <= 4
        patch = found[b][:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        assert where[b][rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
        assert torch.allclose(patch, x[b].mean((1, 2))[:, None, None].expand_as(patch))


def test_a_custom_policy_is_used_and_an_empty_one_changes_nothing() -> None:
    x = pictures()
    assert augment(Policy())(x, seeded()) is x
    assert not torch.equal(augment(Policy(rotate=30))(x, seeded()), x)


def test_an_unknown_policy_is_an_error_with_the_closest_match() -> None:
    with pytest.raises(ConfigError) as raised:
        augment("strng")
    assert str(raised.value) == "augment: no policy strng; did you mean strong?"


@pytest.mark.parametrize("policy", ["light", "standard", "strong"])
def test_a_batch_augmented_in_chunks_equals_one_augmented_at_once(monkeypatch: pytest.MonkeyPatch, policy: str) -> None:
    x = pictures(batch=7)
    whole = augment(policy)(x, seeded())
    module = sys.modules["convscope.datasets.augment.pipeline"]
    monkeypatch.setattr(module, "PIECE", 2 * x[0].numel())
    assert torch.equal(augment(policy)(x, seeded()), whole)


@pytest.mark.parametrize("policy", ["none", "light", "standard"])
def test_bytes_are_augmented_like_floats_in_0_1(policy: str) -> None:
    pixels = (255 * pictures()).to(torch.uint8)
    before = pixels.clone()
    changed = augment(policy)(pixels, seeded())
    assert torch.equal(changed, augment(policy)(pixels.float() / 255, seeded()))
    assert torch.equal(pixels, before)


def test_the_images_given_are_left_as_they_were() -> None:
    x = pictures()
    before = x.clone()
    augment(Policy(brightness=0.5, contrast=0.5))(x, seeded())
    change_color(x, Policy(brightness=0.5), seeded())
    assert torch.equal(x, before)
