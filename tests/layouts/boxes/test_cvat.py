"""CVAT for images: shapes, subsets, sizes and files that are something else."""

from pathlib import Path

import numpy as np
import pytest

from convscope.datasets import Skipped
from convscope.errors import DataError
from convscope.layouts import open_data
from helpers.box_files import photo

BOX = '<box label="nut" xtl="2" ytl="4" xbr="10" ybr="12"/>'


def cvat(file: Path, *images: str) -> Path:
    """Write an export; images are elements."""
    meta = "<meta><task><labels><label><name>nut</name></label></labels></task></meta>"
    file.write_text(f"<annotations><version>1.1</version>{meta}{''.join(images)}</annotations>")
    return file


def entry(name: str, *shapes: str, size: tuple[int, int] = (20, 16), subset: str = "") -> str:
    return (
        f'<image id="0" name="{name}" subset="{subset}" width="{size[0]}" height="{size[1]}">{"".join(shapes)}</image>'
    )


def test_images_are_read_with_their_boxes_and_subsets(tmp_path: Path) -> None:
    for i in range(4):
        photo(tmp_path / "images" / f"{i}.jpg", i)
    subsets = ("Train", "Validation", "default", "Test")
    boxes = (BOX, BOX, BOX.replace("nut", "bolt"), BOX)
    entries = [entry(f"{i}.jpg", boxes[i], subset=subsets[i]) for i in range(4)]
    cvat(tmp_path / "annotations.xml", *entries, entry("5.jpg", BOX))
    for source in (tmp_path, tmp_path / "annotations.xml"):
        found = open_data(source)
        assert (found.layout, found.classes) == ("cvat", ("bolt", "nut"))
        assert found.targets.tolist() == [[i != 2, 2, 4, 10, 12] for i in range(4)]
        assert found.splits.tolist() == ["train", "validation", "", "test"]
        assert found.skipped == (Skipped("5.jpg", "no such file"),)
        assert found.notes == ()


@pytest.mark.parametrize(
    ("shape", "box"),
    [
        ('<box label="nut" xtl="4" ytl="6" xbr="12" ybr="10" rotation="90"/>', [6, 4, 10, 12]),
        ('<polygon label="nut" points="2.0,4.0;10,6;5,12"/>', [2, 4, 10, 12]),
        ('<polyline label="nut" points="2,4;10,12"/>', [2, 4, 10, 12]),
        ('<ellipse label="nut" cx="8" cy="8" rx="4" ry="2"/>', [4, 6, 12, 10]),
        ('<ellipse label="nut" cx="8" cy="8" rx="4" ry="2" rotation="90"/>', [6, 4, 10, 12]),
        ('<mask label="nut" rle="3, 5" left="2" top="4" width="8" height="8"/>', [2, 4, 10, 12]),
    ],
)
def test_other_shapes_get_the_box_around_them(tmp_path: Path, shape: str, box: list[float]) -> None:
    photo(tmp_path / "0.jpg")
    cvat(tmp_path / "a.xml", entry("0.jpg", shape, '<points label="nut" points="1,1"/>'))
    found = open_data(tmp_path)
    np.testing.assert_allclose(found.targets, [[0, *box]], atol=1e-5)
    assert found.notes == (
        "1 shape is not an upright rectangle; the first, in 0.jpg; the box around each is used",
        "1 object is skipped; the first, in 0.jpg: a shape of type points has no box",
    )


def test_boxes_of_another_size_are_not_used(tmp_path: Path) -> None:
    photo(tmp_path / "0.jpg")
    photo(tmp_path / "1.jpg", 1)
    cvat(tmp_path / "a.xml", entry("0.jpg", BOX), entry("1.jpg", BOX, size=(31, 17)))
    found = open_data(tmp_path)
    assert found.names == ("0.jpg",)
    assert [skipped.name for skipped in found.skipped] == ["1.jpg"]


def test_tracks_of_a_video_and_damaged_files_are_refused(tmp_path: Path) -> None:
    photo(tmp_path / "0.jpg")
    file = cvat(tmp_path / "a.xml", '<track id="0" label="nut"><box frame="0"/></track>')
    with pytest.raises(DataError) as error:
        open_data(tmp_path)
    assert str(error.value) == (f"{file}: has the tracks of a video; export it as CVAT for images 1.1, with the frames")
    file.write_text('<annotations><image name="0.jpg">')
    with pytest.raises(DataError) as error:
        open_data(file)
    assert str(error.value) == (f"{file}: is not XML: no element found: line 1, column 33; export it again")
