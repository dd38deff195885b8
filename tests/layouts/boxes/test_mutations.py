"""Mutated annotation files of every box layout: read, or refused in one line, never an exception or a hang."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from convscope.layouts.boxes.coco import read_coco
from convscope.layouts.boxes.cvat import read_cvat
from convscope.layouts.boxes.label_studio import read_label_studio
from convscope.layouts.boxes.labelme import read_labelme
from convscope.layouts.boxes.via import read_via
from convscope.layouts.boxes.voc import read_voc
from convscope.layouts.boxes.yolo import read_yolo
from helpers.box_files import photo
from helpers.mutations import failures

COUNT = int(os.environ.get("CONVSCOPE_MUTATIONS", "600"))  # files for each layout

XML = (
    b"<annotation><filename>a.jpg</filename><size><width>20</width><height>16</height></size>"
    b"<object><name>nut</name><bndbox><xmin>2</xmin><ymin>4</ymin><xmax>10</xmax><ymax>12</ymax></bndbox></object>"
    b"</annotation>"
)
CVAT = (
    b"<annotations><version>1.1</version><meta><task><labels><label><name>nut</name></label></labels></task></meta>"
    b'<image id="0" name="a.jpg" subset="Train" width="20" height="16">'
    b'<box label="nut" xtl="2" ytl="4" xbr="10" ybr="12" rotation="30"/>'
    b'<polygon label="nut" points="2.0,4.0;10,6;5,12"/>'
    b'<ellipse label="nut" cx="8" cy="8" rx="3" ry="2"/>'
    b'<mask label="nut" rle="1, 3, 4, 4" left="2" top="4" width="4" height="3"/></image></annotations>'
)
REGION = {
    "shape_attributes": {"name": "rect", "x": 2, "y": 4, "width": 8, "height": 8},
    "region_attributes": {"c": "n"},
}
POLYGON = {
    "shape_attributes": {"name": "polygon", "all_points_x": [2, 10, 5], "all_points_y": [4, 6, 12]},
    "region_attributes": {"c": {"n": True}},
}
VALUE = {"x": 10, "y": 25, "width": 40, "height": 50, "rotation": 10, "rectanglelabels": ["nut"]}
RESULT = {"original_width": 20, "original_height": 16, "image_rotation": 0, "value": VALUE, "type": "rectanglelabels"}
COCO = {
    "images": [{"id": 1, "file_name": "a.jpg", "width": 20, "height": 16}],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 1, "bbox": [2, 4, 8, 8.5], "iscrowd": 0},
        {"id": 2, "image_id": 1, "category_id": 1, "segmentation": [[2, 4, 8, 8, 3, 3]]},
        {"id": 3, "image_id": 1, "category_id": 1, "segmentation": {"size": [16, 20], "counts": [40, 8, 8, 8, 256]}},
        {"id": 4, "image_id": 1, "category_id": 1, "segmentation": {"size": [16, 20], "counts": "X1888P8"}},
    ],
    "categories": [{"id": 1, "name": "nut", "supercategory": "part"}],
}
LABELME = {
    "shapes": [{"label": "nut", "shape_type": "circle", "points": [[6, 8], [6, 4]]}],
    "imagePath": "a.jpg", "imageWidth": 20, "imageHeight": 16,
}  # fmt: skip
YAML = b"path: .\ntrain: images\nval: [images, x]\nnc: 2\nnames:\n- nut\n- bolt\nkpt_shape: [1, 2]\n"
LISTS = b"classes = 2\ntrain = train.txt\nnames = obj.names\n"


def as_json(*contents: object) -> tuple[bytes, ...]:
    return tuple(json.dumps(content, indent=1).encode() for content in contents)


CASES: dict[str, tuple[str, tuple[bytes, ...], Callable[[Path], object]]] = {
    "voc": ("a.xml", (XML, XML.decode().encode("utf-16")), read_voc),
    "cvat": ("a.xml", (CVAT,), read_cvat),
    "coco": ("a.json", as_json(COCO), read_coco),
    "via": ("a.json", as_json({"a": {"filename": "a.jpg", "regions": [REGION, POLYGON]}}), read_via),
    "label studio": (
        "a.json",
        as_json(
            [{"annotations": [{"result": [RESULT]}], "data": {"image": "/data/upload/a.jpg"}}],
            [{"image": "/x/?d=a.jpg", "label": [{**RESULT, **VALUE}], "choice": "x", "annotator": 1, "annotation_id": 2}
            ],
        ),
        read_label_studio,
    ),
    "labelme": ("a.json", as_json(LABELME), read_labelme),
    "yolo labels": (
        "labels/a.txt", (b"0 0.5 0.5 0.4 0.5\n1 0.1 0.1 0.5 0.1 0.5 0.6 0.3 0.7\n", b"1 .5 .5 .2 .2 .9\r\n"), read_yolo,
    ),
    "yolo YAML": ("data.yaml", (YAML,), read_yolo),
    "darknet": ("obj.data", (LISTS,), read_yolo),
    "list": ("train.txt", (b"./images/a.jpg\nimages/a.jpg\n", b"/home/me/images/a.jpg\n"), read_yolo),
}  # fmt: skip


def reader(folder: Path, name: str, read: Callable[[Path], object]) -> Callable[[bytes], object]:
    """Writes the content of one file of a small data set and reads it."""
    photo(folder / "images" / "a.jpg")
    (folder / "labels").mkdir()
    (folder / "labels" / "a.txt").write_text("0 0.5 0.5 0.4 0.5\n")
    (folder / "obj.names").write_text("nut\nbolt\n")

    def read_mutated(content: bytes) -> object:
        (folder / name).write_bytes(content)
        return read(folder)

    return read_mutated


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_mutated_files_are_read_or_refused_in_one_line(tmp_path: Path, case: str) -> None:
    name, samples, read = CASES[case]
    assert list(failures(samples, COUNT, reader(tmp_path, name, read))) == []


@pytest.mark.parametrize("case", CASES)
def test_the_samples_are_read_and_a_few_mutations_too(tmp_path: Path, case: str) -> None:
    name, samples, read = CASES[case]
    read_content = reader(tmp_path, name, read)
    for sample in samples:
        read_content(sample)
    assert list(failures(samples, 20, read_content, seed=1)) == []
