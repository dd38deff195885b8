"""YOLO: YAML, lists, darknet's files, polygons, and label files that cannot be used."""

from pathlib import Path

import numpy as np
import pytest

from convscope.datasets import Dataset, Skipped
from convscope.errors import DataError
from convscope.layouts import open_data
from helpers.box_files import photo

LINE = "{} 0.3 0.5 0.4 0.5"
CORNERS = [2, 4, 10, 12]  # of LINE in an image of 20 x 16


def labelled(folder: Path, image: str, label: str, *lines: str) -> None:
    photo(folder / image)
    (folder / label).parent.mkdir(parents=True, exist_ok=True)
    (folder / label).write_text("".join(f"{line}\n" for line in lines))


def pair(folder: Path) -> Path:
    """Images a and b of classes 0 and 1."""
    for i, name in enumerate("ab"):
        labelled(folder, f"images/{name}.jpg", f"labels/{name}.txt", LINE.format(i))
    return folder


def classes_of(found: Dataset) -> dict[str, str]:
    return {name: found.classes[int(k)] for name, k in zip(found.names, found.targets[:, 0], strict=True)}


def splits_of(found: Dataset) -> dict[str, str]:
    return dict(zip(found.names, found.splits.tolist(), strict=True))


@pytest.mark.parametrize(
    "text",
    [
        "names: [helmet, no]\n",
        "names: ['helmet', \"no\"] # classes\nnc: 2\n",
        "names:\n- helmet\n- no\nnc: 2\n",
        "names:\n  - helmet\n  - no\n",
        "names:\n  0: helmet\n  1: no\n",
        "names: {0: helmet, 1: no}\n",
        '{"names": {"0": "helmet", "1": "no"}}',
        "names: classes.list\n",
        "names: [\n  helmet,\n  no\n  ]\n",
    ],
)
def test_names_are_read_in_every_form_of_yaml(tmp_path: Path, text: str) -> None:
    (pair(tmp_path) / "data.yaml").write_text(text)
    (tmp_path / "classes.list").write_text("helmet\nno\n")
    found = open_data(tmp_path)
    assert classes_of(found) == {"images/a.jpg": "helmet", "images/b.jpg": "no"}
    np.testing.assert_allclose(found.targets[:, 1:], [CORNERS, CORNERS], atol=1e-5)
    assert found.notes == ()


@pytest.mark.parametrize("name", ["classes.txt", "labels/classes.txt", "obj.names"])
def test_names_are_read_from_a_list(tmp_path: Path, name: str) -> None:
    (pair(tmp_path) / name).write_bytes("\ufeffnut\r\nbolt\r\n".encode())
    assert classes_of(open_data(tmp_path)) == {"images/a.jpg": "nut", "images/b.jpg": "bolt"}


def test_contradictory_names_are_noted_and_missing_ones_too(tmp_path: Path) -> None:
    pair(tmp_path)
    assert open_data(tmp_path).notes == (
        "there are no class names, so classes are called by their numbers; add data.yaml with names",
    )
    (tmp_path / "data.yaml").write_text("nc: 3\nnames: [nut, bolt]\n")
    (tmp_path / "labels" / "classes.txt").write_text("bolt\nnut\n")
    found = open_data(tmp_path)
    assert classes_of(found) == {"images/a.jpg": "nut", "images/b.jpg": "bolt"}
    assert found.notes == (
        "data.yaml has nc 3 and 2 names; the names are used",
        "data.yaml and labels/classes.txt give different class names; data.yaml is used",
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("names: [a, &x b, *x]\n", "has aliases, which could be an attack; write the values out"),
        ("names: " + "[" * 20_000 + "]" * 20_000, "not a list of classes: it is nested too deeply; write it again"),
        ("names: [a, b\n", "not YAML (expected ',' or ']', but got '<stream end>' in line 2); correct it"),
        ("names: {a: b}\n", "names is not a list of class names; write names: [cat, dog]"),
        ("names: [[a], b]\n", "names is not a list of class names; write names: [cat, dog]"),
        (
            "names: [a]\n" + "#" * 130_000,
            "has 130,011 bytes, more than a list of classes can have; remove other content",
        ),
    ],
)
def test_yaml_that_cannot_be_used_is_rejected(tmp_path: Path, text: str, why: str) -> None:
    (pair(tmp_path) / "data.yaml").write_text(text)
    with pytest.raises(DataError) as caught:
        open_data(tmp_path)
    assert str(caught.value) == f"{tmp_path / 'data.yaml'}: {why}"


