"""Class folders, optionally under train/, validation/ and test/."""

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from unicodedata import normalize

import numpy as np
import pytest
from PIL import Image

from convscope.datasets import build_store
from convscope.datasets.dataset import Skipped
from convscope.datasets.split import split
from convscope.errors import DataError
from convscope.layouts.folders.class_folders import read_folder
from convscope.layouts.recognise import open_data

Save = Callable[..., Path]


def test_a_mixed_folder_loads_and_damaged_files_are_listed(mixed_folder: Path) -> None:
    dataset = read_folder(mixed_folder)
    assert dataset.classes == ("one", "two")
    assert dataset.names == (
        "one/cmyk.jpg",
        "one/deep.png",
        "one/grey.png",
        "one/grey_alpha.png",
        "one/palette.gif",
        "one/rgb.jpg",
        "one/rgba.png",
        "two/deeper/nested.webp",
        "two/one_pixel.png",
        "two/truncated.jpg",
        "two/turned.jpg",
        "two/wide.png",
    )
    assert dataset.skipped == (
        Skipped("two/empty.jpg", "the file is empty, 0 bytes; copy it again or delete it"),
        Skipped("two/text.png", "not an image in a supported format; convert it to PNG or JPEG, or delete it"),
    )
    assert dataset.modes == {
        "16-bit grey": 1,
        "CMYK": 1,
        "RGB": 5,
        "RGBA": 1,
        "grey": 2,
        "grey with transparency": 1,
        "palette": 1,
    }
    assert dataset.channels == 3
    assert dataset.sizes[dataset.names.index("two/turned.jpg")].tolist() == [20, 16]
    assert dataset.sizes[dataset.names.index("two/wide.png")].tolist() == [3, 20_000]
    assert dataset.targets.tolist() == [0] * 7 + [1] * 5
    assert set(dataset.splits.tolist()) == {""}
    assert dataset.notes == (
        "skipped files that are not images: 1 .txt",
        "1 image has more than 8 bits per grey: 0 to 65,535 becomes 0 to 255; "
        "set data.black and data.white for another range",
    )


def test_grey_files_only_make_a_grey_dataset(tmp_path: Path, save: Save) -> None:
    save(tmp_path / "a" / "1.png", mode="L")
    save(tmp_path / "b" / "1.png", mode="1")
    assert read_folder(tmp_path).channels == 1


@pytest.mark.parametrize(("largest", "white"), [(200, 255), (1000, 1023), (4000, 4095), (9000, 16383), (40_000, 65535)])
def test_the_used_bit_depth_of_16_bit_files_is_detected_and_noted(tmp_path: Path, largest: int, white: int) -> None:
    for label in "ab":
        (tmp_path / label).mkdir()
        Image.fromarray(np.array([[0, largest]], np.uint16)).save(tmp_path / label / "1.png")
    dataset = read_folder(tmp_path)
    assert (dataset.black, dataset.white) == ((0.0,), (float(white),))
    bits = white.bit_length()
    use = f", of which {bits} are in use" if bits < 16 else ""
    assert dataset.notes == (
        f"2 images have more than 8 bits per grey{use}: 0 to {white:,} becomes 0 to 255; "
        "set data.black and data.white for another range",
    )


@pytest.mark.parametrize(
    "words", [("train", "val", "test"), ("Train", "VALID", "Test"), ("training", "validation", "final")]
)
def test_folders_named_like_splits_are_the_split(tmp_path: Path, save: Save, words: tuple[str, ...]) -> None:
    for word in words:
        save(tmp_path / word / "a" / "1.png")
        save(tmp_path / word / "b" / "deep" / "2.png")
    dataset = read_folder(tmp_path)
    assert dataset.classes == ("a", "b")
    assert {
        name.split("/")[0]: role for name, role in zip(dataset.names, dataset.splits.tolist(), strict=True)
    } == dict(zip(words, ("train", "validation", "test"), strict=True))


def test_a_class_may_be_called_train(tmp_path: Path, save: Save) -> None:
    for name in ("bus", "car", "train"):
        save(tmp_path / name / "1.png")
    dataset = read_folder(tmp_path)
    assert dataset.classes == ("bus", "car", "train")
    assert set(dataset.splits.tolist()) == {""}


