"""LabelMe: shapes, sizes, and which image a JSON file belongs to."""

import json
from pathlib import Path

import pytest

from convscope.datasets import Skipped
from convscope.layouts import open_data
from helpers.box_files import photo

RECT = {"label": "nut", "shape_type": "rectangle", "points": [[10, 12], [2, 4]]}


def labelme(file: Path, *shapes: dict[str, object], image: str = "", size: tuple[int, int] = (20, 16)) -> Path:
    content = {"shapes": shapes, "imagePath": image, "imageWidth": size[0], "imageHeight": size[1], "imageData": None}
    file.write_text(json.dumps(content))
    return file


@pytest.mark.parametrize(
    ("shape", "around"),
    [
        (RECT, False),
        ({**RECT, "shape_type": "mask", "points": [[2, 4], [10, 12]], "mask": "iVBORw0KGgo="}, False),
        ({**RECT, "shape_type": "polygon", "points": [[2, 4], [10, 6], [5, 12]]}, True),
        ({**RECT, "shape_type": None, "points": [[2, 4], [10, 6], [5, 12]]}, True),
        ({**RECT, "shape_type": "circle", "points": [[6, 8], [6, 4]]}, True),
    ],
)
def test_shapes_give_boxes(tmp_path: Path, shape: dict[str, object], around: bool) -> None:
    photo(tmp_path / "0.jpg")
    labelme(tmp_path / "0.json", shape, image="0.jpg")
    found = open_data(tmp_path)
    assert (found.layout, found.classes, found.targets.tolist()) == ("labelme", ("nut",), [[0, 2, 4, 10, 12]])
    note = "1 shape is not a rectangle; the first, in 0.jpg; the box around each is used"
    assert found.notes == ((note,) if around else ())


def test_the_image_of_the_own_name_wins_and_contradictions_are_noted(tmp_path: Path) -> None:
    for i in range(3):
        photo(tmp_path / f"{i}.jpg", i)
        labelme(tmp_path / f"{i}.json", {**RECT, "label": f"part {i}"}, image=f"..\\pics\\{i}.jpg")
    labelme(tmp_path / "1.json", {**RECT, "label": "part 1"}, image="2.jpg")
    labelme(tmp_path / "3.json", RECT, image="0.jpg")
    found = open_data(tmp_path)
    assert [found.classes[int(k)] for k in found.targets[:, 0]] == ["part 0", "part 1", "part 2"]
    assert found.notes == (
        "1 JSON file names another image in imagePath than the one of its own name, which is used; "
        "the first, 1.json names 2.jpg",
    )
    assert found.skipped == (
        Skipped("3.json", "names the image 0.jpg, which has a file of JSON of its own; no image is called 3"),
    )


def test_sizes_turned_photographs_and_unusable_shapes(tmp_path: Path) -> None:
    photo(tmp_path / "0.jpg", 0, (60, 40), 6)
    labelme(tmp_path / "0.json", {**RECT, "points": [[5, 20], [35, 38]]}, size=(60, 40))
    photo(tmp_path / "1.jpg", 1)
    labelme(tmp_path / "1.json", RECT, size=(21, 40))
    photo(tmp_path / "2.jpg", 2)
    labelme(tmp_path / "2.json", {**RECT, "shape_type": "line"}, {**RECT, "points": [[1, 2, 3], 4]}, {"points": 3})
    found = open_data(tmp_path)
    assert found.targets.tolist() == [[0, 2, 5, 20, 35]]
    assert found.skipped == (
        Skipped("1.jpg", "its boxes were drawn on an image of 40 x 21 and the file is 16 x 20 (height x width)"),
        Skipped("2.jpg", "a shape is a line without a box"),
    )


def test_a_damaged_file_is_skipped_with_the_reason(tmp_path: Path) -> None:
    photo(tmp_path / "0.jpg", 0)
    labelme(tmp_path / "0.json", RECT)
    (tmp_path / "1.json").write_text('{"shapes": {}, "imagePath": 1}')
    (tmp_path / "2.json").write_bytes(b'{"shapes": [], "imagePath": "\xff"}')
    found = open_data(tmp_path)
    assert [one.name for one in found.skipped] == ["1.json", "2.json"]
    assert found.skipped[0].why == "not LabelMe JSON; it needs a list of shapes"
    assert found.skipped[1].why == (
        "not JSON ('utf-8' codec can't decode byte 0xff in position 29: invalid start byte); export it again"
    )
