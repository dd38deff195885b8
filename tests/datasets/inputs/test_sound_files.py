"""Recordings from files: formats, rates, channels, and files that cannot be used."""

import shutil
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

from convscope.datasets.inputs.sound_files import SoundHeader, read_sound, read_sound_headers, resampled
from convscope.errors import ConfigError, DataError
from helpers.recordings import tone, write_recording

pytest.importorskip("soundfile", reason="the extra sound is not installed")


def wav(frames: int, rate: int = 8000) -> bytes:
    """A WAV file of 16 bits, mono, written by hand."""
    data = b"\0\1" * frames
    form = struct.pack("<IHHIIHH", 16, 1, 1, rate, 2 * rate, 2, 16)
    return (
        b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " + form + b"data" + struct.pack("<I", len(data)) + data
    )


@pytest.mark.parametrize(
    ("name", "subtype", "error"),
    [("a.wav", "PCM_U8", 0.01), ("a.wav", "PCM_16", 1e-4), ("a.wav", "PCM_24", 1e-6), ("a.flac", None, 1e-4)],
)
def test_samples_are_those_that_were_written(tmp_path: Path, name: str, subtype: str | None, error: float) -> None:
    written = tone(440)
    file = write_recording(tmp_path / name, written, subtype=subtype)
    found = read_sound(file, 8000, 1)
    assert found.dtype == np.float32
    assert found[0] == pytest.approx(written, abs=error)
    assert np.array_equal(read_sound(file.read_bytes(), 8000, 1), found)


@pytest.mark.parametrize("name", ["a.ogg", "a.mp3"])
def test_compressed_files_are_read(tmp_path: Path, name: str) -> None:
    written = tone(440, 1.0, 16000)
    found = read_sound(write_recording(tmp_path / name, written, 16000), 16000, 1)[0]
    assert abs(len(found) - len(written)) <= 2400
    spectrum = np.abs(np.fft.rfft(found))
    assert np.argmax(spectrum) * 16000 / len(found) == pytest.approx(440, abs=2)


def test_other_rates_are_resampled_without_aliases() -> None:
    kept, removed = (resampled(tone(hertz, 1.0, 16000)[None].astype(np.float32), 16000, 8000) for hertz in (1000, 6000))
    assert kept.shape == (1, 8000)
    assert np.argmax(np.abs(np.fft.rfft(kept[0]))) == 1000
    assert np.abs(removed[0, 100:-100]).max() < 0.03  # without a filter it would be a tone of 2,000 Hz


def test_one_channel_is_the_mean_of_those_that_sound(tmp_path: Path) -> None:
    left, right = tone(440, seed=1), tone(900, seed=2)
    both = write_recording(tmp_path / "both.wav", np.stack([left, right], 1), subtype="FLOAT")
    assert read_sound(both, 8000, 1)[0] == pytest.approx((left + right) / 2, abs=1e-6)
    assert read_sound(both, 8000, 2) == pytest.approx(np.stack([left, right]), abs=1e-6)
    dead = write_recording(tmp_path / "dead.wav", np.stack([left, 0 * left], 1), subtype="FLOAT")
    assert read_sound(dead, 8000, 1)[0] == pytest.approx(left, abs=1e-6)
    mono = write_recording(tmp_path / "mono.wav", left, subtype="FLOAT")
    assert read_sound(mono, 8000, 2) == pytest.approx(np.stack([left, left]), abs=1e-6)


def test_headers_say_how_a_file_is_stored(tmp_path: Path) -> None:
    file = write_recording(tmp_path / "a.wav", np.zeros((800, 2)), 16000, "PCM_24")
    (header,) = read_sound_headers([file])
    assert header == SoundHeader(800, 16000, 2, "PCM_24")
    assert (header.seconds, header.mode) == (0.05, "16,000 Hz stereo PCM_24")


UNREADABLE = "not a recording in a supported format, or damaged; convert it to WAV, or delete it"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (wav(0), "holds no samples; record it again or delete it"),
        (wav(1), "holds 1 sample, 0.1 ms; at least 10 are used"),
        (wav(40), "holds 40 samples, 5.0 ms; at least 10 are used"),
        (wav(800, rate=0), UNREADABLE),
        (b"", "the file is empty, 0 bytes; copy it again or delete it"),
        (b"RIFF", UNREADABLE),
        (b"no sound at all", UNREADABLE),
    ],
)
def test_bad_headers_are_named(tmp_path: Path, content: bytes, why: str) -> None:
    file = tmp_path / "bad.wav"
    file.write_bytes(content)
    assert read_sound_headers([file]) == [why]
    with pytest.raises(DataError) as caught:
        read_sound(file, 8000, 1)
    assert str(caught.value) == f"{file}: {why}"
    with pytest.raises(DataError) as caught:
        read_sound(content, 8000, 1)
    assert str(caught.value) == f"recording: {why}"


def test_files_that_are_missing_or_folders_are_named(tmp_path: Path) -> None:
    assert read_sound_headers([tmp_path / "none.wav", tmp_path]) == [
        "no such file; check the path",
        "a folder, not a recording; name the files in it",
    ]


def test_bad_samples_are_named(tmp_path: Path) -> None:
    left = tone(440)
    three = np.stack([left, left, left], 1)
    cases = {
        "silent.wav": (np.zeros(800), "silent, all samples are 0; record it again or delete it"),
        "opposite.wav": (np.stack([left, -left], 1), "its channels cancel each other; export one of them"),
        "nan.wav": (np.where(np.arange(len(left)) == 9, np.nan, left), "contains nan or infinity; export it again"),
    }
    for name, (samples, why) in cases.items():
        file = write_recording(tmp_path / name, samples, subtype="FLOAT")
        with pytest.raises(DataError) as caught:
            read_sound(file, 8000, 1)
        assert str(caught.value) == f"{file}: {why}"
    file = write_recording(tmp_path / "three.wav", three)
    with pytest.raises(DataError) as caught:
        read_sound(file, 8000, 2)
    assert str(caught.value) == f"{file}: has 3 channels, not 2; export it with 1 or 2"


def test_a_truncated_mp3_is_named_or_shorter(tmp_path: Path) -> None:
    whole = write_recording(tmp_path / "whole.mp3", tone(440, 2.0, 16000), 16000)
    cut = tmp_path / "cut.mp3"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    declared = read_sound_headers([cut])[0]
    assert isinstance(declared, SoundHeader)
    try:
        found = read_sound(cut, 16000, 1)
    except DataError as error:
        assert str(error).startswith(f"{cut}: truncated: ")  # noqa: PT017
        assert str(error).endswith(f" of the {declared.frames:,} samples of its header; copy it again")  # noqa: PT017
    else:
        assert found.shape[1] >= 0.9 * declared.frames


def test_without_the_extra_the_error_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(ConfigError) as caught:
        read_sound_headers([tmp_path / "a.wav"])
    assert str(caught.value) == "recordings: soundfile is not installed; pip install 'convscope[sound]'"


def test_a_link_to_a_file_is_read(tmp_path: Path) -> None:
    file = write_recording(tmp_path / "a.wav", tone(440))
    shutil.copy(file, tmp_path / "b.wav")
    (tmp_path / "link.wav").symlink_to(file)
    assert np.array_equal(read_sound(tmp_path / "link.wav", 8000, 1), read_sound(tmp_path / "b.wav", 8000, 1))