def test_images_outside_class_folders_are_listed(tmp_path: Path, save: Save) -> None:
    for name in ("a/1.png", "b/1.png", "loose.png"):
        save(tmp_path / name)
    assert read_folder(tmp_path).skipped == (Skipped("loose.png", "is not in a class folder"),)


def test_folders_next_to_the_split_folders_are_listed(tmp_path: Path, save: Save) -> None:
    for name in ("train/a/1.png", "train/b/1.png", "test/a/1.png", "test/2.png", "unlabelled/3.png"):
        save(tmp_path / name)
    assert read_folder(tmp_path).skipped == (
        Skipped("test/2.png", "is not in a class folder"),
        Skipped("unlabelled/3.png", "is outside the split folders test and train"),
    )


def test_whole_numbers_are_ordered_as_numbers(tmp_path: Path, save: Save) -> None:
    for name in ("10", "9", "1"):
        save(tmp_path / name / "1.png")
    assert read_folder(tmp_path).classes == ("1", "9", "10")


def test_odd_class_folders_are_noted(tmp_path: Path, save: Save) -> None:
    for name in ("Cat", "cat ", "dog"):
        save(tmp_path / name / "1.png")
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "1.png").touch()
    assert read_folder(tmp_path).notes == (
        "folder empty contains no images and is skipped",
        "class broken is skipped: none of its files can be read",
        "classes 'Cat' and 'cat ' differ only by case or spaces; they are treated as different classes",
    )


def test_links_to_folders_are_followed_but_not_in_cycles(tmp_path: Path, save: Save) -> None:
    save(tmp_path / "far" / "1.png")
    save(tmp_path / "data" / "b" / "1.png")
    (tmp_path / "data" / "a").symlink_to(tmp_path / "far")
    (tmp_path / "far" / "back").symlink_to(tmp_path / "data")
    dataset = read_folder(tmp_path / "data")
    assert dataset.names == ("a/1.png", "b/1.png")


def test_the_fingerprint_changes_with_names_labels_and_files(tmp_path: Path, save: Save) -> None:
    for name in ("a/1.png", "a/2.png", "b/1.png"):
        save(tmp_path / name)
    first = read_folder(tmp_path).fingerprint()
    assert read_folder(tmp_path).fingerprint() == first
    assert len(first) == 32
    visited = {first}
    (tmp_path / "a" / "2.png").rename(tmp_path / "b" / "2.png")
    visited.add(read_folder(tmp_path).fingerprint())
    save(tmp_path / "a" / "1.png", seed=5)
    visited.add(read_folder(tmp_path).fingerprint())
    visited.add(read_folder(tmp_path).subset(np.array([0, 1])).fingerprint())
    assert len(visited) == 4


def test_a_subset_keeps_all_classes(mixed_folder: Path) -> None:
    dataset = read_folder(mixed_folder)
    keep = dataset.targets == 1
    few = dataset.subset(keep)
    assert few.names == tuple(name for name in dataset.names if name.startswith("two/"))
    assert len(few) == len(few.images) == len(few.targets) == len(few.sizes) == len(few.splits) == 5
    assert few.classes == dataset.classes
    assert few.subset(np.array([1])).names == ("two/one_pixel.png",)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], "the folder is empty; put images in it, in one subfolder per class"),
        (["1.png", "2.png"], "2 images but no class folders; put them in one subfolder per class"),
        (
            ["1.png", "labels.csv"],
            "1 images but no class folders; give the table instead: labels.csv",
        ),
        (["a/1.txt"], "no images, only other files (1 .txt); put them in one subfolder per class"),
        (["a/1.png", "a/2.png"], "one class only, a; add images of at least one other"),
        (
            ["train/1.png", "test/2.png", "boxes.csv"],
            "the images in test and train are not in class folders; give the table instead: boxes.csv",
        ),
        (
            ["val/a/1.png", "val/b/1.png", "test/a/1.png"],
            "no image is in train, all are in validation and test; add a train split",
        ),
        (
            ["train/a/1.png", "train/b/1.png", "test/a/1.png", "test/zebra/1.png"],
            "test has a class that is not in train, zebra, which cannot be learned; "
            "add such images to train or remove them from test",
        ),
        (
            ["train/a/1.png", "train/b/1.png", "valid/c/1.png", "valid/d/1.png"],
            "validation has 2 classes that are not in train, c, d, which cannot be learned; "
            "add such images to train or remove them from validation",
        ),
    ],
)
def test_a_folder_that_cannot_be_used_is_named_with_the_remedy(
    tmp_path: Path, save: Save, files: list[str], message: str
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in files:
        if name.endswith(".png"):
            save(folder / name)
        else:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text("text")
    with pytest.raises(DataError) as raised:
        read_folder(folder)
    assert str(raised.value) == f"{folder}: {message}"


def test_a_folder_of_damaged_files_is_an_error(tmp_path: Path) -> None:
    for label in "ab":
        (tmp_path / label).mkdir()
        (tmp_path / label / "1.png").touch()
    with pytest.raises(DataError) as raised:
        read_folder(tmp_path)
    assert str(raised.value) == f"{tmp_path}: none of its 2 image files can be read; copy them again"


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError) as raised:
        read_folder(tmp_path / "nowhere")
    assert str(raised.value) == f"{tmp_path / 'nowhere'}: no such folder; check the path"


