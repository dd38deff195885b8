"""Recordings with their class in the name, in class folders and in tables."""

from pathlib import Path

import pytest
from PIL import Image

from convscope.datasets.builder import DatasetBuilder, ListedFile
from convscope.errors import DataError
from convscope.layouts import open_data
from convscope.layouts.folders.name_parts import name_parts
from helpers.recordings import spoken, tone, write_recording

pytest.importorskip("soundfile", reason="the extra sound is not installed")


def test_class_and_speaker_are_in_the_names(tmp_path: Path) -> None:
    data = open_data(spoken(tmp_path))
    assert (data.layout, data.classes, len(data), data.groups) == ("name-parts", ("0", "1"), 20, None)
    assert [data.classes[target] for target in data.targets] == [name[0] for name in data.names]
    assert data.because == "the names of its files are a class and a number, such as 0_ann_0.wav"
    assert data.notes == (
        "classes are read from the names of the files: 0_ann_0.wav is 0",
        "the names also say who or what was recorded (2 values, such as ann), and splits mix them; --group '_(.+)_' "
        "keeps each in one split",
    )


def test_names_of_a_class_and_a_number_have_no_speaker(tmp_path: Path) -> None:
    for number in range(6):
        write_recording(tmp_path / f"{('cat', 'dog')[number % 2]}-{number}.wav", tone(440))
    data = open_data(tmp_path)
    assert (data.layout, data.classes) == ("name-parts", ("cat", "dog"))
    assert data.notes == ("classes are read from the names of the files: cat-0.wav is cat",)


def test_names_of_other_forms_are_not_recognised(tmp_path: Path) -> None:
    names = ["a_b_c_1.wav", "a_b_c_2.wav", "song.wav"]
    assert name_parts([tmp_path / name for name in names]) is None
    for name in names:
        write_recording(tmp_path / name, tone(440))
    with pytest.raises(DataError) as caught:
        open_data(tmp_path)
    assert str(caught.value) == (f"{tmp_path}: 3 recordings but no class folders; put them in one subfolder per class")


def test_images_are_read_so_only_if_requested(tmp_path: Path) -> None:
    for number in range(8):
        Image.new("L", (8, 8), 20 * number).save(tmp_path / f"{number % 2}_{'xy'[number // 4]}_{number}.png")
    with pytest.raises(DataError):
        open_data(tmp_path)
    data = open_data(tmp_path, layout="name-parts")
    assert (data.input_kind, data.classes, len(data)) == ("image", ("0", "1"), 8)


def test_a_name_without_a_class_is_skipped(tmp_path: Path) -> None:
    spoken(tmp_path, 40)
    write_recording(tmp_path / "intro.wav", tone(440))
    data = open_data(tmp_path)
    assert [(one.name, one.why) for one in data.skipped] == [
        ("intro.wav", "has no class in its name, as 0_ann_0.wav has")
    ]


def test_class_folders_hold_recordings(tmp_path: Path) -> None:
    for split in ("train", "test"):
        for number in range(4):
            write_recording(tmp_path / split / ("low", "high")[number % 2] / f"{number}.wav", tone(440, seed=number))
    (tmp_path / "train" / "low" / "bad.wav").write_bytes(b"RIFF")
    Image.new("L", (8, 8)).save(tmp_path / "train" / "low" / "cover.png")
    data = open_data(tmp_path)
    assert (data.layout, data.input_kind, data.classes, len(data)) == ("folder", "sound", ("high", "low"), 8)
    assert sorted(set(data.splits.tolist())) == ["test", "train"]
    assert [(one.name, one.why) for one in data.skipped] == [
        (
            "train/low/bad.wav",
            "not a recording in a supported format, or damaged; convert it to WAV, or delete it",
        ),
        (
            "train/low/cover.png",
            "is no recording, as most files are; put files of each kind in a dataset of their own",
        ),
    ]


def test_tables_list_recordings_with_speakers_as_groups(tmp_path: Path) -> None:
    rows = []
    for number in range(6):
        write_recording(tmp_path / "clips" / f"{number}.wav", tone(440, seed=number))
        rows.append(f"clips/{number}.wav,{'ab'[number % 2]},s{number // 2}")
    (tmp_path / "clips.csv").write_text("file,label,speaker\n" + "\n".join(rows))
    data = open_data(tmp_path / "clips.csv")
    assert (data.layout, data.input_kind, data.classes) == ("table", "sound", ("a", "b"))
    assert data.notes[0] == "columns used: file for image, label for label"


def test_targets_with_positions_are_refused(tmp_path: Path) -> None:
    file = write_recording(tmp_path / "a.wav", tone(440))
    builder = DatasetBuilder(str(tmp_path), "table", target_kind="boxes", files=[ListedFile(file, "a.wav", "cat")])
    with pytest.raises(DataError) as caught:
        builder.build()
    assert str(caught.value) == f"{tmp_path}: boxes are for images, and it holds recordings"


def test_files_that_all_fail_are_one_line(tmp_path: Path) -> None:
    for name in ("a/1.wav", "b/2.wav"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(DataError) as caught:
        open_data(tmp_path)
    assert str(caught.value) == f"{tmp_path}: none of its 2 recording files can be read; copy them again"
