"""Files are found by the longest tail of the path that a table gives, and never in another folder."""

from collections.abc import Callable
from pathlib import Path
from unicodedata import normalize

import pytest

from convscope.layouts.path_lookup import PathLookup

Save = Callable[..., Path]


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


@pytest.mark.parametrize(
    "listed",
    [
        "train/p1/view.jpg",
        "./train/p1/view.jpg",
        "train\\p1\\view.jpg",
        ".\\train\\p1\\view.jpg",
        "Set-v1/train/p1/view.jpg",
        "/home/someone/data/Set-v1/train/p1/view.jpg",
        "C:\\Users\\Some One\\Set-v1\\train\\p1\\view.jpg",
        "https://host.org/bucket/train/p1/view.jpg?size=3#x",
        "gs://bucket/train/p1/view.jpg",
        "file:///data/train/p1/view.jpg",
        "train/p1/view",
    ],
)
def test_a_path_of_any_form_is_found_by_its_longest_tail(tmp_path: Path, listed: str) -> None:
    touch(tmp_path, "train/p1/view.jpg", "train/p2/view.jpg", "other/p1/view.jpg")
    paths = [listed, listed.replace("p1", "p2")]
    lookup = PathLookup(tmp_path, paths)
    assert lookup.find(paths[0], "") == tmp_path / "train" / "p1" / "view.jpg"
    assert lookup.find(paths[1], "") == tmp_path / "train" / "p2" / "view.jpg"


def test_the_tail_may_lie_in_a_folder_that_the_table_does_not_name(tmp_path: Path) -> None:
    touch(tmp_path, "archive/cat/1.png", "archive/dog/1.png")
    lookup = PathLookup(tmp_path, ["Set/cat/1.png", "Set/dog/1.png"])
    assert lookup.find("cat/1.png", "") == tmp_path / "archive/cat/1.png"
    assert lookup.find("Set/dog/1.png", "") == tmp_path / "archive/dog/1.png"
    assert lookup.notes() == ["paths are found by their last parts: 1, such as Set/dog/1.png at archive/dog/1.png"]


def test_a_missing_file_is_not_replaced_by_one_of_the_same_name(tmp_path: Path) -> None:
    touch(tmp_path, "p1/a.png", "rejected/b.png", "c.png", "masks/d.png")
    lookup = PathLookup(tmp_path, ["p1/a.png", "p2/b.png", "p2/c.png"])
    assert lookup.find("p1/a.png", "") == tmp_path / "p1/a.png"
    assert lookup.find("p2/b.png", "") == "no such file in p2; rejected/b.png has the same name"
    assert lookup.find("p2/c.png", "") == "no such file in p2; c.png has the same name"
    assert lookup.find("p2/e.png", "") == "no such file"
    shared = PathLookup(tmp_path, ["images/d.png"])
    assert shared.find("images/d.png", "") == "no such file in images; masks/d.png has the same name"
    assert lookup.notes() == []


def test_a_bare_name_is_found_in_subfolders_which_is_noted(tmp_path: Path) -> None:
    touch(tmp_path, "part_1/a.jpg", "part_2/b.jpg", "images/c.jpg")
    lookup = PathLookup(tmp_path)
    assert [lookup.find(name, "") for name in ("a", "b.jpg", "c.jpg")] == [
        *(tmp_path / "part_1/a.jpg", tmp_path / "part_2/b.jpg", tmp_path / "images/c.jpg")
    ]
    assert lookup.notes() == ["file names without a folder are found in subfolders: 2, such as a at part_1/a.jpg"]


def test_a_file_is_found_by_its_name_before_an_upload_which_is_noted(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "0a1b2c3d-b.jpg", "b.jpg", "x/c.jpg", "y/c.jpg")
    lookup = PathLookup(tmp_path)
    listed = ("/data/upload/1/0a1b2c3d-a.jpg", "/data/upload/1/0a1b2c3d-b.jpg", "0a1b2c3d-c.jpg", "0a1b2c3-a.jpg")
    lookup = lookup.for_paths(listed[:2])
    assert [lookup.find(name, "") for name in listed] == [
        *(tmp_path / "a.jpg", tmp_path / "0a1b2c3d-b.jpg", "no such file", "no such file")
    ]
    assert lookup.notes()[-1] == (
        "files are found by their names before an upload: 1, such as /data/upload/1/0a1b2c3d-a.jpg at a.jpg"
    )


def test_ambiguous_names_are_named_and_the_split_decides(tmp_path: Path) -> None:
    touch(tmp_path, "train/a.png", "validation/a.png", "b/x.png", "c/x.png", "d/x.png", "e/x.png")
    lookup = PathLookup(tmp_path)
    assert lookup.find("a.png", "") == "2 files have the name: train/a.png, validation/a.png"
    assert lookup.find("a.png", "val") == tmp_path / "validation/a.png"
    assert lookup.find("x", "") == "4 files have the name: b/x.png, c/x.png, d/x.png, ..."


@pytest.mark.parametrize(
    ("listed", "why"),
    [
        ("12", "no such file; 00012.png exists"),
        ("12.png", "no such file; 00012.png exists"),
        ("12.0", "no such file; 00012.png exists"),
        ("A.png", "no such file; a.png exists"),
        ("a.jpg", "no such file; a.png exists"),
        ("zzz", "no such file"),
        ("", "no file name"),
        ("a\0.png", "no such file"),
        ("x" * 5_000, "no such file"),
        ("../" * 40 + "nowhere.png", "no such file"),
        ("/", "no such file"),
        ("http://", "no such file"),
    ],
)
def test_a_missing_file_has_a_hint_where_a_similar_one_exists(tmp_path: Path, listed: str, why: str) -> None:
    assert PathLookup(touch(tmp_path, "00012.png", "a.png")).find(listed, "") == why


@pytest.mark.parametrize(("on_disk", "listed"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_names_are_compared_in_nfc(tmp_path: Path, on_disk: str, listed: str) -> None:
    name = "Käfer/größe 1.png"
    touch(tmp_path, normalize(on_disk, name))
    assert PathLookup(tmp_path).find(normalize(listed, name), "") == tmp_path / normalize(on_disk, name)
    assert PathLookup(tmp_path).find(normalize(listed, "größe 1"), "") == tmp_path / normalize(on_disk, name)


def test_images_beside_the_folder_of_the_table_are_found(tmp_path: Path) -> None:
    touch(tmp_path, "images/a.png", "annotations/list.csv", "b/c.png")
    lookup = PathLookup(tmp_path / "annotations")
    assert lookup.find("a.png", "") == tmp_path / "images/a.png"
    assert lookup.find("b/c.png", "") == tmp_path / "b/c.png"
    assert lookup.find("../images/a.png", "") == tmp_path / "images/a.png"