def linked(home):
    """Six images in all/, of which red has links to 0, 1, 2 and round to 2, 3; and loose.png without a label."""
    kept = save_all(home / "all")
    for label, numbers in (("red", (0, 1, 2)), ("round", (2, 3))):
        (home / label).mkdir()
        for number in numbers:
            (home / label / f"link {number}.png").symlink_to(kept[number])
    return home


def save_all(folder):
    folder.mkdir(parents=True)
    files = [folder / f"{number}.png" for number in range(6)]
    for number, file in enumerate(files):
        Image.new("RGB", (8, 8), (40 * number, 0, 0)).save(file)
    return files


def test_links_to_one_image_from_several_folders_are_its_labels(tmp_path):
    found = open_data(linked(tmp_path / "links"))
    assert (found.target_kind, found.classes) == ("labels", ("red", "round"))
    assert found.names == tuple(f"all/{number}.png" for number in range(6))
    assert found.targets.tolist() == [[1, 0], [1, 0], [1, 1], [0, 1], [0, 0], [0, 0]]
    assert "folder all contains every image and is not a label" in found.notes
    assert not any("no class" in note for note in found.notes)


def test_hard_links_are_labels_too_and_images_outside_folders_have_none(tmp_path):
    files = save_all(tmp_path / "photos")
    for label, numbers in (("red", (0, 1)), ("round", (1, 3))):
        (tmp_path / "photos" / label).mkdir()
        for number in numbers:
            (tmp_path / "photos" / label / f"{number}.png").hardlink_to(files[number])
    found = open_data(tmp_path / "photos")
    assert found.classes == ("red", "round")
    assert found.targets.sum(1).tolist() == [1, 2, 0, 1, 0, 0]


def test_folders_are_labels_if_labels_are_requested(tmp_path):
    for label in ("red", "round"):
        save_all(tmp_path / label)
    assert open_data(tmp_path).target_kind == "classes"
    found = open_data(tmp_path, target_kind="labels")
    assert (found.target_kind, found.targets.sum(1).tolist()) == ("labels", [1] * 12)


def test_one_file_in_two_class_folders_is_skipped_and_named(tmp_path):
    """As in a store of contents with links, where one image was put into two classes."""
    for label in ("finch", "tit"):
        (tmp_path / label).mkdir()
        for number in range(6):
            colour = (number, 40, 0 if label == "finch" else 90)
            Image.new("RGB", (8, 8), colour).save(tmp_path / label / f"{label}{number}.png")
    (tmp_path / "tit" / "stray.png").symlink_to(tmp_path / "finch" / "finch4.png")
    found = open_data(tmp_path)
    assert (found.target_kind, found.classes, len(found)) == ("classes", ("finch", "tit"), 11)
    assert found.skipped == (
        Skipped("finch/finch4.png", "is in finch and in tit"), Skipped("tit/stray.png", "is in finch and in tit"),
    )  # fmt: skip
    assert found.notes == (
        "1 file is in several class folders and skipped, such as finch/finch4.png and tit/stray.png; "
        "leave each in one, or set --task multilabel to read the folders as labels",
    )
    labels = open_data(tmp_path, target_kind="labels")
    assert (len(labels), labels.targets.sum()) == (12, 13)


