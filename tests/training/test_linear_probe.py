"""The linear probe equals scikit-learn's regressions, and cross-validation chooses its penalty."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression, Ridge
from torch.nn import functional

from convscope.training import ProbeSettings, fit_probe, folds, linear_probe, mixed_order, neighbour_votes


def accuracy(output, target):
    return float((output.argmax(1) == target).float().mean())


def clouds(counts, channels=6, spread=1.0, seed=0):
    """Features of two views (2, N, C) around a centre per class, and the classes (N,)."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    centres = 3 * torch.randn(len(counts), channels, generator=generator)
    x = centres[y] + spread * torch.randn(2, len(y), channels, generator=generator)
    return 5 + 2 * x, y


@pytest.fixture
def one_penalty(monkeypatch):
    """Only this penalty is tried."""

    def only(penalty):
        monkeypatch.setattr(linear_probe, "PENALTIES", (penalty,))

    return only


def test_with_cross_entropy_it_is_logistic_regression(one_penalty):
    one_penalty(4.0)
    x, y = clouds([30, 20, 10], spread=3.0)
    found = fit_probe(x, y, ProbeSettings(3, functional.cross_entropy, accuracy))
    flat, targets = x.flatten(0, 1).numpy(), y.repeat(2).numpy()
    mean, std = flat.mean(0), flat.std(0)
    # scikit-learn sums the loss over both views, so its penalty counts samples, not images
    peer = LogisticRegression(C=1 / (2 * 4.0), tol=1e-8, max_iter=1000).fit((flat - mean) / std, targets)
    expected = peer.predict_proba((flat - mean) / std)
    np.testing.assert_allclose(found(x.flatten(0, 1)).softmax(1).numpy(), expected, atol=2e-3)


def test_with_squared_errors_it_is_ridge_regression(one_penalty):
    one_penalty(8.0)
    x, _ = clouds([40])
    y = x[0] @ torch.randn(6, 2) + 1
    found = fit_probe(x[:1], y, ProbeSettings(2, functional.mse_loss, lambda output, _: float(output.mean())))
    flat = x[0].numpy()
    mean, std = flat.mean(0), flat.std(0)
    # the mean over both columns halves each one's share of the loss
    peer = Ridge(alpha=8.0, tol=1e-8).fit((flat - mean) / std, y.numpy())
    np.testing.assert_allclose(found(x[0]).numpy(), peer.predict((flat - mean) / std), rtol=2e-3, atol=2e-2)


def test_rare_classes_are_learnt_where_most_images_have_one_class():
    x, y = clouds([140, 12, 12, 12, 12, 12])
    found = fit_probe(x, y, ProbeSettings(6, functional.cross_entropy, accuracy))
    fresh, targets = clouds([20] * 6)
    assert accuracy(found(fresh[1]), targets) > 0.97
    assert found.score == pytest.approx(accuracy(found(x[0]), y), abs=0.03)


def test_noise_gets_a_stronger_penalty_than_signal():
    settings = ProbeSettings(2, functional.cross_entropy, lambda output, y: -float(functional.cross_entropy(output, y)))
    noise = torch.randn(1, 60, 40)
    signal = noise.clone()
    y = torch.arange(60) % 2
    signal[0, :, 0] += 10.0 * y
    assert fit_probe(noise, y, settings).penalty > fit_probe(signal, y, settings).penalty


def test_without_time_the_penalty_is_not_chosen_and_the_layer_is_fitted_all_the_same():
    x, y = clouds([30, 30])
    settings = ProbeSettings(2, functional.cross_entropy, accuracy, lambda: True, lambda: True)
    found = fit_probe(x, y, settings)
    assert (found.penalty, found.score) == (linear_probe.UNCHOSEN, None)
    assert accuracy(found(x[0]), y) > 0.95


def test_a_constant_feature_changes_nothing():
    x, y = clouds([30, 30])
    settings = ProbeSettings(2, functional.cross_entropy, accuracy)
    plain, more = fit_probe(x, y, settings), fit_probe(torch.cat([x, torch.full((2, 60, 1), 7.0)], 2), y, settings)
    assert torch.allclose(plain(x[0]), more(torch.cat([x[0], torch.full((60, 1), 7.0)], 1)), atol=1e-2)


def test_folds_contain_every_class_evenly():
    y = torch.tensor([0] * 50 + [1] * 10)
    fold_of = folds(y, 5)
    assert torch.bincount(fold_of[y == 0]).tolist() == [10] * 5
    assert torch.bincount(fold_of[y == 1]).tolist() == [2] * 5


def test_every_beginning_of_a_mixed_order_has_the_shares_of_the_whole():
    y = torch.tensor([0] * 60 + [1] * 20 + [2] * 20)
    order = mixed_order(y)
    assert sorted(order.tolist()) == list(range(100))
    for count in (10, 25, 50):
        assert torch.bincount(y[order[:count]], minlength=3).tolist() == pytest.approx(
            [0.6 * count, 0.2 * count, 0.2 * count], abs=1
        )


def test_numbers_are_mixed_at_random():
    assert sorted(mixed_order(torch.rand(9, 2)).tolist()) == list(range(9))


def test_neighbours_vote_for_their_class_and_nearer_ones_break_ties():
    x = torch.tensor([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.1, 0.9]])
    y = torch.tensor([0, 0, 1, 1])
    votes = neighbour_votes(x, y, torch.tensor([[2.0, 0.1], [0.1, 2.0]]), 2, count=4)
    assert votes.argmax(1).tolist() == [0, 1]
    assert votes.sum(1).tolist() == pytest.approx([1.0, 1.0], abs=1e-2)
