"""Boxes in VOC's XML, COCO's JSON, YOLO's text files and tables, including invalid and malicious files."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from convscope.datasets.dataset import Dataset, Skipped
from convscope.datasets.layouts.recognise import open_data
from convscope.datasets.layouts.voc import parse_xml
from convscope.errors import DataError

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


def test_a_box_beyond_the_border_is_clipped(photos: Path) -> None:
    in_voc(photos)
    voc(photos, "a", ("cat", -3, 4, 10, 40))
    assert open_data(photos).targets[0].tolist() == [0, 0, 4, 10, 16]


def refused(folder: Path, text: str | bytes) -> Dataset:
    in_voc(folder)
    raw = text.encode() if isinstance(text, str) else text
    (folder / "Annotations" / "evil.xml").write_bytes(raw)
    return open_data(folder)


BOMB = '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;">]><annotation><filename>&y;</filename></annotation>'


@pytest.mark.parametrize("text", [BOMB, BOMB.encode("utf-16"), '<!DOCTYPE a SYSTEM "file:///etc/passwd"><annotation/>'])
def test_an_entity_bomb_is_rejected_before_parsing(photos: Path, text: str | bytes) -> None:
    why = "declares a document type or entities, which could be an attack; remove the declaration"
    assert refused(photos, text).skipped == (Skipped("Annotations/evil.xml", why),)


def test_invalid_xml_is_skipped_with_the_reason(photos: Path) -> None:
    assert refused(photos, "<annotation><filename>a.jpg").skipped == (
        Skipped("Annotations/evil.xml", "is not XML: no element found: line 1, column 27"),
    )


def test_an_annotation_of_many_megabytes_is_rejected() -> None:
    with pytest.raises(DataError) as caught:
        parse_xml(b"<a>" + b" " * 10_000_000 + b"</a>")
    assert str(caught.value) == "has 10,000,007 bytes, more than an annotation can have"


def test_a_path_outside_the_folder_is_not_followed(photos: Path, save: Save) -> None:
    save(photos.parent / "secret.jpg")
    in_voc(photos)
    voc(photos, "evil", ("cat", 1, 1, 5, 5), image="../secret.jpg")
    why = "names the image ../secret.jpg: no such file"
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


def test_json_in_another_format_is_rejected(photos: Path) -> None:
    (photos / "x.json").write_text('{"annotations": 3}')
    with pytest.raises(DataError) as caught:
        open_data(photos / "x.json")
    assert str(caught.value) == (
        f"{photos / 'x.json'}: not COCO JSON (KeyError: 'categories'); "
        "it needs images, categories and annotations with bbox"
    )


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("zero 1 2", "line 1 of a.txt is 'zero 1 2', not class x y width height"),
        ("7 0.5 0.5 0.5 0.5", "line 1 of a.txt has class 7, and there are 2"),
        ("1 10 8 6 4", "line 1 of a.txt is in pixels; YOLO's boxes are relative to the image size"),
    ],
)
def test_an_invalid_yolo_line_is_skipped_with_the_reason(photos: Path, save: Save, line: str, why: str) -> None:
    in_yolo(photos)
    save(photos / "images" / "c.jpg")
    (photos / "labels" / "c.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    (photos / "labels" / "a.txt").write_text(line + "\n")
    found = open_data(photos, target_kind="boxes") if line[0] != "z" else None
    if found is not None:
        assert found.skipped == (Skipped("images/a.jpg", why),)
