"""Statistics of images: colours, amplitudes of frequencies, and what they are at another size."""

import pytest
import torch

from convscope.errors import DataError
from convscope.explainers import image_statistics
from convscope.explainers.synthesis.image_statistics import natural_statistics

MIX = torch.tensor([[0.9, 0.4, 0.2], [0.0, 0.7, 0.1], [0.0, 0.0, 0.3]])


def test_colours_are_a_square_root_of_the_covariance_of_the_logits():
    logits = 0.2 + torch.einsum("bchw,dc->bdhw", torch.randn(8, 3, 16, 16).clamp(-2, 2), MIX)
    found = image_statistics(logits.sigmoid().split(3))
    values = logits.transpose(0, 1).flatten(1)
    assert torch.allclose(found.mean, values.mean(1), atol=1e-4)
    assert torch.allclose(found.colors @ found.colors.T, torch.cov(values, correction=0), atol=1e-3)


def test_white_noise_has_equal_amplitudes_and_a_wave_has_one():
    generator = torch.Generator().manual_seed(0)
    noise = (0.5 * torch.randn(64, 1, 16, 16, generator=generator)).sigmoid()
    spectrum = image_statistics([noise]).spectrum[0, 1:, 1:-1]
    assert spectrum.std() / spectrum.mean() < 0.15
    wave = torch.sin(2 * torch.pi * 3 * torch.arange(16) / 16).expand(1, 1, 16, 16).sigmoid()
    assert image_statistics([wave]).spectrum[0].flatten().argmax() == 3


def test_grey_images_stored_as_colour_have_one_colour_axis_that_counts():
    grey = torch.rand(4, 1, 8, 8).expand(4, 3, 8, 8)
    lengths = image_statistics([grey]).colors.norm(dim=0).sort().values
    assert lengths[-1] > 50 * lengths[-2]


@pytest.mark.parametrize("size", [(8, 8), (9, 12), (32, 32)])
def test_the_spectrum_at_another_size_is_that_of_the_same_pictures(size):
    axis = torch.linspace(0, 1, 65)[:-1]
    waves = torch.stack([torch.sin(2 * torch.pi * (k * axis[:, None] + axis[None])) for k in (0, 1, 2)])[:, None]
    large = image_statistics([waves.sigmoid()])
    spectrum = large.spectrum_at(size)
    assert spectrum.shape == (1, size[0], size[1] // 2 + 1)
    area = (size[0] * size[1] / 64**2) ** 0.5
    for row in (0, 1, 2, -1, -2):
        assert spectrum[0, row, 1] == pytest.approx(float(large.spectrum[0, row, 1]) * area, rel=1e-5)


def test_its_own_size_gives_the_spectrum_itself():
    found = image_statistics([torch.rand(2, 2, 7, 10)])
    assert torch.equal(found.spectrum_at((7, 10)), found.spectrum)


def test_frequencies_beyond_those_of_the_images_fall_with_their_inverse():
    found = image_statistics([torch.rand(16, 1, 8, 8)])
    larger = found.spectrum_at((32, 32))[0]
    assert larger[0, 8] == pytest.approx(float(larger[0, 4]) / 2)
    assert larger[0, 16] == pytest.approx(float(larger[0, 4]) / 4)


def test_without_images_amplitudes_are_one_over_frequency_and_have_variance_1():
    found = natural_statistics((0.5, 0.25), (16, 16))
    assert found.mean.tolist() == pytest.approx([0, -1.0986], abs=1e-4)
    assert found.spectrum[0, 0, 4] / found.spectrum[0, 0, 8] == pytest.approx(2)
    assert found.spectrum[1].square().mean() == pytest.approx(1)


def test_no_images_are_refused():
    with pytest.raises(DataError, match=r"^image statistics: no images; pass at least one batch$"):
        image_statistics([])
