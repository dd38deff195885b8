"""Which file is the mask of which image, by folders and names."""

from pathlib import Path

import numpy as np
import pytest

from convscope.datasets import build_masks
from convscope.datasets.dataset import Skipped
from convscope.errors import DataError
from convscope.layouts import open_data
from helpers.mask_folders import SIZE, block, write_image, write_mask

PAIRS = [
    ("images/{:03}.jpg", "masks/mask_{:03}.png"),
    ("images/{:03}.jpg", "masks/{:03}_mask.png"),
    ("images/img_{:03}.jpg", "masks/mask_{:03}.png"),
    ("images/img_{}.jpg", "masks/mask_{:03}.png"),
    ("images/image{:03}.jpg", "masks/mask{:03}.png"),
    ("images/{:03}_img.jpg", "masks/{:03}_gt.png"),
    ("images/{:03}_sat.jpg", "masks/{:03}_mask.png"),
    ("images/{:03}.jpg", "gt/{:03}_segmentation.png"),
    ("imgs/{:03}.jpg", "masks/{:03}.gif"),
    ("train/{:03}.jpg", "train_masks/{:03}_mask.gif"),
    ("train_images/{:03}.jpg", "train_masks/{:03}.png"),
    ("leftImg8bit/train/bonn/bonn_{:06}_leftImg8bit.png", "gtFine/train/bonn/bonn_{:06}_gtFine_labelIds.png"),
    ("{:03}.jpg", "{:03}_gt.png"),
    ("{:03}.jpg", "{:03}.png"),
    ("{:03}.jpg", "mask_{:03}.png"),
    ("TYPE/Imgs/{:03}.jpg", "TYPE/Imgs/{:03}.png"),
    ("all/benign ({}).png", "all/benign ({})_mask.png"),
    ("one/{}/images/{}.png", "one/{}/masks/anything.png"),
    ("images/{}.jpg", "annotations/trimaps/{}.png"),
    ("images_png/{}.png", "masks_png/{}.png"),
    ("original images/{}.png", "Ground Truth/{}.png"),
    ("JPEGImages/{}.jpg", "SegmentationClassPNG/{}.png"),
    ("photos/a/{}.jpg", "segmentation_masks/b/{}.png"),
    ("img_dir/train/{}.jpg", "ann_dir/train/{}.png"),
    ("images/{}.jpg", "ann/{}.png"),
    ("Task1-2_Training_Input/ISIC_{:07}.jpg", "Task1_Training_GroundTruth/ISIC_{:07}_segmentation.png"),
    ("training/image_2/{:06}_10.png", "training/semantic/{:06}_10.png"),
]  # fmt: skip


def name(pattern: str, number: int) -> str:
    return pattern.format(*[number] * pattern.count("{"))


@pytest.mark.parametrize(("image", "mask"), PAIRS)
def test_a_mask_belongs_to_the_image_of_its_name(tmp_path: Path, image: str, mask: str) -> None:
    for i in (1, 2, 11):
        write_image(tmp_path / name(image, i), i)
        write_mask(tmp_path / name(mask, i), block(i))
    dataset = open_data(tmp_path)
    assert (dataset.target_kind, dataset.skipped) == ("masks", ())
    assert sorted(dataset.names) == sorted(name(image, i) for i in (1, 2, 11))
    masks = build_masks(dataset, SIZE)[0]
    for row, found in enumerate(dataset.names):
        number = next(i for i in (1, 2, 11) if name(image, i) == found)
        assert dataset.classes[masks[row, 5, 6]] == str(number)


def test_drawings_of_cityscapes_masks_are_left_out(tmp_path: Path) -> None:
    for i in range(2):
        write_image(tmp_path / "leftImg8bit" / "val" / "bonn" / f"bonn_{i}_leftImg8bit.png", i)
        for kind in ("labelIds", "color", "instanceIds"):
            write_mask(tmp_path / "gtFine" / "val" / "bonn" / f"bonn_{i}_gtFine_{kind}.png", block(len(kind)))
    write_image(tmp_path / "leftImg8bit" / "train" / "ulm" / "ulm_0_leftImg8bit.png", 7)
    write_mask(tmp_path / "gtFine" / "train" / "ulm" / "ulm_0_gtFine_labelIds.png", block(8))
    dataset = open_data(tmp_path)
    assert dataset.classes == ("0", "8")
    assert sorted(dataset.splits) == ["train", "validation", "validation"]