def test_a_file_in_another_class_of_another_split_is_a_conflict_too(tmp_path, save):
    for i, name in enumerate(("train/a/1.png", "train/a/2.png", "train/b/3.png", "train/b/4.png", "test/a/5.png")):
        save(tmp_path / name, i)
    (tmp_path / "test" / "b").mkdir()
    (tmp_path / "test" / "b" / "x.png").hardlink_to(tmp_path / "train" / "a" / "2.png")
    assert [one.name for one in open_data(tmp_path).skipped] == ["test/b/x.png", "train/a/2.png"]


def test_one_class_because_the_files_of_the_other_are_broken_says_so(tmp_path, save):
    save(tmp_path / "cat" / "1.png")
    (tmp_path / "dog").mkdir()
    for name in ("1.png", "2.png"):
        (tmp_path / "dog" / name).touch()
    with pytest.raises(DataError) as raised:
        read_folder(tmp_path)
    assert str(raised.value) == (
        f"{tmp_path}: one class only, cat; all 2 files of dog are skipped, such as dog/1.png: "
        "the file is empty, 0 bytes; copy it again or delete it"
    )


def test_one_class_beside_loose_images_names_these(tmp_path, save):
    for name in ("cat/1.png", "2.png"):
        save(tmp_path / name)
    with pytest.raises(DataError) as raised:
        read_folder(tmp_path)
    assert str(raised.value) == (
        f"{tmp_path}: one class only, cat; one file is skipped, such as 2.png: is not in a class folder; "
        "add images of at least one other class"
    )


def test_named_pipes_and_sockets_are_skipped_and_never_opened(tmp_path, save, monkeypatch):
    for name in ("a/1.png", "b/2.png"):
        save(tmp_path / name)
    os.mkfifo(tmp_path / "a" / "pipe.png")
    (tmp_path / "b" / "link.png").symlink_to(tmp_path / "a" / "pipe.png")
    (tmp_path / "b" / "null.png").symlink_to("/dev/null")
    with socket.socket(socket.AF_UNIX) as unix:
        monkeypatch.chdir(tmp_path / "a")  # the path of a socket must be short
        unix.bind("s.png")
        dataset = read_folder(tmp_path)
    assert dataset.names == ("a/1.png", "b/2.png")
    assert dataset.skipped == (
        Skipped("a/pipe.png", "is a named pipe, not a file"),
        Skipped("a/s.png", "is a socket, not a file"),
        Skipped("b/link.png", "is a named pipe, not a file"),
        Skipped("b/null.png", "is a device, not a file"),
    )


def test_a_folder_that_cannot_be_opened_is_listed(tmp_path, save, monkeypatch):
    for name in ("a/1.png", "b/2.png", "c/3.png"):
        save(tmp_path / name)
    scan = os.scandir

    def refuse(path):
        if Path(path).name == "c":
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert read_folder(tmp_path).skipped == (Skipped("c", "the folder cannot be opened: Permission denied"),)


def test_a_class_composed_in_train_and_decomposed_in_test_is_one(tmp_path, save):
    for folder, form in (("train", "NFC"), ("test", "NFD")):
        for name in ("K\u00e4fer", "Ameise"):
            save(tmp_path / folder / normalize(form, name) / "1.png")
    dataset = read_folder(tmp_path)
    assert dataset.classes == ("Ameise", "K\u00e4fer")
    assert dataset.targets.tolist() == [0, 1, 0, 1]


def test_names_that_are_not_utf_8_can_be_read_and_printed(tmp_path, save):
    """As archives from systems with other encodings are unpacked."""
    home = os.fsencode(tmp_path)
    for label in (b"caf\xe9", b"th\xe9"):
        Path(os.fsdecode(home + b"/" + label)).mkdir()
        save(tmp_path / "1.png").rename(os.fsdecode(home + b"/" + label + b"/\xff 1.png"))
        Path(os.fsdecode(home + b"/" + label + b"/\xff 2.png")).touch()
    dataset = read_folder(tmp_path)
    assert dataset.classes == ("caf\\xe9", "th\\xe9")
    assert dataset.names == ("caf\\xe9/\\xff 1.png", "th\\xe9/\\xff 1.png")
    assert [one.name for one in dataset.skipped] == ["caf\\xe9/\\xff 2.png", "th\\xe9/\\xff 2.png"]
    assert all(path.is_file() for path in dataset.images)
    assert len(dataset.fingerprint()) == 32
    assert len(split(dataset).split) == 2
    build_store(dataset, (8, 8))
    json.dumps([dataset.names, dataset.classes, dataset.notes], ensure_ascii=False).encode()
