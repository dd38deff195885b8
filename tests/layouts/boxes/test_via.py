"""VGG Image Annotator: shapes, attributes, projects and exports."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from convscope.datasets import Skipped
from convscope.errors import DataError
from convscope.layouts import Columns, open_data
from helpers.box_files import photo

RECT = {"name": "rect", "x": 2, "y": 4, "width": 8, "height": 8}


def region(shape: dict[str, object], **attributes: object) -> dict[str, object]:
    return {"shape_attributes": shape, "region_attributes": attributes}


def via(file: Path, *images: tuple[str, list[dict[str, object]]], project: bool = False) -> Path:
    content = {f"{name}123": {"filename": name, "size": 123, "regions": regions} for name, regions in images}
    file.write_text(json.dumps({"_via_settings": {}, "_via_img_metadata": content} if project else content))
    return file


@pytest.mark.parametrize("project", [True, False])
def test_a_project_and_an_export_are_read_alike(tmp_path: Path, project: bool) -> None:
    for i in range(2):
        photo(tmp_path / "images" / f"{i}.jpg", i)
    regions = [[region(RECT, part=name)] for name in ("nut", "bolt")]
    via(tmp_path / "via.json", ("0.jpg", regions[0]), ("1.jpg", regions[1]), ("2.jpg", []), project=project)
    for source in (tmp_path, tmp_path / "via.json"):
        found = open_data(source)
        assert (found.layout, found.classes) == ("via", ("bolt", "nut"))
        assert found.targets.tolist() == [[1, 2, 4, 10, 12], [0, 2, 4, 10, 12]]
        assert found.skipped == (Skipped("2.jpg", "no such file"),)
        assert found.notes == ("the class of a region is its attribute part",)


@pytest.mark.parametrize(
    ("shape", "box"),
    [
        ({"name": "polygon", "all_points_x": [2, 10, 5], "all_points_y": [4, 6, 12]}, [2, 4, 10, 12]),
        ({"name": "polyline", "all_points_x": [2, 10, 5], "all_points_y": [4, 6, 12]}, [2, 4, 10, 12]),
        ({"name": "circle", "cx": 8, "cy": 8, "r": 3}, [5, 5, 11, 11]),
        ({"name": "ellipse", "cx": 8, "cy": 8, "rx": 4, "ry": 2}, [4, 6, 12, 10]),
        ({"name": "ellipse", "cx": 8, "cy": 8, "rx": 4, "ry": 2, "theta": math.pi / 2}, [6, 4, 10, 12]),
    ],
)
def test_other_shapes_get_the_box_around_them(tmp_path: Path, shape: dict[str, object], box: list[float]) -> None:
    photo(tmp_path / "0.jpg")
    via(tmp_path / "via.json", ("0.jpg", [region(shape), region({"name": "point", "cx": 1, "cy": 1})]))
    found = open_data(tmp_path)
    np.testing.assert_allclose(found.targets, [[0, *box]], atol=1e-5)
    assert found.classes == ("object",)
    assert found.notes == (
        "1 region is not a rectangle; the first, in 0.jpg; the box around each is used",
        "1 object is skipped; the first, in 0.jpg: a region is a point, which has no box",
    )


def test_regions_of_version_1_and_options_are_read(tmp_path: Path) -> None:
    photo(tmp_path / "a b.jpg")
    checked = region(RECT, kind={"nut": True, "bolt": False})
    entry = {"filename": "https://example.org/set/a%20b.jpg", "regions": {"0": checked, "1": region(RECT, kind={})}}
    (tmp_path / "via.json").write_text(json.dumps({"x": entry}))
    found = open_data(tmp_path)
    assert (found.classes, found.targets.tolist()) == (("nut",), [[0, 2, 4, 10, 12]])
    assert found.notes[-1] == "1 object is skipped; the first, in a b.jpg: a region without one value of kind"


def test_of_several_attributes_the_class_is_set_by_the_user(tmp_path: Path) -> None:
    photo(tmp_path / "0.jpg")
    file = via(tmp_path / "via.json", ("0.jpg", [region(RECT, colour="red", part="nut")]))
    with pytest.raises(DataError) as caught:
        open_data(file)
    assert str(caught.value) == (
        f"{file}: regions have the attributes colour and part; set the label column to the one that is the class"
    )
    assert open_data(file, columns=Columns(label="part")).classes == ("nut",)
    with pytest.raises(DataError) as caught:
        open_data(file, columns=Columns(label="size"))
    assert str(caught.value) == f"{file}: regions have no attribute size, only colour, part; set the label column"


def test_of_several_attributes_one_called_class_is_the_class(tmp_path: Path) -> None:
    photo(tmp_path / "0.jpg")
    via(tmp_path / "via.json", ("0.jpg", [region(RECT, colour="red", Class="nut")]))
    assert open_data(tmp_path).classes == ("nut",)