@pytest.mark.parametrize(
    ("image", "objects"),
    [
        ("images/img{}.png", ("masks/img{}_0.png", "masks/img{}_1.png")),
        ("stage1_train/{0}a/images/{0}a.png", ("stage1_train/{0}a/masks/f00.png", "stage1_train/{0}a/masks/ba1.png")),
        ("images/{}.png", ("masks/{}/first.png", "masks/{}/second.png")),
        ("benign ({}).png", ("benign ({})_mask.png", "benign ({})_mask_1.png")),
    ],
)
def test_masks_of_the_objects_of_an_image_are_joined(tmp_path: Path, image: str, objects: tuple[str, str]) -> None:
    for i in range(3):
        write_image(tmp_path / image.format(i), i)
        for shift, pattern in enumerate(objects):
            write_mask(tmp_path / pattern.format(i), np.roll(block(255), shift * 6, 0))
    dataset = open_data(tmp_path)
    assert (len(dataset), dataset.classes, dataset.skipped) == (3, ("background", "object"), ())
    joined = build_masks(dataset, SIZE)[0]
    assert joined[0].tolist() == (block(1) + np.roll(block(1), 6, 0)).tolist()
    first = sorted(Path(pattern.format(0)).name for pattern in objects)
    assert dataset.notes == (
        f"3 images have several masks, one per object, such as {first[0]} and {first[1]} of {image.format(0)}; they "
        "are joined to one mask",
    )


def test_folders_of_images_and_masks_that_do_not_pair_are_no_classes(tmp_path: Path) -> None:
    for i in range(3):
        write_image(tmp_path / "images" / f"left{i}.png", i)
        write_mask(tmp_path / "masks" / f"right{i}.png", block(255))
    with pytest.raises(DataError) as caught:
        open_data(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: none of the 3 masks has the name of one of the 3 images; the first are masks/right0.png and "
        "images/left0.png; give a mask the name of its image"
    )


def test_masks_without_an_image_are_named(tmp_path: Path) -> None:
    for i in range(3):
        write_image(tmp_path / "images" / f"{i}.png", i)
        write_mask(tmp_path / "masks" / f"{i}.png", block(1))
    write_mask(tmp_path / "masks" / "9.png", block(1))
    assert open_data(tmp_path).skipped == (Skipped("masks/9.png", "has no image of its name"),)


def test_masks_in_two_folders_are_an_error(tmp_path: Path) -> None:
    for i in range(2):
        write_image(tmp_path / "images" / f"{i}.png", i)
        write_mask(tmp_path / "masks" / f"{i}.png", block(1))
        write_mask(tmp_path / "gt" / f"{i}.png", block(2))
    with pytest.raises(DataError) as caught:
        open_data(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: images/0.png has masks in gt and in masks; move one of these folders elsewhere"
    )


def test_the_field_of_view_beside_the_masks_of_a_person_is_not_taken_for_them(tmp_path: Path) -> None:
    for i in range(21, 24):
        write_image(tmp_path / "training" / "images" / f"{i}_training.png", i)
        write_mask(tmp_path / "training" / "1st_manual" / f"{i}_manual1.png", block(1))
        write_mask(tmp_path / "training" / "2nd_manual" / f"{i}_manual2.png", block(1))
        write_mask(tmp_path / "training" / "mask" / f"{i}_training_mask.png", block(2))
    with pytest.raises(DataError) as caught:
        open_data(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: training/images/21_training.png has masks in training/1st_manual and in training/mask; "
        "move one of these folders elsewhere"
    )
    for file in (tmp_path / "training" / "mask").iterdir():
        file.unlink()
    found = open_data(tmp_path)
    assert found.names == tuple(f"training/images/{i}_training.png" for i in range(21, 24))
    assert (found.classes, found.skipped) == (("0", "1"), ())


def test_masks_beside_images_in_class_folders_are_learnt_and_said(tmp_path: Path) -> None:
    for kind in ("benign", "malignant"):
        for i in range(3):
            write_image(tmp_path / kind / f"{kind} ({i}).png", i)
            write_mask(tmp_path / kind / f"{kind} ({i})_mask.png", block(255))
    dataset = open_data(tmp_path)
    assert (dataset.layout, len(dataset)) == ("masks", 6)
    assert dataset.notes == (
        "the images have masks beside them, which are learnt, and not the folders benign, malignant; --layout folder "
        "learns the folders from the images alone",
    )