@pytest.mark.parametrize("prefix", ["../", "", "./", "/content/drive/parts/", "C:\\parts\\"])
def test_folders_of_the_yaml_are_the_splits(tmp_path: Path, prefix: str) -> None:
    for part in ("train", "valid", "extra"):
        labelled(tmp_path, f"{part}/images/{part}.jpg", f"{part}/labels/{part}.txt", LINE.format(0))
    text = f"train: {prefix}train/images\nval: {prefix}valid/images\ntest: {prefix}test/images\nnames: [nut]\n"
    (tmp_path / "data.yaml").write_text(text)
    found = open_data(tmp_path)
    assert splits_of(found) == {"train/images/train.jpg": "train", "valid/images/valid.jpg": "validation"}
    assert found.skipped == (Skipped("extra/images/extra.jpg", "is in no split of data.yaml"),)
    assert found.notes == (f"data.yaml names {prefix}test/images for test, which is not in the folder",)


def test_lists_of_folders_and_the_path_of_the_yaml_are_resolved(tmp_path: Path) -> None:
    for part in ("one", "two", "three"):
        labelled(tmp_path, f"set/images/{part}/1.jpg", f"set/labels/{part}/1.txt", LINE.format(0))
    text = "path: set\ntrain:\n  - images/one\n  - images/two\nval: images/three\nnames: [nut]\n"
    (tmp_path / "data.yaml").write_text(text)
    expected = {f"set/images/{part}/1.jpg": "train" for part in ("one", "two")}
    assert splits_of(open_data(tmp_path)) == {**expected, "set/images/three/1.jpg": "validation"}
    from_file = splits_of(open_data(tmp_path / "data.yaml"))
    assert from_file == {name.removeprefix("set/"): split for name, split in splits_of(open_data(tmp_path)).items()}


@pytest.mark.parametrize("line", ["./images/{}.jpg", "images/{}.jpg", "/home/me/parts/images/{}.jpg"])
@pytest.mark.parametrize("with_yaml", [True, False])
def test_lists_of_images_are_the_splits(tmp_path: Path, line: str, with_yaml: bool) -> None:
    pair(tmp_path)
    (tmp_path / "train.txt").write_text(line.format("a") + "\n" + line.format("x") + "\n")
    (tmp_path / "val.txt").write_text(line.format("b"))
    text = "train: train.txt\nval: val.txt\nnames: [nut, nut]\n" if with_yaml else "names: [nut, nut]\n"
    (tmp_path / "data.yaml").write_text(text)
    found = open_data(tmp_path)
    assert splits_of(found) == {"images/a.jpg": "train", "images/b.jpg": "validation"}
    assert found.notes == (f"1 line of train.txt names no image; the first, {line.format('x')}",)


def test_equal_lists_for_training_and_validation_are_no_split(tmp_path: Path) -> None:
    (pair(tmp_path) / "data.yaml").write_text("train: images\nval: images\nnames: [nut, bolt]\n")
    found = open_data(tmp_path)
    assert splits_of(found) == {"images/a.jpg": "", "images/b.jpg": ""}
    assert found.notes == ("data.yaml gives the same images for train and validation, so they are no validation split",)


def test_an_image_in_two_lists_is_skipped(tmp_path: Path) -> None:
    pair(tmp_path)
    (tmp_path / "train.txt").write_text("images/a.jpg\nimages/b.jpg\n")
    (tmp_path / "val.txt").write_text("images/b.jpg\n")
    assert open_data(tmp_path).skipped == (Skipped("images/b.jpg", "is listed in train and in validation"),)


