"""Boxes in VOC's XML, COCO's JSON, YOLO's text files and tables, including invalid and malicious files."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from convscope.datasets.dataset import Skipped
from convscope.errors import DataError
from convscope.layouts.recognise import open_data

Save = Callable[..., Path]

OBJECT = "<object><name>{}</name><bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox></object>"


def voc(folder: Path, name: str, *objects: tuple[object, ...], image: str | None = None) -> None:
    inside = "".join(OBJECT.format(*thing) for thing in objects)
    path = folder / "Annotations" / f"{name}.xml"
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(f"<annotation><filename>{image or name + '.jpg'}</filename>{inside}</annotation>")


def coco(folder: Path, boxes: list[tuple[str, list[object]]]) -> None:
    content = {
        "images": [{"id": i, "file_name": name} for i, (name, _) in enumerate(boxes)],
        "categories": [{"id": 3, "name": "cat"}, {"id": 5, "name": "dog"}],
        "annotations": [{"image_id": i, "category_id": 3 + 2 * i, "bbox": box} for i, (_, box) in enumerate(boxes)],
    }
    (folder / "instances_train.json").write_text(json.dumps(content))


@pytest.fixture
def photos(tmp_path: Path, save: Save) -> Path:
    """a.jpg and b.jpg of 20 x 16 pixels in images/."""
    save(tmp_path / "images" / "a.jpg")
    save(tmp_path / "images" / "b.jpg")
    return tmp_path


def in_voc(folder: Path) -> Path:
    voc(folder, "a", ("cat", 2, 4, 10, 12))
    voc(folder, "b", ("dog", 1, 1, 3, 3), ("dog", 5, 0, 20, 16))
    return folder


def in_coco(folder: Path) -> Path:
    coco(folder, [("a.jpg", [2, 4, 8, 8]), ("b.jpg", [5, 0, 15, 16])])
    return folder


def in_yolo(folder: Path) -> Path:
    (folder / "labels").mkdir()
    (folder / "labels" / "a.txt").write_text("0 0.3 0.5 0.4 0.5\n")
    (folder / "labels" / "b.txt").write_text("1 0.1 0.1 0.1 0.1\n1 0.625 0.5 0.75 1.0\n")
    (folder / "data.yaml").write_text("names:\n  0: cat\n  1: dog\n")
    return folder


def in_table(folder: Path) -> Path:
    (folder / "boxes.csv").write_text("file,label,x,y,w,h\na.jpg,cat,2,4,8,8\nb.jpg,dog,1,1,2,2\nb.jpg,dog,5,0,15,16\n")
    return folder / "boxes.csv"


@pytest.mark.parametrize("layout", [in_voc, in_coco, in_yolo, in_table])
def test_every_layout_gives_the_same_boxes(photos: Path, layout: Callable[[Path], Path]) -> None:
    dataset = open_data(layout(photos))
    assert dataset.target_kind == "boxes"
    assert dataset.classes == ("cat", "dog")
    assert [Path(name).name for name in dataset.names] == ["a.jpg", "b.jpg"]
    np.testing.assert_allclose(dataset.targets, [[0, 2, 4, 10, 12], [1, 5, 0, 20, 16]], atol=1e-5)


@pytest.mark.parametrize("layout", [in_voc, in_yolo, in_table])
def test_images_with_several_objects_are_noted(photos: Path, layout: Callable[[Path], Path]) -> None:
    message = (
        "1 of 2 images show several objects, of which the largest is used; "
        "convscope crop makes an image of each; use a detector to find all of them"
    )
    assert message in open_data(layout(photos)).notes


def test_the_splits_of_voc_and_of_coco_file_names_are_read(photos: Path) -> None:
    in_voc(photos)
    (photos / "ImageSets").mkdir()
    (photos / "ImageSets" / "train.txt").write_text("a\n")
    (photos / "ImageSets" / "test.txt").write_text("b\n")
    with pytest.raises(DataError, match="test has a class that is not in train, dog"):
        open_data(photos)
    voc(photos, "a", ("dog", 2, 4, 10, 12))
    assert open_data(photos).splits.tolist() == ["train", "test"]


@pytest.mark.parametrize(
    ("box", "why"),
    [
        ((30, 2, 40, 9), "its box 30 2 40 9 is outside the image of 16 x 20"),
        ((5, 5, 5, 9), "its box 5 5 5 9 has no area"),
        ((9, 2, 3, 8), "its box 9 2 3 8 has x2 < x1 or y2 < y1; the order is x1 y1 x2 y2"),
        (
            (0.1, 0.2, 0.5, 0.9),
            "its box 0.1 0.2 0.5 0.9 is in relative coordinates; multiply by the width and height of the image",
        ),
        (("nan", 2, 3, 8), "its box nan 2 3 8 contains NaN or infinity"),
    ],
)
def test_an_invalid_box_is_skipped_with_the_reason(photos: Path, save: Save, box: tuple[object, ...], why: str) -> None:
    in_voc(photos)
    save(photos / "images" / "c.jpg")
    voc(photos, "c", ("cat", *box))
    assert open_data(photos).skipped == (Skipped("images/c.jpg", why),)


def test_an_invalid_box_beside_a_valid_one_is_skipped_alone(photos: Path) -> None:
    in_voc(photos)
    voc(photos, "a", ("cat", 2, 4, 10, 12), ("cat", 9, 2, 3, 8), ("", 1, 1, 4, 4))
    found = open_data(photos)
    assert found.objects is not None
    assert found.objects[0] == (("cat", (2, 4, 10, 12)),)
    assert found.notes[-1] == (
        "2 objects are skipped; the first, in images/a.jpg: "
        "its box 9 2 3 8 has x2 < x1 or y2 < y1; the order is x1 y1 x2 y2"
    )


@pytest.mark.parametrize("layout", [in_voc, in_coco])
def test_if_no_box_is_valid_the_error_names_the_reason(photos: Path, layout: Callable[[Path], Path]) -> None:
    layout(photos)
    if layout is in_voc:
        voc(photos, "a", ("cat", 0.1, 0.2, 0.5, 0.9))
        voc(photos, "b", ("cat", 0.1, 0.2, 0.5, 0.9))
    else:
        coco(photos, [("a.jpg", [0.1, 0.2, 0.4, 0.7]), ("b.jpg", [0.1, 0.2, 0.4, 0.7])])
    with pytest.raises(DataError) as caught:
        open_data(photos)
    assert str(caught.value) == (
        f"{photos}: no image with a box; the first, images/a.jpg: its box 0.1 0.2 0.5 0.9 is in relative coordinates; "
        "multiply by the width and height of the image"
    )


def test_a_box_beyond_the_border_is_clipped_with_a_note(photos: Path) -> None:
    in_voc(photos)
    voc(photos, "a", ("cat", -3, 4, 10, 40))
    found = open_data(photos)
    assert found.targets[0].tolist() == [0, 0, 4, 10, 16]
    assert found.notes[-1] == ("1 image (images/a.jpg) is annotated with boxes beyond the border, which are clipped")


def test_an_image_in_two_splits_is_skipped(photos: Path) -> None:
    content = {
        "images": [{"id": 0, "file_name": "a.jpg"}, {"id": 1, "file_name": "b.jpg"}],
        "categories": [{"id": 3, "name": "cat"}],
        "annotations": [{"image_id": i, "category_id": 3, "bbox": [2, 4, 8, 8]} for i in range(2)],
    }
    (photos / "train.json").write_text(json.dumps(content))
    content["images"].pop()
    (photos / "val.json").write_text(json.dumps(content))
    found = open_data(photos)
    assert found.names == ("images/b.jpg",)
    assert Skipped("images/a.jpg", "is listed in train and in validation") in found.skipped


def test_a_path_outside_the_folder_is_not_followed(photos: Path, save: Save) -> None:
    save(photos.parent / "secret.jpg")
    in_voc(photos)
    voc(photos, "evil", ("cat", 1, 1, 5, 5), image="../secret.jpg")
    why = "names the image ../secret.jpg: leaves the data folder"
    assert open_data(photos).skipped == (Skipped("Annotations/evil.xml", why),)
    (photos / "Annotations").rename(photos / "away")
    for file in (photos / "away").glob("*.xml"):
        file.unlink()
    coco(
        photos,
        [
            ("a.jpg", [2, 4, 8, 8]),
            ("../secret.jpg", [5, 0, 15, 16]),
        ],
    )
    assert open_data(photos).skipped == (Skipped("../secret.jpg", "leaves the data folder"),)


@pytest.mark.parametrize(
    ("more", "note"),
    [
        ([], "the class flea is never the largest object of an image, and so not learned"),
        (["tick", "mite", "louse"],
         "4 classes are never the largest object of an image, and so not learned: flea, louse, mite, ..."),
    ],
)  # fmt: skip
def test_classes_of_small_objects_only_are_named(tmp_path: Path, save: Save, more: list[str], note: str) -> None:
    rows = "image,label,x1,y1,x2,y2\n"
    for i in range(6):
        save(tmp_path / f"{i}.png", size=(20, 20))
        rows += f"{i}.png,{'cat' if i % 2 else 'dog'},2,2,18,18\n"
        rows += "".join(f"{i}.png,{name},4,4,6,6\n" for name in ["flea", *more])
    (tmp_path / "t.csv").write_text(rows)
    assert note in open_data(tmp_path / "t.csv").notes
