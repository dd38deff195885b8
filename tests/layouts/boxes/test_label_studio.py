"""Label Studio: both exports, per cent, rotation, names of uploads, and choices."""

import json
from pathlib import Path

import numpy as np
import pytest

from convscope.datasets import Skipped
from convscope.errors import DataError
from convscope.layouts import open_data
from helpers.box_files import photo

VALUE = {"x": 10, "y": 25, "width": 40, "height": 50}  # 2 4 10 12 in an image of 20 x 16
SIZE = {"original_width": 20, "original_height": 16}


def box(label: str, **more: object) -> dict[str, object]:
    return {"type": "rectanglelabels", **SIZE, "value": {**VALUE, "rectanglelabels": [label], **more}}


def task(image: str, *results: dict[str, object], **annotation: object) -> dict[str, object]:
    return {"id": 1, "annotations": [{"result": list(results), **annotation}], "data": {"image": image}}


def export(folder: Path, *tasks: dict[str, object]) -> Path:
    (folder / "export.json").write_text(json.dumps(tasks))
    return folder


def test_boxes_in_per_cent_are_read_from_the_full_export(tmp_path: Path) -> None:
    photo(tmp_path / "0.jpg", 0)
    photo(tmp_path / "1.jpg", 1)
    export(tmp_path, task("/data/upload/1/0.jpg", box("nut")), task("s3://set/1.jpg", box("bolt")))
    for source in (tmp_path, tmp_path / "export.json"):
        found = open_data(source)
        assert (found.layout, found.classes) == ("label-studio", ("bolt", "nut"))
        np.testing.assert_allclose(found.targets, [[1, 2, 4, 10, 12], [0, 2, 4, 10, 12]], atol=1e-5)
        assert found.notes == ()


def test_boxes_are_read_from_the_short_export(tmp_path: Path) -> None:
    photo(tmp_path / "0.jpg", 0)
    short = {
        "image": "/data/upload/1/0.jpg", "id": 1, "annotator": 1, "annotation_id": 3,
        "label": [{**VALUE, "rotation": 0, "rectanglelabels": ["nut"], **SIZE}],
    }  # fmt: skip
    found = open_data(export(tmp_path, short))
    np.testing.assert_allclose(found.targets, [[0, 2, 4, 10, 12]], atol=1e-5)


def test_a_short_export_needs_no_number_of_the_annotation(tmp_path: Path) -> None:
    photo(tmp_path / "0.jpg", 0)
    short = {"image": "0.jpg", "id": 1, "tools": [{**VALUE, "rotation": 0, "rectanglelabels": ["nut"], **SIZE}]}
    found = open_data(export(tmp_path, short))
    assert (found.layout, found.classes) == ("label-studio", ("nut",))
    np.testing.assert_allclose(found.targets, [[0, 2, 4, 10, 12]], atol=1e-5)


def test_rotated_boxes_polygons_and_ellipses_get_the_box_around_them(tmp_path: Path) -> None:
    for i in range(3):
        photo(tmp_path / f"{i}.jpg", i)
    # 8 x 8 pixels from 10 4, turned by a quarter to the left of the corner: 2 4 10 12
    turned = box("nut", x=50, rotation=90)
    polygon = {**SIZE, "value": {"points": [[10, 25], [50, 50], [30, 75]], "polygonlabels": ["nut"]}}
    ellipse = {**SIZE, "value": {"x": 30, "y": 50, "radiusX": 20, "radiusY": 25, "ellipselabels": ["nut"]}}
    found = open_data(export(tmp_path, *(task(f"{i}.jpg", one) for i, one in enumerate((turned, polygon, ellipse)))))
    np.testing.assert_allclose(found.targets, [[0, 2, 4, 10, 12]] * 3, atol=1e-5)
    assert found.notes == (
        "3 images have polygons, ellipses or rotated rectangles; the first, 0.jpg; the box around each is used",
    )


