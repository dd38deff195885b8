"""Networks trained on recordings, as spectrograms and as samples: every verb works or refuses in one sentence."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from torch import nn

import convscope as cs
from convscope.api import Predictor, baselines
from convscope.bundle import load_bundle
from convscope.errors import ConfigError
from convscope.explorer.session import Session
from convscope.server.served_model import ServedModel
from helpers.recordings import spoken, tone, write_recording

pytest.importorskip("soundfile", reason="the extra sound is not installed")

SMALL = {
    "model.options": {"width": 8, "depths": (1, 1)},
    "train.epochs": 12,
    "train.batch": 8,
    "augment.policy": "none",
    "train.tta_views": "1",
    "input.bands": 16,
}
WAVE = {**SMALL, "input.form": "wave", "train.epochs": 1}
del WAVE["input.bands"]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Low and high tones by four speakers, a silent recording and a damaged one."""
    folder = spoken(tmp_path_factory.mktemp("sound") / "tones", 40, ("ann", "bob", "cid", "dee"))
    write_recording(folder / "0_ann_98.wav", np.zeros(1600))
    (folder / "1_bob_99.wav").write_bytes(b"RIFF")
    return folder


@pytest.fixture(scope="module")
def run(source: Path, tmp_path_factory: pytest.TempPathFactory) -> cs.Run:
    return cs.train(str(source), out=tmp_path_factory.mktemp("run") / "run", settings=SMALL)


@pytest.fixture(scope="module")
def wave_run(source: Path, tmp_path_factory: pytest.TempPathFactory) -> cs.Run:
    return cs.train(str(source), out=tmp_path_factory.mktemp("run") / "wave", settings=WAVE)


def test_data_describes_recordings_and_names_bad_ones(source: Path) -> None:
    found = cs.data(str(source), settings={"input.bands": 16})
    lines = repr(found)
    assert "layout: name-parts, because the names of its files are a class and a number" in lines
    assert "recordings: 40: 32 train, 4 validation, 4 test" in lines
    assert "sizes (bands x columns): 16 x 16 to 21 (median 21)" in lines
    assert "recording modes: 41 8,000 Hz mono PCM_16" in lines
    assert "network input: 16 x 21, 1 channel" in lines
    assert dict(found.skipped) == {
        "0_ann_98.wav": "silent, all samples are 0; record it again or delete it",
        "1_bob_99.wav": "not a recording in a supported format, or damaged; convert it to WAV, or delete it",
    }


def test_speakers_stay_in_one_split_if_asked(source: Path) -> None:
    found = cs.data(str(source), settings={"data.group": "_(.+)_"})
    assert "the names give 4 groups, ann, bob, cid, ...: each stays in one split" in found.notes
    counts = found.to_dict()["splits"]
    assert sorted(counts[split] for split in ("train", "validation", "test")) == [10, 10, 20]


def test_tones_are_learned_from_spectrograms(run: cs.Run) -> None:
    model, config = load_bundle(run.path / "model")
    assert any(isinstance(layer, nn.Conv2d) for layer in model.modules())
    assert (config.preprocessing.kind, config.preprocessing.size) == ("sound", (16, 21))
    assert run.evaluate("test").scores["accuracy"] >= 0.75
    assert (run.path / "report.html").read_text().count("data:image/") >= 1
    assert 'form = "mel"' in (run.path / "recipe.toml").read_text()


@pytest.mark.slow
def test_the_wave_has_a_one_dimensional_network(wave_run: cs.Run, source: Path) -> None:
    model, config = load_bundle(wave_run.path / "model")
    assert all(isinstance(layer, nn.Conv1d) for layer in model.modules() if isinstance(layer, nn.Conv1d | nn.Conv2d))
    assert (config.preprocessing.kind, config.preprocessing.size) == ("sound_wave", (1600,))
    assert 0 <= wave_run.evaluate("test").scores["accuracy"] <= 1
    assert wave_run.inspect().shape == (1, 1600)
    assert len(wave_run.predict(sorted(source.glob("0_bob_*.wav")))) == 5


