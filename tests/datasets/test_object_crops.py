"""Object crops, one image per object."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convscope.datasets import write_crops
from convscope.errors import DataError
from convscope.layouts import open_data


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    """Two images of 40 x 60 with a red and a blue object each; one box has no area."""
    rows = ["file,label,xmin,ymin,xmax,ymax,split"]
    for number, role in enumerate(("train", "test")):
        pixels = np.full((40, 60, 3), 90, np.uint8)
        pixels[5:15, 10:22] = (255, 0, 0)
        pixels[20:38, 40:58] = (0, 0, 255)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
        rows += [f"{number}.png,red,10,5,22,15,{role}", f"{number}.png,blue,40,20,58,38,{role}"]
    rows.append("0.png,red,3,3,3,9,train")
    (tmp_path / "boxes.csv").write_text("\n".join(rows))
    return tmp_path / "boxes.csv"


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def test_every_object_has_a_crop_with_its_box_and_split(scenes: Path, tmp_path: Path) -> None:
    table = write_crops(open_data(scenes), tmp_path / "crops")
    found = open_data(table)
    assert found.names == ("0-0.png", "0-1.png", "1-0.png", "1-1.png")
    assert found.splits.tolist() == ["train", "train", "test", "test"]
    assert found.groups is not None
    assert found.groups.tolist() == ["0.png", "0.png", "1.png", "1.png"]
    assert isinstance(found.images, tuple)
    colours = {"red": (255, 0, 0), "blue": (0, 0, 255)}
    for path, (kind, *box) in zip(found.images, found.targets.tolist(), strict=True):
        with Image.open(path) as image:
            pixels = np.asarray(image)
        x1, y1, x2, y2 = (round(side) for side in box)
        inside = np.zeros(pixels.shape[:2], bool)
        inside[y1:y2, x1:x2] = True
        right = (pixels == colours[found.classes[int(kind)]]).all(2)
        assert (right == inside).all()


def test_crops_are_larger_than_their_objects_by_the_context(scenes: Path, tmp_path: Path) -> None:
    write_crops(open_data(scenes), tmp_path / "tight", context=0)
    assert size_of(tmp_path / "tight" / "0-1.png") == (18, 18)
    write_crops(open_data(scenes), tmp_path / "wide", context=100)
    assert size_of(tmp_path / "wide" / "0-1.png") == (60, 40)


def test_crops_can_be_opened_with_class_targets(scenes: Path, tmp_path: Path) -> None:
    found = open_data(write_crops(open_data(scenes), tmp_path / "crops"), target_kind="classes")
    assert (found.target_kind, found.targets.tolist()) == ("classes", [1, 0, 1, 0])


def test_data_without_boxes_and_an_existing_folder_are_rejected(scenes: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        write_crops(open_data("digits"), tmp_path / "crops")
    assert str(caught.value) == "digits: has no image files with boxes, so no crops can be made"
    with pytest.raises(DataError) as caught:
        write_crops(open_data(scenes), tmp_path)
    assert str(caught.value) == f"{tmp_path}: already exists; choose another folder with --out"


def test_the_table_has_a_line_for_each(scenes: Path, tmp_path: Path) -> None:
    with write_crops(open_data(scenes), tmp_path / "crops").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["label"] for row in rows] == ["red", "blue", "red", "blue"]


def test_crops_of_images_with_equal_names_do_not_meet(tmp_path: Path) -> None:
    names = ("1.jpg", "1.png", "cam/a_1.jpg", "cam_a/1.jpg")
    rows = ["file,label,xmin,ymin,xmax,ymax"]
    for i, name in enumerate(names):
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((40, 60, 3), 60 * i, np.uint8)).save(tmp_path / "set" / name)
        rows.append(f"{name},{'ab'[i % 2]},10,5,{20 + i},15")
    (tmp_path / "set" / "boxes.csv").write_text("\n".join(rows))
    table = write_crops(open_data(tmp_path / "set" / "boxes.csv"), tmp_path / "crops")
    with table.open(encoding="utf-8") as file:
        found = {row["file"]: (row["group"], row["label"]) for row in csv.DictReader(file)}
    assert found == {
        "1_jpg-0.png": ("1.jpg", "a"), "1_png-0.png": ("1.png", "b"),
        "a_1-0.png": ("cam/a_1.jpg", "a"), "cam_a_1-0.png": ("cam_a/1.jpg", "b"),
    }  # fmt: skip
    for crop, (name, _) in found.items():
        with Image.open(tmp_path / "crops" / crop) as image:
            assert abs(int(np.asarray(image).mean()) - 60 * names.index(name)) <= 1
