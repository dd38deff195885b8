"""Recordings as spectrograms and as samples: sizes, values, duplicates, settings."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from convscope.datasets import INPUT_KINDS, Dataset, InputSettings, build_store
from convscope.datasets.inputs.sound import SoundPreprocessing, spectrogram
from convscope.datasets.inputs.sound_files import at_samples
from convscope.datasets.inputs.sound_reading import SoundReading
from convscope.datasets.inputs.sound_wave import WavePreprocessing, stored_samples
from convscope.errors import ConfigError, DataError
from convscope.layouts import open_data
from helpers.recordings import spoken, tone, write_recording

pytest.importorskip("soundfile", reason="the extra sound is not installed")


@pytest.fixture
def data(tmp_path: Path) -> Dataset:
    return open_data(spoken(tmp_path / "digits"))


def read_as(data: Dataset, **settings: object) -> Dataset:
    return INPUT_KINDS[data.input_kind].with_settings(data, InputSettings.model_validate(settings))


def test_a_spectrogram_has_the_highest_band_on_top_and_255_at_its_loudest(tmp_path: Path) -> None:
    low = spectrogram(write_recording(tmp_path / "low.wav", tone(200)), 8000)
    high = spectrogram(write_recording(tmp_path / "high.wav", tone(3500)), 8000)
    assert low.shape == high.shape == (1, 64, 31)
    assert low.dtype == np.uint8
    assert low.max() == high.max() == 255
    assert low[0, :, 15].argmax() > 55
    assert high[0, :, 15].argmax() < 8


def test_the_level_of_a_recording_does_not_matter(tmp_path: Path) -> None:
    loud = write_recording(tmp_path / "loud.wav", tone(440), subtype="FLOAT")
    quiet = write_recording(tmp_path / "quiet.wav", tone(440) / 100, subtype="FLOAT")
    assert np.abs(spectrogram(loud, 8000).astype(int) - spectrogram(quiet, 8000)).max() <= 1
    assert np.abs(stored_samples(loud, 8000, 1).astype(int) - stored_samples(quiet, 8000, 1)).max() <= 1
    assert np.abs(stored_samples(loud, 8000, 1)).max() == 32767


def test_a_dataset_says_how_long_its_recordings_are(data: Dataset) -> None:
    assert data.input_kind == "sound"
    assert data.reading == SoundReading(8000, 64)
    assert sorted({*map(tuple, data.sizes.tolist())}) == [(64, 16), (64, 21)]
    assert data.modes == {"8,000 Hz mono PCM_16": 20}
    size, why = INPUT_KINDS["sound"].usual_size(data)
    assert (size, why) == ((64, 21), "recordings of 0.16 to 0.21 s, of which 95% are shown whole")


def test_the_store_holds_the_middle_and_silence_around_shorter_ones(data: Dataset) -> None:
    store = build_store(data, (64, 18))
    assert store.pixels.shape == (20, 1, 64, 18)
    for row in (0, 1):
        whole = spectrogram(data.images[row], 8000)
        assert np.array_equal(store.pixels[row], at_samples(whole, 18))
    short = data.names.index("0_ann_0.wav")
    assert not store.pixels[short][:, :, 0].any()
    assert store.pixels[short][:, :, 1:17].any(axis=(0, 1)).all()
    assert not store.pixels[short][:, :, 17].any()
    assert INPUT_KINDS["sound"].cut_note(data, (64, 18)) == (
        "16 recordings are cut to the 0.18 s in the middle; set data.size to [64, 21] to keep all"
    )


def test_decoded_files_equal_the_store_and_say_what_they_show(data: Dataset) -> None:
    rows = np.arange(len(data))
    for settings, size in (({}, (64, 18)), ({"form": "wave"}, (1400,))):
        found = read_as(data, **settings)
        store = build_store(found, size)
        preprocessing = INPUT_KINDS[found.input_kind].from_data(found, size, store.pixels, rows)
        one = preprocessing.decode(data.images[1])
        assert np.array_equal(one.values, store.pixels[1])
        assert np.array_equal(preprocessing.decode(data.images[1].read_bytes()).values, one.values)
        x = preprocessing(torch.from_numpy(store.pixels))
        assert float(x.std()) == pytest.approx(1, abs=0.01)
        assert INPUT_KINDS[found.input_kind].model_validate(preprocessing.model_dump()) == preprocessing
        assert preprocessing.settings == read_settings(found)


def read_settings(data: Dataset) -> InputSettings:
    return InputSettings(form="wave" if data.input_kind == "sound_wave" else "mel", rate=8000)


def test_visible_parts_are_in_columns_or_samples_of_the_file(tmp_path: Path) -> None:
    file = write_recording(tmp_path / "a.wav", tone(440, 0.3))
    mel = SoundPreprocessing(size=(64, 21), channels=1, mean=(0,), std=(1,), rate=8000).decode(file)
    assert (mel.whole, mel.visible) == ((64, 31), (5.0, 0.0, 26.0, 64.0))
    wave = WavePreprocessing(size=(2400,), channels=1, mean=(0,), std=(1,), rate=16000).decode(file)
    assert (wave.whole, wave.visible) == ((4800,), (1200.0, 3600.0))
    for preprocessing in (SoundPreprocessing, WavePreprocessing):
        size = (64, 21) if preprocessing is SoundPreprocessing else (21,)
        with pytest.raises(DataError) as caught:
            preprocessing(size=size, channels=1, mean=(0,), std=(1,)).decode(np.zeros(800))
        assert str(caught.value) == "recording: read from files only; write the samples to a .wav file"


def test_settings_change_form_rate_and_bands(data: Dataset) -> None:
    wave = read_as(data, form="wave")
    assert (wave.input_kind, sorted({*wave.sizes.ravel().tolist()})) == ("sound_wave", [1200, 1600])
    assert INPUT_KINDS["sound_wave"].usual_size(wave)[0] == (1600,)
    assert INPUT_KINDS["sound_wave"].cut_note(wave, (1500,)) == (
        "16 recordings are cut to the 0.19 s in the middle; set data.size to [1600] to keep all"
    )
    other = read_as(data, rate=4000, bands=20)
    assert (other.reading, other.sizes[0].tolist()) == (SoundReading(4000, 20), [20, 16])
    assert other.notes[-1] == "recordings are resampled to 4,000 Hz, as set"
    assert build_store(other, (20, 10)).pixels.shape == (20, 1, 20, 10)
    assert len({one.fingerprint() for one in (data, wave, other)}) == 3
    with pytest.raises(ConfigError) as caught:
        read_as(data, rate=500)
    assert str(caught.value) == "input.rate is 500; give at least 1,000 samples per second"


def test_settings_of_sound_are_refused_for_images() -> None:
    with pytest.raises(ConfigError) as caught:
        read_as(open_data("digits"), form="wave")
    assert str(caught.value) == "input.form is 'wave', but digits holds images; remove it"


def test_several_rates_and_channels_are_noted(tmp_path: Path) -> None:
    for number, rate in enumerate((8000, 8000, 44100)):
        write_recording(tmp_path / "ab"[number % 2] / f"{number}.wav", tone(440, rate=rate), rate)
    write_recording(tmp_path / "b" / "stereo.wav", np.stack([tone(440), tone(500)], 1))
    data = open_data(tmp_path)
    assert data.notes == (
        "recordings are resampled to 8,000 Hz (3 of 8,000 Hz, 1 of 44,100 Hz); set input.rate to use another rate",
        "1 recording has several channels: the mean of those that are not silent is used; set data.channels to their "
        "number to use each",
    )
    assert build_store(replace(data, channels=2), (64, 10)).pixels.shape == (4, 2, 64, 10)


def test_copies_are_found_whatever_their_level(data: Dataset) -> None:
    folder = Path(data.source)
    samples = np.fromfile(folder / "0_ann_0.wav", np.int16)[22:] / 65536
    write_recording(folder / "0_ann_90.wav", samples)
    write_recording(folder / "0_ann_91.wav", samples / 3)
    found = open_data(folder)
    for settings, size in (({}, (64, 21)), ({"form": "wave"}, (1600,))):
        read = read_as(found, **settings)
        store = build_store(read, size)
        groups = INPUT_KINDS[read.input_kind].find_duplicates(store.pixels, np.arange(len(read))).groups
        copies = [i for i, name in enumerate(read.names) if name in ("0_ann_0.wav", "0_ann_90.wav", "0_ann_91.wav")]
        assert len(set(groups[copies].tolist())) == 1
        assert len(set(groups.tolist())) == len(read) - 2


def test_drawings_show_the_picture_and_the_line(data: Dataset) -> None:
    mel = build_store(data, (64, 21)).pixels[0]
    assert np.array_equal(INPUT_KINDS["sound"].draw(mel)[..., 2], mel[0])
    drawn = INPUT_KINDS["sound_wave"].draw(build_store(read_as(data, form="wave"), (1600,)).pixels[0])
    assert drawn.shape == (80, 160, 3)
    assert (drawn < 255).any()