def test_uploaded_names_are_found_without_their_prefix_and_local_ones_by_their_path(tmp_path: Path) -> None:
    photo(tmp_path / "cat 1.jpg", 0)
    photo(tmp_path / "photos" / "2.jpg", 1)
    tasks = (
        task("/data/upload/1/0a1b2c3d-cat%201.jpg", box("nut")),
        task("/data/local-files/?d=photos/2.jpg", box("nut")),
    )
    found = open_data(export(tmp_path, *tasks))
    assert found.names == ("cat 1.jpg", "photos/2.jpg")
    assert found.notes == (
        "1 image is found by its name before it was uploaded; the first, 0a1b2c3d-cat 1.jpg is cat 1.jpg",
    )


def test_the_first_annotation_that_was_not_cancelled_is_used(tmp_path: Path) -> None:
    photo(tmp_path / "0.jpg")
    content = task("0.jpg", box("bolt"), was_cancelled=True)
    assert isinstance(content["annotations"], list)
    content["annotations"] += [{"result": [box("nut")]}, {"result": [box("bolt")]}]
    content["predictions"] = [{"result": [box("bolt")]}]
    found = open_data(export(tmp_path, content))
    assert found.objects is not None
    assert [label for label, _ in found.objects[0]] == ["nut"]
    assert found.notes == (
        "1 image has several annotations; the first, 0.jpg; the first that was not cancelled is used",
    )


@pytest.mark.parametrize(
    ("result", "why"),
    [
        ({**SIZE, "value": {"keypointlabels": ["nut"], "x": 1, "y": 1}}, "a region of keypointlabels has no box"),
        ({**box("nut"), "image_rotation": 90}, "a region was drawn on the image turned in Label Studio"),
        (box(""), "has a box without a label"),
        (box("nut", x=None), "its box nan nan nan nan contains NaN or infinity"),
    ],
)
def test_regions_that_cannot_be_used_are_skipped_with_the_reason(
    tmp_path: Path, result: dict[str, object], why: str
) -> None:
    for i in range(2):
        photo(tmp_path / f"{i}.jpg", i)
    found = open_data(export(tmp_path, task("0.jpg", box("nut")), task("1.jpg", result), task("2.jpg", box("nut"))))
    assert found.skipped == (Skipped("1.jpg", why), Skipped("2.jpg", "no such file"))


def test_an_image_of_another_size_is_skipped(tmp_path: Path) -> None:
    photo(tmp_path / "0.jpg", 0)
    photo(tmp_path / "1.jpg", 1, (16, 20))
    found = open_data(export(tmp_path, task("0.jpg", box("nut")), task("1.jpg", box("nut"))))
    assert found.skipped == (
        Skipped("1.jpg", "its boxes were drawn on an image of 16 x 20 and the file is 20 x 16 (height x width)"),
    )


def test_choices_are_classes(tmp_path: Path) -> None:
    for i in range(4):
        photo(tmp_path / f"{i}.jpg", i)
    chosen = [{"type": "choices", "value": {"choices": labels}} for labels in (["nut"], ["bolt"], ["nut", "bolt"])]
    full = [task(f"{i}.jpg", one) for i, one in enumerate(chosen)]
    found = open_data(export(tmp_path, *full, task("3.jpg")))
    assert (found.target_kind, found.classes, found.targets.tolist()) == ("classes", ("bolt", "nut"), [1, 0])
    assert found.skipped == (Skipped("2.jpg", "has the choices bolt and nut"), Skipped("3.jpg", "has no choice"))
    short = [{"image": f"{i}.jpg", "choice": "ab"[i % 2], "annotator": 1, "annotation_id": i} for i in range(4)]
    assert open_data(export(tmp_path, *short)).targets.tolist() == [0, 1, 0, 1]


def test_an_export_without_tasks_is_rejected(tmp_path: Path) -> None:
    file = tmp_path / "export.json"
    file.write_text('{"annotations": [], "result": 1, "data": 2}')
    with pytest.raises(DataError) as caught:
        open_data(file)
    assert str(caught.value) == f"{file}: not JSON of Label Studio; it needs a list of tasks"
