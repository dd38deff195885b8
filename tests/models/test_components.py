"""Layers against numbers worked by hand: batch norm's running statistics, dropout, softmax, pooling under a shift."""

import pytest
import torch
from torch import nn

from convscope.models import MODELS
from convscope.models.components import POOLINGS, PoolSettings, resolve_component
from convscope.models.layers import LayerFactory


def test_batch_norm_keeps_nine_tenths_of_its_running_statistics() -> None:
    """New = 0.9 old + 0.1 batch, from mean 0 and variance 1; the variance has n - 1 in its denominator."""
    norm = LayerFactory().norm(3, 2)
    mean, variance = torch.zeros(3), torch.ones(3)
    for step in range(4):
        x = torch.randn(8, 3, 5, 5, generator=torch.Generator().manual_seed(step)) * 2 + 7
        norm(x)
        mean = 0.9 * mean + 0.1 * x.mean((0, 2, 3))
        variance = 0.9 * variance + 0.1 * x.var((0, 2, 3), correction=1)
        torch.testing.assert_close(norm.running_mean, mean)
        torch.testing.assert_close(norm.running_var, variance)
    drift = (norm.running_mean - 7).abs() / 7  # after 4 steps 0.9^4 = 66 % of the way remain
    assert torch.allclose(drift, torch.full((3,), 0.9**4), atol=0.03)


def test_the_momentum_option_is_the_weight_of_a_batch() -> None:
    model = MODELS["resnet18"](3, width=4, depths=(1, 1), stem="small", momentum=0.5)
    x = torch.rand(4, 3, 16, 16)
    expected = 0.5 * model.stem.conv(x).mean((0, 2, 3))
    model(x)
    torch.testing.assert_close(model.stem.norm.running_mean, expected.detach())


def test_the_output_in_evaluation_does_not_depend_on_the_other_images() -> None:
    model = MODELS["resnet18"](3, width=4, depths=(1, 1), stem="small")
    model(torch.rand(8, 3, 16, 16))
    x = torch.rand(4, 3, 16, 16)
    with torch.no_grad():
        in_training = [model(x)[0], model(torch.cat([x[:1], 9 * x[1:]]))[0]]
        model.eval()
        alone, together = model(x[:1])[0], model(torch.cat([x[:1], 9 * x[1:]]))[0]
    torch.testing.assert_close(alone, together)
    assert not torch.allclose(*in_training, atol=1e-3)


@pytest.mark.parametrize("probability", [0.2, 0.5, 0.8])
def test_dropout_preserves_the_mean_and_is_off_in_evaluation(probability) -> None:
    """`dropout` is the share of units set to 0; those that are kept are divided by 1 - dropout."""
    model = MODELS["lenet"](3, dropout=probability, widths=(4000,))
    dropped = model.get_submodule("head.drop1")
    x = torch.ones(100, 4000)
    out = dropped(x)
    assert out.mean().item() == pytest.approx(1, abs=0.02)
    assert (out == 0).float().mean().item() == pytest.approx(probability, abs=0.02)
    assert out.max().item() == pytest.approx(1 / (1 - probability))
    assert torch.equal(model.eval().get_submodule("head.drop1")(x), x)


def test_the_probabilities_of_a_classifier_sum_to_one() -> None:
    """As many units as classes; also for extreme logits."""
    logits = MODELS["resnet18"](7, width=4, depths=(1, 1), stem="small").eval()(torch.rand(5, 3, 16, 16) * 1000)
    assert logits.shape == (5, 7)
    for values in (logits, torch.tensor([[1e4, -1e4, 0.0]])):
        assert (values.softmax(1).sum(1) - 1).abs().max() < 1e-6
        assert (values.log_softmax(1).exp().sum(1) - 1).abs().max() < 1e-6


def test_a_shift_of_one_pixel_inside_a_window_leaves_the_maximum() -> None:
    pool = resolve_component(POOLINGS, "max", "pooling")(PoolSettings(1))
    x = torch.zeros(1, 1, 4, 4)
    x[..., 0, 0] = 5
    moved = x.roll((1, 1), (-2, -1))  # within the first window of 2x2
    assert torch.equal(pool(x), pool(moved))
    assert not torch.equal(pool(x), pool(moved.roll(1, -1)))
    average = resolve_component(POOLINGS, "average", "pooling")(PoolSettings(1))
    assert torch.equal(average(x), average(moved))
    assert average(x)[0, 0, 0, 0] == 5 / 4


def test_pools_have_no_parameters_and_give_the_values_worked_by_hand() -> None:
    x = torch.arange(16.0).reshape(1, 1, 4, 4)
    results = {"max": [[5, 7], [13, 15]], "average": [[2.5, 4.5], [10.5, 12.5]]}
    for kind, values in results.items():
        pool = resolve_component(POOLINGS, kind, "pooling")(PoolSettings(1))
        assert not list(pool.parameters())
        assert pool(x)[0, 0].tolist() == values
    overlapping: nn.Module = resolve_component(POOLINGS, "max:3", "pooling")(PoolSettings(1))
    assert overlapping(x)[0, 0].tolist() == [[5, 7], [13, 15]]
