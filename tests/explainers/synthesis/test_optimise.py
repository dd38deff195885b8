"""Parameterisations, transforms and objectives of the optimisation loop."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from convscope.errors import ConfigError
from convscope.explainers import OptimisationSettings, PixelSpace, Transforms, image_statistics, record
from convscope.explainers.synthesis import objectives
from convscope.explainers.synthesis.image_params import ImageParameters
from convscope.explainers.synthesis.optimise import random_streams
from convscope.explainers.synthesis.transforms import affine, transform_images


def image_parameters(
    space: PixelSpace, fourier: bool, copies: int = 1, count: int = 2, size: tuple[int, int] = (9, 14)
) -> ImageParameters:
    settings = OptimisationSettings(copies=copies, seed=3)
    return ImageParameters(space, size, random_streams(count, settings), fourier).to(torch.device("cpu"))


@pytest.mark.parametrize("fourier", [True, False])
@pytest.mark.parametrize("channels", [1, 3, 5])
def test_initial_images_are_near_the_mean_colour_and_in_the_unit_range(fourier, channels):
    mean = tuple(0.2 + 0.1 * channel for channel in range(channels))
    pixels = image_parameters(PixelSpace(mean, (0.2,) * channels), fourier).pixels().detach()
    assert pixels.shape == (2, channels, 9, 14)
    assert 0 < pixels.min() <= pixels.max() < 1
    assert torch.allclose(pixels.mean((0, 2, 3)), torch.tensor(mean), atol=0.03)


def test_copies_start_from_different_noise_and_targets_from_the_same():
    pixels = image_parameters(PixelSpace((0.5,), (0.2,)), True, copies=2, count=4).pixels()
    assert torch.allclose(pixels[:2], pixels[2:], atol=1e-6)
    assert not torch.allclose(pixels[0], pixels[1], atol=1e-2)


def test_fourier_noise_is_smoother_than_pixel_noise():
    space = PixelSpace((0.5,), (0.2,))
    waves, noise = (image_parameters(space, fourier, size=(32, 32)).pixels().detach() for fourier in (True, False))
    roughness = [(part.diff(dim=2).square().mean() / part.var()).item() for part in (waves, noise)]
    assert roughness[0] < 0.5 * roughness[1]


@pytest.mark.parametrize("channels", [1, 5])
def test_pictures_have_the_colours_of_the_images_for_any_number_of_channels(channels):
    pixels = torch.rand(2, 1, 8, 8).expand(2, channels, 8, 8)  # all channels are equal
    space = PixelSpace((0.5,) * channels, (0.2,) * channels, image_statistics([pixels]))
    pixels = image_parameters(space, True).pixels()
    assert torch.allclose(pixels, pixels[:, :1].expand_as(pixels), atol=2e-3)


def test_to_pixels_is_the_inverse_of_to_input():
    space = PixelSpace((0.4, 0.5, 0.6), (0.1, 0.2, 0.3))
    pixels = torch.rand(2, 3, 4, 4)
    assert torch.allclose(space.to_pixels(space.to_input(pixels)), pixels, atol=1e-6)
    assert space.to_input(pixels)[0, 1, 0, 0] == pytest.approx((pixels[0, 1, 0, 0].item() - 0.5) / 0.2, abs=1e-5)


def test_zero_ranges_are_the_identity_and_jitter_shifts_by_whole_pixels():
    x = torch.rand(1, 1, 12, 16)
    no_transforms = Transforms(crop=1, noise=0, rotate=0)
    assert transform_images(x, no_transforms, []) is x
    shifted = transform_images(
        x, Transforms(crop=1, noise=0, jitter=3, rotate=0), random_streams(1, OptimisationSettings(seed=1))
    )
    shifts = [
        (down, across) for down in range(-3, 4) for across in range(-3, 4)
        if torch.allclose(shifted[..., 4:8, 4:12], x[..., 4 + down : 8 + down, 4 + across : 12 + across], atol=1e-5)
    ]  # fmt: skip
    assert len(shifts) == 1


def test_a_rotation_by_90_degrees_is_exact_also_for_rectangular_images():
    transforms = Transforms(crop=1, noise=0, rotate=90)
    matrices = affine(torch.tensor([[0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]]), transforms, (8, 8))
    x = torch.rand(1, 1, 8, 8)
    positions = torch.nn.functional.affine_grid(matrices, [1, 1, 8, 8], align_corners=False)
    rotated = torch.nn.functional.grid_sample(x, positions, align_corners=False)
    assert torch.allclose(rotated, x.rot90(1, (2, 3)), atol=1e-5) or torch.allclose(
        rotated, x.rot90(-1, (2, 3)), atol=1e-5
    )
    rectangular = affine(torch.tensor([[0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]]), transforms, (8, 16))[0]
    # in pixels, the matrix is a rotation: its columns are orthonormal
    in_pixels = torch.diag(torch.tensor([8.0, 4.0])) @ rectangular[:, :2] @ torch.diag(torch.tensor([1 / 8, 1 / 4]))
    assert torch.allclose(in_pixels @ in_pixels.T, torch.eye(2), atol=1e-6)


def test_a_scale_of_0_1_ranges_from_0_9_to_1_1():
    for draw in (-1.0, 1.0):
        samples = torch.tensor([[0.0, 0.0, draw, 0.0, 0.0, 0.0, 0.0]])
        matrix = affine(samples, Transforms(crop=1, scale=0.1, rotate=0), (8, 8))[0]
        assert 1 / matrix[0, 0].item() == pytest.approx(1 + 0.1 * draw)


def test_crops_lie_inside_the_picture_and_are_shown_at_full_size():
    samples = torch.cat([torch.zeros(64, 4), torch.rand(64, 3) * 2 - 1], dim=1)
    matrices = affine(samples, Transforms(crop=0.25, rotate=0), (8, 16))
    side, place = matrices[:, [0, 1], [0, 1]], matrices[:, :, 2]
    assert torch.allclose(side[:, 0], side[:, 1])
    assert 0.25 <= side.min() < 0.4 < 0.9 < side.max() <= 1
    assert (place.abs() + side <= 1 + 1e-6).all()
    smallest = affine(torch.tensor([[0.0, 0.0, 0.0, 0.0, -1.0, 1.0, 1.0]]), Transforms(crop=0.25, rotate=0), (8, 8))
    x = torch.arange(64.0).reshape(1, 1, 8, 8)
    grid = torch.nn.functional.affine_grid(smallest, [1, 1, 2, 2], align_corners=False)
    assert torch.equal(torch.nn.functional.grid_sample(x, grid, align_corners=False), x[..., 6:, 6:])


def test_noise_is_added_with_its_standard_deviation_and_repeats_with_the_seed():
    x, transforms = torch.full((1, 3, 32, 32), 0.5), Transforms(crop=1, rotate=0, noise=0.1)
    first, second = (transform_images(x, transforms, random_streams(1, OptimisationSettings(seed=4))) for _ in "ab")
    assert (first - x).std().item() == pytest.approx(0.1, rel=0.05)
    assert torch.equal(first, second)


@pytest.fixture
def scored():
    """A function from an objective to its scores on two images with given maps (2 channels, 2 x 2)."""
    x = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]], [[0.0, 0.0], [0.0, 8.0]]]])
    x = torch.cat([x, torch.ones(1, 2, 2, 2)])
    model = nn.Sequential(nn.Identity(), nn.Flatten(), nn.Linear(8, 3))
    nn.init.zeros_(model[2].weight)
    with torch.no_grad():
        model[2].bias.copy_(torch.tensor([0.0, math.log(3), 0.0]))

    def scores(objective: objectives.Objective) -> list[float]:
        with record(model, *objective.layers) as kept:
            kept.forward(x)
            return objective.score(kept, x).tolist()

    return scores


def test_objectives_equal_results_computed_by_hand(scored):
    assert scored(objectives.channel("0", [0, 1])) == [2.5, 1.0]
    assert scored(objectives.neuron("0", [1, 0])) == [8.0, 1.0]  # for an even size, the middle is rounded up
    assert scored(objectives.neuron("0", [0, 0], (0, 1))) == [2.0, 1.0]
    assert scored(objectives.whole_layer("0", 2)) == [(1 + 4 + 9 + 16 + 64) / 8, 1.0]
    assert scored(objectives.class_log_odds([1, 0])) == pytest.approx([math.log(3 / 2), math.log(1 / 4)])
    along = objectives.direction("0", torch.tensor([[3.0, 4.0], [1.0, 0.0]]))
    assert scored(along) == pytest.approx([0.6 * 2.5 + 0.8 * 2, 1.0])
    match = objectives.feature_match("0", torch.ones(2, 2, 2, 2))
    assert scored(match) == pytest.approx([-(0 + 1 + 4 + 9 + 1 + 1 + 1 + 49) / 8, 0.0])
    assert scored(objectives.smoothness()) == pytest.approx([-((2 + 2 + 0 + 8) / 4 + (1 + 1 + 0 + 8) / 4), 0.0])


def test_objectives_can_be_added_and_weighted(scored):
    both = objectives.channel("0", [0, 1]) + 0.5 * objectives.whole_layer("0", 2)
    assert both.layers == ("0",)
    assert scored(both) == [2.5 + 0.5 * 94 / 8, 1.5]


def test_diversity_is_minus_the_similarity_of_copies(scored):
    def gram(maps):
        flat = np.array(maps, float).reshape(2, 4)
        return (flat @ flat.T).ravel()

    first, second = gram([1, 2, 3, 4, 0, 0, 0, 8]), gram([1] * 8)
    similarity = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
    assert scored(objectives.diversity("0", 2)) == pytest.approx([-similarity] * 2, abs=1e-5)


def test_error_messages(scored):
    for call, kind, message in [
        (lambda: PixelSpace((0.5,), (0.1, 0.2)), ConfigError,
         "pixel space: 1 means but 2 stds; pass one of each per channel"),
        (lambda: PixelSpace((0.5,), (0.1,), image_statistics([torch.rand(1, 2, 4, 4)])), ConfigError,
         "pixel space: statistics of 2 channels for 1 means; measure both on the same images"),
        (lambda: scored(objectives.channel("0", [0, 2])), ConfigError,
         "layer 0: no channel 2; choose from 0 to 1"),
        (lambda: scored(objectives.neuron("0", [0, 0], (2, 0))), ConfigError,
         "layer 0: no unit at row 2, column 0 in a map of 2 x 2; choose a position inside it"),
        (lambda: scored(objectives.class_log_odds([0, 3])), ConfigError,
         "targets: class 3 is out of range for 3 classes; choose from 0 to 2"),
        (lambda: scored(objectives.direction("0", torch.ones(2, 3))), ConfigError,
         "layer 0: 2 channels, directions of 3; use the same number"),
        (lambda: objectives.diversity("0", 1), ConfigError,
         "diversity: 1 image per target; choose at least 2 copies"),
        (lambda: objectives.channel("0", [0]) + objectives.channel("0", [0, 1]), ConfigError,
         "objectives: 1 and 2 images; add objectives with equal numbers of images"),
    ]:  # fmt: skip
        with pytest.raises(kind) as error:
            call()
        assert str(error.value) == message
