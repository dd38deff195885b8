"""Augmentation of series."""

import pytest
import torch

from convscope.datasets.augment.series import SeriesPolicy, resample, series_augment
from convscope.errors import ConfigError

NAN = float("nan")


def augmented(x, seed=0, **policy):
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(len(x))
    found, targets = series_augment(SeriesPolicy(**policy)).augment_pair(x, y, "classes", generator)
    assert torch.equal(targets, y)
    return found


def test_none_changes_nothing_and_an_unknown_policy_is_an_error():
    x = torch.rand(3, 2, 10)
    assert series_augment("none").augment_pair(x, x, "classes", torch.Generator())[0] is x
    with pytest.raises(ConfigError) as caught:
        series_augment("strnog")
    assert str(caught.value) == "augment: no policy strnog; did you mean strong?"


def test_resampling_interpolates_and_repeats_the_ends():
    x = torch.tensor([[[0.0, 1, 2, 3]]])
    assert resample(x, torch.tensor([[-1.0, 0.5, 2.25, 9]])).tolist() == [[[0, 0.5, 2.25, 3]]]


def test_a_whole_position_beside_a_missing_value_is_kept():
    x = torch.tensor([[[1.0, NAN, 3]]])
    found = resample(x, torch.tensor([[0.0, 1, 2]]))
    assert found[0, 0, ::2].tolist() == [1, 3]
    assert found[0, 0, 1].isnan()


def test_shifts_are_whole_and_at_most_the_given_fraction():
    x = torch.arange(40.0).expand(200, 1, 40)
    shifts = augmented(x, shift=0.1)[:, 0, 20] - 20
    assert set(shifts.tolist()) == set(range(-4, 5))


def test_scaling_keeps_the_mean_and_stays_in_its_range():
    x = torch.rand(100, 2, 50)
    found = augmented(x, scale=0.3)
    torch.testing.assert_close(found.mean(2), x.mean(2))
    factor = (found.std(2) / x.std(2))[:, 0]
    assert 0.7 <= factor.min() < 0.75
    assert 1.25 < factor.max() <= 1.3


def test_jitter_is_a_fraction_of_the_deviation_and_keeps_missing_values():
    x = 5 * torch.randn(200, 1, 100, generator=torch.Generator().manual_seed(1))
    x[0, 0, 3] = NAN
    difference = augmented(x, jitter=0.1) - x
    assert difference[1:].std() == pytest.approx(0.5, rel=0.05)
    assert difference[0, 0, 3].isnan()
    assert int(difference.isnan().sum()) == 1


def test_crops_and_warps_are_increasing_parts_of_the_series():
    x = torch.arange(100.0).expand(50, 1, 100)
    for policy in ({"crop": 0.8}, {"warp": 0.3}):
        found = augmented(x, **policy)[:, 0]
        assert (found.diff(dim=1) > 0).all()
        assert found.min() >= 0
        assert found.max() <= 99
    span = augmented(x, crop=0.8)[:, 0, -1] - augmented(x, crop=0.8)[:, 0, 0]
    assert 0.8 * 99 <= span.min() < 0.85 * 99


def test_the_same_generator_gives_the_same_result():
    x = torch.rand(4, 1, 30)
    strong = {"shift": 0.1, "scale": 0.2, "jitter": 0.1, "crop": 0.9, "warp": 0.2}
    assert torch.equal(augmented(x, 3, **strong), augmented(x, 3, **strong))
    assert not torch.equal(augmented(x, 3, **strong), augmented(x, 4, **strong))