def test_darknets_files_are_read(tmp_path: Path) -> None:
    for i, name in enumerate("ab"):
        labelled(tmp_path, f"obj_train_data/{name}.jpg", f"obj_train_data/{name}.txt", LINE.format(i))
    (tmp_path / "obj.data").write_text(
        "classes = 2\ntrain = data/train.txt\nnames = data/obj.names\nbackup = backup/\n"
    )
    (tmp_path / "obj.names").write_text("nut\nbolt\n")
    (tmp_path / "train.txt").write_text("data/obj_train_data/a.jpg\ndata/obj_train_data/b.jpg\n")
    found = open_data(tmp_path)
    assert classes_of(found) == {"obj_train_data/a.jpg": "nut", "obj_train_data/b.jpg": "bolt"}
    assert splits_of(found) == {"obj_train_data/a.jpg": "", "obj_train_data/b.jpg": ""}


@pytest.mark.parametrize(
    ("image", "label"),
    [
        ("images/train/a.jpg", "labels/train/a.txt"),
        ("train/images/a.jpg", "train/labels/a.txt"),
        ("train/images/a.jpg", "labels/train/a.txt"),
        ("Images/train/a.jpg", "Labels/train/a.txt"),
        ("JPEGImages/train/a.jpg", "labels/train/a.txt"),
        ("train/a.jpg", "labels/train/a.txt"),
        ("train/a.jpg", "train/a.txt"),
        ("images/x/images/train/a.jpg", "images/x/labels/train/a.txt"),
    ],
)
def test_label_files_are_found(tmp_path: Path, image: str, label: str) -> None:
    labelled(tmp_path, image, label, LINE.format(0))
    found = open_data(tmp_path)
    assert splits_of(found) == {image: "train"}
    np.testing.assert_allclose(found.targets, [[0, *CORNERS]], atol=1e-5)


def test_a_label_file_of_two_images_is_used_for_neither(tmp_path: Path) -> None:
    photo(pair(tmp_path) / "images" / "a.png", 7)
    (tmp_path / "labels" / "lost.txt").write_text(LINE.format(0))
    found = open_data(tmp_path)
    why = "images/a.jpg and images/a.png have the same label file, labels/a.txt"
    assert found.skipped == (Skipped("images/a.jpg", why), Skipped("images/a.png", why))
    assert "1 label file has no image; the first, labels/lost.txt" in found.notes


def test_polygons_rotated_boxes_and_confidences_are_noted(tmp_path: Path) -> None:
    pair(tmp_path)
    (tmp_path / "data.yaml").write_text("names: [nut, bolt]\n")
    (tmp_path / "labels" / "a.txt").write_text("0 0.1 0.25 0.5 0.25 0.5 0.75 0.3 0.5 0.2 0.5\n")
    (tmp_path / "labels" / "b.txt").write_text("1 0.1 0.5 0.3 0.25 0.5 0.5 0.3 0.75\n")
    labelled(tmp_path, "images/c.jpg", "labels/c.txt", LINE.format(1) + " 0.87")
    found = open_data(tmp_path)
    np.testing.assert_allclose(found.targets[:, 1:], [CORNERS] * 3, atol=1e-5)
    assert found.notes == (
        "2 objects are polygons or rotated boxes; the first, in images/a.jpg; the box around each is used",
        "1 line has a sixth number; the first, in images/c.jpg; it is taken for a confidence and ignored",
    )


