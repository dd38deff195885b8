"""Images from folders, patterns, archives and lists of names, in one order."""

import tarfile
import zipfile
from pathlib import Path

import pytest

from convscope.bundle import FileContent, count_sources, find_sources, load_bundle, names_of, predict
from convscope.errors import DataError
from helpers.bundles import drawn, saved


@pytest.fixture
def folder(tmp_path):
    """Files in a folder and a folder in it, and hidden ones."""
    for name in ("b.png", "a/2.png", "a/1.png", "a.png", ".hidden.png", ".git/x.png"):
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / name).write_bytes(name.encode())
    return tmp_path / "photos"


def test_a_folder_is_read_in_the_order_of_its_sorted_paths_without_hidden_files(folder):
    found = list(find_sources([folder]))
    assert found == [folder / name for name in ("a/1.png", "a/2.png", "a.png", "b.png")]
    assert count_sources([folder]) == 4
    assert found == sorted(found)


def test_patterns_match_also_in_folders(folder):
    assert list(find_sources([f"{folder}/**/*.png"])) == [folder / n for n in ("a/1.png", "a/2.png", "a.png", "b.png")]
    assert list(find_sources([f"{folder}/?.png", folder / "a/2.png"])) == [
        folder / name for name in ("a.png", "b.png", "a/2.png")
    ]
    (folder / "x[1].png").touch()
    assert list(find_sources([folder / "x[1].png"])) == [folder / "x[1].png"], "a file of that name is no pattern"


def test_the_files_of_an_archive_are_predicted_as_those_of_a_folder(tmp_path):
    saved(tmp_path / "model")
    files = [drawn(tmp_path / "in" / f"{n}.png", seed=n) for n in range(2)]
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for file in files:
            archive.write(file, f"in/{file.name}")
        archive.writestr("__MACOSX/in/._0.png", "x")
    with tarfile.open(tmp_path / "a.tgz", "w:gz") as packed:
        for file in files:
            packed.add(file, f"in/{file.name}")
    model, config = load_bundle(tmp_path / "model")
    expected = [one.probabilities for one in predict(model, config, files)]
    for name in ("a.zip", "a.tgz"):
        found = list(predict(model, config, find_sources([tmp_path / name])))
        assert [one.file for one in found] == [f"{tmp_path}/{name}/in/{n}.png" for n in range(2)]
        assert [one.probabilities for one in found] == expected
    assert count_sources([tmp_path / "a.zip"]) is None
    assert str(FileContent("a.zip/x.png", b"")) == "a.zip/x.png"


def test_names_arrive_line_by_line():
    assert list(names_of(["a.png\n", "\n", "b c.png\r\n", "d.png"])) == [Path("a.png"), Path("b c.png"), Path("d.png")]


def test_what_is_not_there_is_refused_before_anything_is_read(folder, tmp_path):
    for path, message in (
        (folder / "gone.png", "no such file or folder; check the path"),
        (f"{folder}/*.jpg", "no file matches; check the pattern"),
    ):
        with pytest.raises(DataError) as caught:
            find_sources([folder, path])
        assert str(caught.value) == f"{path}: {message}"
    (tmp_path / "cut.zip").write_bytes(b"PK\3\4")
    with pytest.raises(DataError) as caught:
        list(find_sources([tmp_path / "cut.zip"]))
    assert str(caught.value) == f"{tmp_path / 'cut.zip'}: damaged or cut short; download or copy it again"
