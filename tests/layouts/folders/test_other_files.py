"""Folders whose images have no labels because these are in files that are not read: the error names them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from convscope.errors import DataError
from convscope.layouts.recognise import open_data

Save = Callable[..., Path]


def message_of(folder: Path) -> str:
    with pytest.raises(DataError) as raised:
        open_data(folder)
    return str(raised.value)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("a/1.nrrd b/1.nrrd", "(2 .nrrd); convert the volumes to NIfTI"),
        ("a/1.gz b/1.gz", "(2 .gz); unpack them"),
        ("a/1.HEIC b/1.heic", "(2 .heic); convert the HEIC photographs to JPEG"),
        ("run/1.mp4 walk/1.mp4", "(2 .mp4); save frames of the videos as JPEG"),
        ("a/1.svg b/1.svg", "(2 .svg); draw the SVG files to PNG"),
        (
            "train_32x32.mat",
            "(1 .mat); save the arrays of the MATLAB file as .npz with x_train, y_train, x_test and y_test",
        ),
        ("train.h5", "(1 .h5); save the arrays of the HDF5 file as .npz with x_train, y_train, x_test and y_test"),
        (
            "data_batch_1.pkl",
            "(1 .pkl); save the arrays as .npz: pickled files could run code, and are not opened",
        ),
        ("set/data.npz", "(1 .npz); give the file instead: set/data.npz"),
        ("a/1.xyz", "(1 .xyz); put them in one subfolder per class"),
    ],
)
def test_formats_that_are_not_read_are_named_with_their_conversion(tmp_path: Path, names: str, message: str) -> None:
    for name in names.split():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"\0")
    assert message_of(tmp_path) == f"{tmp_path}: no images, only other files {message}"


@pytest.mark.parametrize(
    ("place", "files", "message"),
    [
        (
            "training/image_2/{}.png",
            {"training/label_2/0.txt": "Car 0.0 0 -1.6 5 6", "training/label_2/1.txt": "Van 0.0 0 -1.6 5 6"},
            "2 images but no class folders; 2 files such as training/label_2/0.txt have the names of images, but are "
            "no annotations in a format that is read; convert them to COCO, VOC or YOLO",
        ),
        (
            "ds0/img/{}.jpg",
            {"ds0/ann/0.jpg.json": "{}", "ds0/ann/1.jpg.json": "{}", "meta.json": "{}"},
            "one class only, ds0; 2 files such as ds0/ann/0.jpg.json have the names of images, but are no annotations "
            "in a format that is read; convert them to COCO, VOC or YOLO",
        ),
        (
            "train/{}.jpg",
            {"train/_annotations.createml.json": '[{"image": "0.jpg"}]'},
            "the images in train are not in class folders; train/_annotations.createml.json is in no annotation format "
            "that is read; convert it to COCO, VOC or YOLO",
        ),
        (
            "images/{}.jpg",
            {"labels.xlsx": ""},
            "one class only, images; labels.xlsx is a spreadsheet, which is not read; save it as CSV",
        ),
        (
            "images/{}.jpg",
            {"train.txt": "images/0.jpg a cat\nimages/1.jpg a big dog\n", "README.json": "{}"},
            "one class only, images; train.txt names images, but is no table; save it as CSV with the columns image "
            "and label",
        ),
        (
            "jpg/{}.jpg",
            {"imagelabels.mat": "MATLAB 5.0"},
            "one class only, jpg; imagelabels.mat is a MATLAB file, which is not read; save the labels as CSV",
        ),
        (
            "images/{}.jpg",
            {"notes.txt": "taken in May\nby hand\n"},
            "one class only, images; add images of at least one other",
        ),
    ],
)
def test_files_that_seem_to_hold_the_labels_are_named(
    tmp_path: Path, save: Save, place: str, files: dict[str, str], message: str
) -> None:
    for i in range(2):
        save(tmp_path / place.format(i), i)
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    assert message_of(tmp_path) == f"{tmp_path}: {message}"


def test_classes_in_the_names_of_a_single_folder_are_pointed_to(tmp_path, save) -> None:
    for i in range(4):
        save(tmp_path / "images" / f"{('Abyssinian', 'american_bulldog')[i % 2]}_{i}.jpg", i)
    with pytest.raises(DataError) as error:
        open_data(tmp_path)
    assert str(error.value) == (
        f"{tmp_path}: one class only, images; set --layout file-names if Abyssinian and american_bulldog are classes"
    )