def test_two_photographs_of_one_name_are_no_masks(tmp_path: Path) -> None:
    for kind in "ab":
        for i in range(3):
            write_image(tmp_path / kind / f"{i}.jpg", i)
            write_image(tmp_path / kind / f"{i}.png", i + 7)
    assert open_data(tmp_path).classes == ("a", "b")


def test_decomposed_and_composed_names_pair(tmp_path: Path) -> None:
    for i in range(2):
        write_image(tmp_path / "images" / f"K\u00e4fer{i}.png", i)
        write_mask(tmp_path / "masks" / f"Ka\u0308fer{i}.png", block(1))
    assert len(open_data(tmp_path)) == 2


def test_masks_beside_images_are_never_classified(tmp_path: Path) -> None:
    for kind in ("benign", "malignant"):
        for i in range(3):
            write_image(tmp_path / kind / f"{kind} ({i}).png", i)
            write_mask(tmp_path / kind / f"{kind} ({i})_mask.png", block(255))
    dataset = open_data(tmp_path, target_kind="classes")
    assert (dataset.layout, len(dataset), dataset.classes) == ("folder", 6, ("benign", "malignant"))
    assert dataset.skipped[0] == Skipped("benign/benign (0)_mask.png", "is the mask of benign (0).png")
    assert len(dataset.skipped) == 6


def test_one_mask_among_many_images_is_skipped(tmp_path: Path) -> None:
    for kind in "ab":
        for i in range(11):
            write_image(tmp_path / kind / f"{i}.png", i)
    write_mask(tmp_path / "a" / "3_mask.png", block(255))
    dataset = open_data(tmp_path)
    assert (dataset.layout, len(dataset)) == ("folder", 22)
    assert dataset.skipped == (Skipped("a/3_mask.png", "is the mask of 3.png"),)


def test_a_table_of_images_and_masks(tmp_path: Path) -> None:
    rows = ["image,mask,split"]
    for i in range(4):
        write_image(tmp_path / "pictures" / f"{i}.png", i)
        write_mask(tmp_path / "drawn" / f"m{i}.png", block(1))
        rows.append(f"pictures/{i}.png,drawn/m{i}.png,{'train' if i < 3 else 'test'}")
    rows.append("pictures/0.png,drawn/none.png,train")
    (tmp_path / "list.csv").write_text("\n".join(rows))
    dataset = open_data(tmp_path / "list.csv")
    assert (dataset.target_kind, dataset.classes, len(dataset)) == ("masks", ("0", "1"), 4)
    assert dataset.splits.tolist() == ["train"] * 3 + ["test"]
    assert dataset.skipped == (Skipped("pictures/0.png", "its mask drawn/none.png: no such file"),)
    assert build_masks(dataset, SIZE)[0][0].tolist() == block(1).tolist()


def test_a_column_whose_numbers_are_the_names_of_the_images_is_no_mask(tmp_path: Path) -> None:
    for i in range(4):
        write_image(tmp_path / f"{i}.png", i)
    rows = [f"{i}.png,{i},{'ab'[i % 2]}" for i in range(4)]
    (tmp_path / "list.csv").write_text("\n".join(["image,annotation_id,choice", *rows]))
    assert open_data(tmp_path / "list.csv").classes == ("a", "b")


def test_jpeg_copies_of_masks_are_left_out(tmp_path: Path) -> None:
    for i in range(3):
        write_image(tmp_path / "images" / f"{i}.png", i)
        write_mask(tmp_path / "masks" / f"{i}.png", block(7))
        write_mask(tmp_path / "masks" / f"{i}.jpg", block(200))
    dataset = open_data(tmp_path)
    assert (dataset.classes, dataset.notes) == (("0", "7"), ())


def test_masks_of_another_size_than_all_images_are_said_to_be_so(tmp_path: Path) -> None:
    for i in range(3):
        write_image(tmp_path / "images" / f"{i}.png", i)
        write_mask(tmp_path / "masks" / f"{i}.png", block(7, size=(16, 21)))
    with pytest.raises(DataError) as caught:
        open_data(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: no image can be used; the first, images/0.png: its mask is 16 x 21 and the image 16 x 20"
    )