def test_files_of_any_rate_are_predicted(run: cs.Run, tmp_path: Path) -> None:
    low = write_recording(tmp_path / "low.flac", tone(320, 0.5, 44100), 44100)
    high = write_recording(tmp_path / "high.ogg", tone(1600, 0.4, 16000), 16000)
    (tmp_path / "note.txt").write_text("no sound")
    found = run.predict([low, high, tmp_path / "note.txt"])
    assert [item.file for item in found[:2]] == [str(low), str(high)]
    assert all(sum(item.probabilities) == pytest.approx(1) for item in found[:2])
    why = "not a recording in a supported format, or damaged; convert it to WAV, or delete it"
    assert found[2].why == why
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.write(low, "low.flac")
        archive.write(tmp_path / "note.txt", "note.txt")
    inside = [item.to_dict() for item in Predictor.open(run.path).stream([tmp_path / "all.zip"])]
    assert (inside[0]["file"], inside[0]["label"]) == (f"{tmp_path / 'all.zip'}/low.flac", found[0].label)
    assert inside[0]["confidence"] == pytest.approx(found[0].confidence, abs=1e-4)
    assert inside[1] == {"file": f"{tmp_path / 'all.zip'}/note.txt", "error": why}


def test_explain_works_on_the_picture(run: cs.Run) -> None:
    found = run.explain("attribution", max_images=1, method=("grad_cam", "occlusion"))
    assert [path.suffix for path in found.pictures] == [".png"]
    assert json.dumps(found.numbers)
    assert run.explain("activations", max_images=1).pictures


@pytest.mark.slow
def test_explain_draws_the_wave_with_its_map(wave_run: cs.Run) -> None:
    numbers = wave_run.explain("timeline", max_images=2).numbers["examples"]
    assert [len(one["map"]) for one in numbers] == [1600, 1600]
    with pytest.raises(ConfigError) as caught:
        wave_run.explain("maximise")
    message = f"explain maximise is for images, and {wave_run.path} holds recordings; use explain timeline"
    assert str(caught.value) == message


@pytest.mark.slow
def test_features_are_those_of_the_encoder(run: cs.Run, wave_run: cs.Run, source: Path, tmp_path: Path) -> None:
    assert cs.features(run.path, str(source), out=tmp_path / "mel").vectors.shape == (40, 16)
    assert cs.features(wave_run.path, str(source), out=tmp_path / "wave").vectors.shape == (40, 16)
    with pytest.raises(ConfigError) as caught:
        cs.features(run.path, "digits", out=tmp_path / "none")
    message = f"features: digits holds images, and {run.path} takes recordings; give recordings"
    assert str(caught.value) == message


def test_what_needs_images_refuses_in_one_sentence(run: cs.Run, source: Path, tmp_path: Path) -> None:
    held = f"is for images, and {run.path} holds recordings"
    refusals = {
        f"a sheet of examples is for images, and {source} holds recordings": lambda: cs.data(str(source)).sheet(
            tmp_path / "a.png"
        ),
        f"convscope robustness {held}": run.robustness,
        f"convscope diagnose {held}": lambda: cs.diagnose(str(run.path)),
        f"the explorer {held}": lambda: Session.open(run.path),
        f"convscope serve {held}": lambda: ServedModel.open(run.path, "tones", "auto", 1),
        f"convscope export {held}": lambda: run.export(out=tmp_path / "out"),
        f"transfer.checkpoint is for images, and {source} holds recordings": lambda: cs.train(
            str(source), out=tmp_path / "transfer", settings={"transfer.checkpoint": "imagenet"}
        ),
    }
    for message, refused in refusals.items():
        with pytest.raises(ConfigError) as caught:
            refused()
        assert str(caught.value) == message


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"data.size": [64]},
            "data.size is [64], but {source} holds recordings; give bands and columns, like [64, 64]",
        ),
        ({"data.fit": "pad"}, "data.fit is 'pad', but {source} holds recordings; remove it"),
        ({"augment.changes": {"hue": 5}}, "augment.changes.hue: does not apply to recordings; remove it"),
    ],
)
def test_settings_of_images_are_refused(source: Path, tmp_path: Path, settings: dict, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        cs.train(str(source), out=tmp_path / "run", settings={**SMALL, **settings})
    assert str(caught.value) == message.format(source=source)


def test_the_baseline_of_recordings_hears_the_tones(source: Path, tmp_path: Path) -> None:
    found = baselines(str(source), ("majority", "mel-mean", "pixels"), out=tmp_path / "compare")
    assert {entry.recipe: entry.accuracy for entry in found.entries} == {
        "majority": 0.5,
        "mel-mean": 1.0,
        "pixels": 1.0,
    }
    with pytest.raises(ConfigError) as caught:
        baselines("digits", ("mel-mean",), out=tmp_path / "digits")
    assert str(caught.value) == "--recipes mel-mean: is for recordings, and digits holds images; leave it out"