def test_keypoints_after_the_box_are_ignored(tmp_path: Path) -> None:
    pair(tmp_path)
    (tmp_path / "data.yaml").write_text("names: [nut, nut]\nkpt_shape: [3, 2]\n")
    (tmp_path / "labels" / "a.txt").write_text(LINE.format(0) + " 0 0 0.9 0.9 1 1\n")
    np.testing.assert_allclose(open_data(tmp_path).targets[0], [0, *CORNERS], atol=1e-5)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("zero 1 2", "is 'zero 1 2', not class x y width height"),
        ("7 0.5 0.5 0.5 0.5", "has class 7, and there are 2"),
        ("1 10 8 6 4", "is in pixels; boxes should be shares of the image size, 0 to 1"),
        ("1 0.5 0.5 0.5", "is '1 0.5 0.5 0.5', not class x y width height"),
        ("1 0.5 0.5 nan 0.5", "is '1 0.5 0.5 nan 0.5', not class x y width height"),
        ("1 1e400 0.5 0.5 0.5", "is in pixels; boxes should be shares of the image size, 0 to 1"),
        ("1 .1 .1 .1 .1 .1 .1 .1", "has 7 numbers after the class, neither a box nor a polygon"),
        ("9" * 5_000 + " .1 .1 .1 .1", f"is '{'9' * 40}', not class x y width height"),
        ("-1 .1 .1 .1 .1", "is '-1 .1 .1 .1 .1', not class x y width height"),
    ],
)
def test_a_line_that_cannot_be_used_is_skipped_with_the_reason(tmp_path: Path, line: str, why: str) -> None:
    (pair(tmp_path) / "data.yaml").write_text("names: [nut, bolt]\n")
    for name in "cd":
        labelled(tmp_path, f"images/{name}.jpg", f"labels/{name}.txt", LINE.format(0))
    (tmp_path / "labels" / "a.txt").write_text(line + "\n")
    (tmp_path / "labels" / "b.txt").write_text(line + "\n" + LINE.format(1) + "\n")
    found = open_data(tmp_path)
    assert found.skipped == (Skipped("images/a.jpg", f"line 1 of a.txt {why}"),)
    assert found.notes[0] == f"1 object is skipped; the first, in images/b.jpg: line 1 of b.txt {why}"


def test_labels_in_pixels_are_refused_with_the_reason(tmp_path: Path) -> None:
    pair(tmp_path)
    for name in "ab":
        (tmp_path / "labels" / f"{name}.txt").write_text("0 10 8 6 4\n")
    with pytest.raises(DataError) as caught:
        open_data(tmp_path, target_kind="boxes")
    assert str(caught.value) == (
        f"{tmp_path}: no image with a box; the first, images/a.jpg: "
        "line 1 of a.txt is in pixels; boxes should be shares of the image size, 0 to 1"
    )


def test_empty_and_missing_label_files_are_named(tmp_path: Path) -> None:
    (pair(tmp_path) / "labels" / "a.txt").write_text("\n")
    photo(tmp_path / "images" / "c.jpg")
    assert open_data(tmp_path).skipped == (
        Skipped("images/a.jpg", "its label file a.txt is empty"), Skipped("images/c.jpg", "has no label file"),
    )  # fmt: skip


def test_classes_that_count_from_one_are_noted(tmp_path: Path) -> None:
    (pair(tmp_path) / "data.yaml").write_text("names: [nut, bolt]\n")
    (tmp_path / "labels" / "a.txt").write_text(LINE.format(2))
    assert open_data(tmp_path).notes == (
        "the classes in the label files seem to count from 1; YOLO counts from 0, so the names are wrong",
    )


def test_a_photograph_with_an_orientation_is_taken_as_shown_with_a_note(tmp_path: Path) -> None:
    (pair(tmp_path) / "data.yaml").write_text("names: [nut, bolt]\n")
    photo(tmp_path / "images" / "a.jpg", 0, (16, 20), 6)
    found = open_data(tmp_path)
    np.testing.assert_allclose(found.targets[0], [1, *CORNERS], atol=1e-5)
    assert found.notes == (
        "1 image (images/a.jpg) is stored turned (EXIF), and the annotation does not show whether it was drawn on the "
        "upright image, which is assumed; compare the boxes on a sheet",
    )


def test_class_folders_with_a_yaml_or_texts_stay_class_folders(tmp_path: Path) -> None:
    for part in ("train", "val"):
        for label in ("cat", "dog"):
            photo(tmp_path / part / label / "1.jpg")
            (tmp_path / part / label / "1.txt").write_text("a photo of an animal")
    (tmp_path / "data.yaml").write_text("names: [cat, dog]\ntrain: train\nval: val\n")
    found = open_data(tmp_path)
    assert (found.target_kind, found.classes) == ("classes", ("cat", "dog"))
