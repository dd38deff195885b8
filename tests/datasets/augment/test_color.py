"""Blur, noise and grey: compared with SciPy, values computed by hand and statistics."""

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from convscope.datasets.augment.color import blur, change_color, noise
from convscope.datasets.augment.policies import Policy


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_blur_equals_scipys_in_half_of_the_images() -> None:
    x = torch.rand((12, 3, 20, 24), generator=seeded(1)).double()
    found = blur(x, Policy(blur=1.5), seeded(2))
    draw = seeded(2)
    sigma = 1.5 * torch.rand(12, generator=draw)
    blurred = torch.rand(12, generator=draw) < 0.5
    assert 2 < blurred.sum() < 10
    for b in range(12):
        if not blurred[b]:
            assert torch.allclose(found[b], x[b], atol=1e-6)
            continue
        width = max(float(sigma[b]), 1e-3)
        theirs = np.stack([gaussian_filter(plane, width, mode="nearest", radius=5) for plane in x[b].numpy()])
        assert np.abs(found[b].numpy() - theirs).max() < 1e-5


def test_noise_has_the_sampled_deviation_and_stays_in_range() -> None:
    x = torch.full((6, 3, 60, 60), 0.5)
    found = noise(x, Policy(noise=0.1), seeded())
    strength = 0.1 * torch.rand(6, generator=seeded())
    assert torch.allclose((found - x).std((1, 2, 3)), strength, rtol=0.05, atol=1e-4)
    assert noise(torch.ones(2, 3, 8, 8), Policy(noise=1.0), seeded()).max() <= 1


def test_a_share_of_the_images_becomes_grey_and_keeps_its_brightness() -> None:
    x = torch.rand((500, 3, 4, 4), generator=seeded())
    found = change_color(x, Policy(grey=0.3), seeded(1))
    grey = torch.isclose(found[:, 0], found[:, 2], atol=1e-5).flatten(1).all(1)
    assert 0.25 < grey.float().mean() < 0.35
    assert torch.allclose(found[grey].mean(1), x[grey].mean(1), atol=1e-5)
    assert torch.allclose(found[~grey], x[~grey], atol=1e-5)


def test_without_changes_the_images_are_unchanged() -> None:
    x = torch.rand(2, 3, 5, 5)
    assert blur(x, Policy(), seeded()) is x
    assert noise(x, Policy(), seeded()) is x
