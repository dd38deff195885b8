"""airbench: the whitening layer and the initialisation of the paper."""

import pytest
import torch

from convscope.models import MODELS, has_whitening_layer, summarize, whiten


def correlated(count: int = 40, channels: int = 3, side: int = 12) -> torch.Tensor:
    """Smooth images with correlated neighbouring pixels and mean 0."""
    noise = torch.randn(count, channels, side, side, generator=torch.Generator().manual_seed(0))
    smooth = torch.nn.functional.avg_pool2d(noise, 3, 1, 1)
    return (smooth - smooth.mean()) / smooth.std()


@pytest.mark.parametrize(("channels", "filters"), [(3, 24), (1, 8)])
def test_whitened_outputs_are_uncorrelated_with_variance_one(channels: int, filters: int) -> None:
    model, x = MODELS["airbench"](10, channels=channels), correlated(channels=channels)
    assert has_whitening_layer(model)
    whiten(model, x)
    y = model.stem.whiten(x).movedim(1, -1).flatten(0, 2)
    assert y.shape[1] == filters
    half = y[:, : filters // 2]
    covariance = half.T @ half / len(half)
    assert (covariance - torch.eye(filters // 2)).abs().max() < 0.06  # epsilon reduces the smallest variances slightly
    assert torch.allclose(y[:, filters // 2 :], -half, atol=1e-5)
    assert not model.stem.whiten.weight.requires_grad
    assert model.stem.whiten.bias.requires_grad


def test_filters_beyond_the_dimensions_keep_their_initialisation() -> None:
    model = MODELS["airbench"](10, channels=1, filters=12)
    before = model.stem.whiten.weight.detach().clone()
    whiten(model, correlated(channels=1))
    assert torch.equal(model.stem.whiten.weight[8:], before[8:])
    assert not torch.equal(model.stem.whiten.weight[:8], before[:8])


def test_other_networks_have_no_whitening_layer() -> None:
    assert not has_whitening_layer(MODELS["resnet18"](10, width=4))


def test_it_has_the_papers_parameter_count() -> None:
    """Convolutions 24-64-64, 64-256-256, 256-256-256 of 3x3; the norms have no trainable scale."""
    model = MODELS["airbench"](10)
    learned = [p for p in model.parameters() if p.requires_grad and p.ndim == 4 and p.shape[-1] == 3]
    inputs = [24 * 64, 64 * 64, 64 * 256, 256 * 256, 256 * 256, 256 * 256]
    assert sum(p.numel() for p in learned) == 9 * sum(inputs)
    assert not any(norm.weight.requires_grad for norm in model.modules() if isinstance(norm, torch.nn.BatchNorm2d))
    # 31 x 31 after the 2x2 patches, 15 and 7 after the pools
    by_hand = 31**2 * (12 * 24 + 9 * 24 * 64) + 9 * 15**2 * (64 * 64 + 64 * 256) + 9 * 7**2 * 2 * 256 * 256
    assert summarize(model, (3, 32, 32)).macs == by_hand + 9 * 3**2 * 256 * 256 + 256 * 10


def test_convolutions_are_initialised_to_a_partial_identity() -> None:
    weight = MODELS["airbench"](10).stages[0].conv1.weight
    identity = torch.zeros(24, 24, 3, 3)
    identity[range(24), range(24), 1, 1] = 1
    assert torch.equal(weight[:24], identity)
    assert weight[24:].std() > 0.01


def test_tiny_images_do_not_give_empty_maps() -> None:
    assert MODELS["airbench"](10, channels=1, size=(8, 8), ceil=True)(torch.rand(2, 1, 8, 8)).shape == (2, 10)
