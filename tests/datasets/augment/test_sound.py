"""Augmentation of sound."""

import pytest
import torch

from convscope.datasets.augment.policies import named_policy
from convscope.datasets.augment.sound import (
    SOUND_POLICIES,
    SoundPolicy,
    SpectrogramAugment,
    WaveAugment,
    shifted,
    spans,
)
from convscope.errors import ConfigError


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def spectrograms(count: int = 64) -> torch.Tensor:
    return torch.randint(1, 256, (count, 1, 16, 20), generator=generator(1), dtype=torch.uint8)


def waves(count: int = 64) -> torch.Tensor:
    return torch.randint(-20_000, 20_000, (count, 1, 200), generator=generator(1), dtype=torch.int16)


Y = torch.zeros(64)


def test_shifts_move_examples_and_leave_silence() -> None:
    x = torch.arange(1.0, 11).expand(50, 1, 10)
    moved = shifted(x, 0.3, generator())
    for row in moved[:, 0]:
        offset = int(torch.nonzero(row)[0]) if row[0] == 0 else 1 - int(row[0])
        expected = torch.tensor([value if 0 < value <= 10 else 0 for value in range(1 - offset, 11 - offset)])
        assert torch.equal(row, expected.float())
    assert {int(row[0]) for row in moved[:, 0]} == {0, 1, 2, 3, 4}


def test_masks_are_spans_of_at_most_their_share() -> None:
    masked = spans(500, 40, 0.25, generator())
    assert masked.shape == (500, 40)
    assert 9 <= int(masked.sum(1).max()) <= 10
    assert all(len(torch.nonzero(row.int().diff())) <= 2 for row in masked)
    assert masked.any(0).all()


def test_masks_of_spectrograms_hold_their_mean() -> None:
    x = spectrograms()
    found, _ = SpectrogramAugment(SoundPolicy(time_mask=0.5, band_mask=0.5)).augment_pair(x, Y, "classes", generator())
    unit = x.float() / 255
    changed = found != unit
    assert changed.any((1, 2, 3)).float().mean() > 0.9
    means = unit.mean((1, 2, 3), keepdim=True).expand_as(unit)
    assert torch.equal(found[changed], means[changed])
    columns, bands = changed[:, 0].all(1), changed[:, 0].all(2)
    assert torch.equal(changed[:, 0], columns[:, None, :] | bands[:, :, None])


def test_gain_changes_what_is_not_silent_by_decibels() -> None:
    x = spectrograms()
    x[:, :, :4] = 0
    found, _ = SpectrogramAugment(SoundPolicy(gain=8)).augment_pair(x, Y, "classes", generator())
    assert not found[:, :, :4].any()
    middle = (x > 60) & (x < 200)
    change = 80 * (found - x.float() / 255)[middle]
    assert 7 < float(change.max()) <= 8.001
    assert -8.001 <= float(change.min()) < -7
    wave, _ = WaveAugment(SoundPolicy(gain=6)).augment_pair(waves(), Y, "classes", generator())
    ratio = (wave / (waves().float() / 32768)).nanmedian(2).values
    assert 10 ** (-6 / 20) <= float(ratio.min()) < float(ratio.max()) <= 10 ** (6 / 20) * 1.0001


def test_noise_raises_quiet_values_most() -> None:
    quiet, loud = torch.zeros(64, 1, 16, 20, dtype=torch.uint8), torch.full((64, 1, 16, 20), 255, dtype=torch.uint8)
    augment = SpectrogramAugment(SoundPolicy(noise=0.1))
    raised = augment.augment_pair(quiet, Y, "classes", generator())[0]
    assert float(raised.mean()) > 0.5
    assert float(augment.augment_pair(loud, Y, "classes", generator())[0].min()) >= 0.99
    # amplitude 0.1 u has the power 0.01 u², with u uniform: on average 10 log10(0.01 / 3) = -24.8 dB
    power = 10 ** ((raised - 1) * 8)
    assert 10 * float(power.mean().log10()) == pytest.approx(-24.8, abs=1)
    x = torch.zeros(64, 1, 2000)
    x[:, :, 0] = 0.5
    noise = WaveAugment(SoundPolicy(noise=0.2)).augment_pair(x, Y, "classes", generator())[0][:, :, 1:].std((1, 2))
    assert 0.08 < float(noise.max()) < 0.11


def test_time_masks_silence_waves() -> None:
    x = torch.ones(64, 2, 100)
    found = WaveAugment(SoundPolicy(time_mask=0.4)).augment_pair(x, Y, "classes", generator())[0]
    assert torch.equal(found[:, 0], found[:, 1])
    assert 35 <= int((found[:, 0] == 0).sum(1).max()) <= 40


def test_none_changes_nothing_and_equal_seeds_give_equal_results() -> None:
    for augment, x in ((SpectrogramAugment, spectrograms()), (WaveAugment, waves())):
        assert augment(SOUND_POLICIES["none"]).augment_pair(x, Y, "classes", generator())[0] is x
        strong = augment(SOUND_POLICIES["strong"])
        first, second = (strong.augment_pair(x, Y, "classes", generator(3))[0] for _ in range(2))
        assert torch.equal(first, second)
        assert first.shape == x.shape
        assert bool(first.isfinite().all())


def test_an_unknown_policy_is_refused() -> None:
    assert named_policy("light", SOUND_POLICIES) is SOUND_POLICIES["light"]
    with pytest.raises(ConfigError) as caught:
        named_policy("lite", SOUND_POLICIES)
    assert str(caught.value) == "augment: no policy lite; did you mean light?"
