"""Log-mel spectrograms, against figures of librosa 0.11 and against librosa itself where it is installed."""

import math

import numpy as np
import pytest
import torch

from convscope.datasets.inputs.mel import columns_of, decibels, hop_of, mel_filters, mel_power, window_of

# librosa 0.11.0: feature.melspectrogram(y=samples, sr=8000, n_fft=256, hop_length=80, n_mels=64), and power_to_db with
# ref=numpy.max and top_db=80, of `samples`; bands 5, 20, 40, 63 and columns 0, 10, 30, 50.
POWER = [
    [0.9588878154754639, 6.092475359764649e-06, 6.48411332804244e-06, 0.5260307788848877],
    [0.19723382592201233, 0.00510087376460433, 8.884850331014604e-07, 0.05497657135128975],
    [0.005264234263449907, 5.781837675300494e-09, 4.270165920257568, 0.00028580991784110665],
    [0.0006011215737089515, 1.480168120232897e-13, 2.8272427801678823e-12, 0.006915512960404158],
]
DECIBELS = [
    [-20.37518882751465, -72.34492492675781, -72.07435607910156, -22.982755661010742],
    [-27.243053436279297, -43.116424560546875, -80.0, -32.79109191894531],
    [-42.979515075683594, -80.0, -13.888420104980469, -55.63209533691406],
    [-52.40324401855469, -80.0, -80.0, -41.79462432861328],
]
PLACES = np.ix_([5, 20, 40, 63], [0, 10, 30, 50])


def samples() -> torch.Tensor:
    time = np.arange(4000) / 8000
    wave = np.sin(2 * np.pi * 440 * time) + 0.5 * np.sin(2 * np.pi * (500 + 2000 * time) * time)
    return torch.from_numpy(wave.astype(np.float32))


def test_power_and_decibels_equal_those_of_librosa() -> None:
    power = mel_power(samples()[None], 8000, 64)
    assert power.shape == (1, 64, 51)
    assert power[0].numpy()[PLACES] == pytest.approx(np.array(POWER), rel=1e-3, abs=1e-5)
    level = decibels(power)[0].numpy()
    assert level[PLACES] == pytest.approx(np.array(DECIBELS), abs=0.01)
    assert float(level.mean()) == pytest.approx(-63.737823, abs=1e-3)


def test_a_planted_other_hop_differs_from_librosa() -> None:
    shifted = mel_power(samples()[None, 40:], 8000, 64)[0].numpy()
    assert shifted[PLACES[0], [0, 10, 30, 49]] != pytest.approx(np.array(POWER), rel=1e-3, abs=1e-5)


@pytest.mark.parametrize(("rate", "bands"), [(8000, 64), (16000, 40), (44100, 128)])
def test_filters_equal_those_of_librosa(rate: int, bands: int) -> None:
    librosa = pytest.importorskip("librosa", reason="librosa is an oracle that is not installed")
    window = window_of(rate)
    expected = librosa.filters.mel(sr=rate, n_fft=window, n_mels=bands)
    assert mel_filters(rate, window, bands).numpy() == pytest.approx(expected, abs=1e-6)


def test_filters_have_areas_of_one_hertz() -> None:
    """Slaney's bands are triangles of area 1, worked out by hand: a triangle of width w has the height 2 / w."""
    filters = mel_filters(16000, 4096, 40)
    assert filters.sum(1) * 16000 / 4096 == pytest.approx(torch.ones(40).numpy(), abs=0.01)


def test_a_tone_is_loudest_in_its_band() -> None:
    time = torch.arange(8000) / 8000
    power = mel_power(torch.sin(2 * math.pi * 1000 * time)[None], 8000, 64)[0, :, 50]
    # 1,000 Hz is 15 mel and half the rate 15 + 27 ln 4 / ln 6.4 = 35.16; the centres of 64 bands are 35.16 / 65 apart
    assert int(power.argmax()) == round(15 / (35.16 / 65)) - 1


def test_windows_and_columns_follow_from_the_rate() -> None:
    assert (hop_of(8000), hop_of(22050), hop_of(50)) == (80, 220, 1)
    assert columns_of(8000, 8000) == 101
    assert mel_power(torch.zeros(2, 1), 8000, 10).shape == (2, 10, 1)
