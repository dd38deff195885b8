"""Tables of boxes as annotation tools and published sets write them."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from convscope.datasets.dataset import Dataset, Skipped
from convscope.errors import DataError
from convscope.layouts.recognise import open_data
from convscope.layouts.tables.columns import Columns

Save = Callable[..., Path]
Read = Callable[..., Dataset]


@pytest.fixture
def read(tmp_path: Path, save: Save) -> Read:
    """A function that reads a text as a table beside a.png to f.png of 40 x 30 pixels (width x height)."""
    for name in "abcdef":
        save(tmp_path / f"{name}.png", size=(40, 30))

    def opened(text: str, target_kind: str | None = None, **columns: str) -> Dataset:
        (tmp_path / "list.csv").write_text(text)
        return open_data(tmp_path / "list.csv", columns=Columns(**columns), target_kind=target_kind)

    return opened


EXPECTED = [[0, 4, 6, 20, 15], [1, 8, 3, 32, 24]]
CENTRE = "cx,cy,w,h\na.png,cat,12,10.5,16,9\nb.png,dog,20,13.5,24,21\n"


@pytest.mark.parametrize(
    "text",
    [
        "file,label,xmin,ymin,xmax,ymax\na.png,cat,4,6,20,15\nb.png,dog,8,3,32,24\n",
        "file,species,x1,y1,x2,y2\na.png,cat,4,6,20,15\nb.png,dog,8,3,32,24\n",
        "file,species,x0,y0,x1,y1\na.png,cat,4,6,20,15\nb.png,dog,8,3,32,24\n",
        "file,ClassId,Roi.X1,Roi.Y1,Roi.X2,Roi.Y2,kind\na.png,0,4,6,20,15,cat\nb.png,1,8,3,32,24,dog\n",
        "file,label,x,y,width,height\na.png,cat,4,6,16,9\nb.png,dog,8,3,24,21\n",
        "file,label,bbox_x,bbox_y,bbox_w,bbox_h\na.png,cat,4,6,16,9\nb.png,dog,8,3,24,21\n",
        f"file,label,{CENTRE}",
        'file,label,bbox\na.png,cat,"[4.0, 6.0, 16.0, 9.0]"\nb.png,dog,"[8, 3, 24, 21]"\n',
        "file,label,bbox\na.png,cat,4 6 16 9\nb.png,dog,8 3 24 21\n",
        'file,label,bbox\na.png,cat,"[4, 6, 20, 15]"\nb.png,dog,"[8, 3, 32, 24]"\nc.png,cat,"[30, 20, 39, 29]"\n',
        "a.png,4,6,20,15,cat\nb.png,8,3,32,24,dog\nc.png,,,,,\n",
        "file,label,xmin,ymin,xmax,ymax\na.png,cat,0.1,0.2,0.5,0.5\nb.png,dog,0.2,0.1,0.8,0.8\n",
    ],
)
def test_boxes_of_any_form_are_read(read: Read, text: str) -> None:
    found = read(text)
    assert found.target_kind == "boxes"
    assert found.classes in (("cat", "dog"), ("0", "1"))
    np.testing.assert_allclose(found.targets[:2], EXPECTED, atol=1e-4)


def test_a_file_of_retinanet_has_no_header_and_images_without_objects(read: Read) -> None:
    found = read("a.png,4,6,20,15,cat\nb.png,8,3,32,24,dog\nc.png,,,,,\na.png,1,1,5,5,dog\n")
    assert found.notes[0] == "no header: the columns are called path, x1, y1, x2, y2, class_name"
    assert found.skipped == (Skipped("c.png", "has no box"),)
    assert found.objects is not None
    assert found.objects[0] == (("cat", (4, 6, 20, 15)), ("dog", (1, 1, 5, 5)))


def test_open_images_gives_shares_of_the_image_in_another_order_and_groups(read: Read) -> None:
    header = "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf\n"
    found = read(
        f"{header}a,xclick,/m/01,1,0.1,0.5,0.2,0.5,0,0,0\nb,xclick,/m/02,1,0.2,0.8,0.1,0.8,1,0,0\n"
        "a,xclick,/m/02,1,0,1,0,1,0,0,1\n"
    )
    assert found.classes == ("/m/01", "/m/02")
    np.testing.assert_allclose(found.targets, EXPECTED, atol=1e-4)
    assert "boxes around groups are left out (IsGroupOf): 1" in found.notes
    assert "boxes are in shares of the image" in found.notes
    assert found.notes[0] == "columns used: ImageID for image, LabelName for label, XMin, YMin, XMax, YMax for boxes"
    assert (
        "classes are identifiers such as /m/01; put class-descriptions.csv of Open Images beside the table"
        in found.notes
    )


def test_the_classes_of_open_images_are_named_by_their_descriptions(read: Read, tmp_path: Path) -> None:
    header = "ImageID,LabelName,XMin,XMax,YMin,YMax\n"
    rows = "a,/m/01,0.1,0.5,0.2,0.5\nb,/m/02,0.2,0.8,0.1,0.8\nc,/m/03,0.2,0.8,0.1,0.8\nd,/m/04,0.2,0.8,0.1,0.8\n"
    described = '/m/01,Cat\n/m/02,"Dog, small"\n/m/03,Same\n/m/04,Same\n/m/05,Car\n'
    (tmp_path / "class-descriptions-boxable.csv").write_text(described)
    found = read(header + rows)
    assert found.classes == ("/m/03", "/m/04", "Cat", "Dog, small")
    assert found.targets[:, 0].tolist() == [2, 3, 0, 1]
    assert "names of 2 of 4 classes are from class-descriptions-boxable.csv" in found.notes


def via(name: str, shape: dict[str, object], **attributes: object) -> str:
    def quoted(content: object) -> str:
        return '"' + json.dumps(content).replace('"', '""') + '"'

    return f'{name},100,"{{}}",1,0,{quoted(shape)},{quoted(attributes)}\n'


def test_vias_regions_are_boxes_around_shapes(read: Read) -> None:
    header = "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes\n"
    text = header + "".join(
        (
            via("a.png", {"name": "rect", "x": 4, "y": 6, "width": 16, "height": 9}, type="cat"),
            via("b.png", {"name": "polygon", "all_points_x": [8, 32, 9], "all_points_y": [3, 20, 24]}, type="dog"),
            via("c.png", {"name": "circle", "cx": 20, "cy": 15, "r": 5}, type="dog"),
            via("d.png", {"name": "ellipse", "cx": 20, "cy": 15, "rx": 8, "ry": 5}, type={"cat": True, "dog": False}),
            via("e.png", {}),
            via("f.png", {"name": "point", "cx": 1, "cy": 2}, type="cat"),
        )
    )
    found = read(text)
    assert found.classes == ("cat", "dog")
    np.testing.assert_allclose(found.targets, [*EXPECTED, [1, 15, 10, 25, 20], [0, 12, 10, 28, 20]])
    assert found.skipped == (
        Skipped("e.png", "has no box"),
        Skipped("f.png", "its box nan nan nan nan contains NaN or infinity"),
    )


ROBOFLOW = "filename,width,height,class,xmin,ymin,xmax,ymax\n"


def test_the_sizes_of_a_table_are_compared_with_the_files(read: Read) -> None:
    found = read(f"{ROBOFLOW}a.png,40,30,cat,4,6,20,15\nb.png,80,60,dog,16,6,64,48\nc.png,50,50,cat,1,1,9,9\n")
    np.testing.assert_allclose(found.targets, EXPECTED, atol=1e-4)
    assert found.skipped == (
        Skipped("c.png", "its boxes were drawn on an image of 50 x 50 and the file is 30 x 40 (height x width)"),
    )
    assert any(note.startswith("1 image (b.png) is resized after annotation") for note in found.notes)


def test_roboflows_table_of_each_split_is_one_data_set(tmp_path: Path, save: Save) -> None:
    for split, names in (("train", "ab"), ("valid", "c"), ("test", "d")):
        for name in names:
            save(tmp_path / split / f"{name}.jpg", size=(40, 30))
        rows = "".join(f"{name}.jpg,40,30,{'cat' if name != 'b' else 'dog'},4,6,20,15\n" for name in names)
        (tmp_path / split / "_annotations.csv").write_text(ROBOFLOW + rows)
    found = open_data(tmp_path)
    assert (found.layout, found.target_kind, found.classes) == ("table-folder", "boxes", ("cat", "dog"))
    assert found.names == ("test/d.jpg", "train/a.jpg", "train/b.jpg", "valid/c.jpg")
    assert found.splits.tolist() == ["test", "train", "train", "validation"]
    assert found.targets.tolist() == [[k, 4, 6, 20, 15] for k in (0, 0, 1, 0)]


def test_boxes_beyond_most_images_are_refused_with_the_reading(read: Read) -> None:
    rows = "".join(f"{name}.png,cat,20,15,30,25\n" for name in "abcd")
    with pytest.raises(DataError) as caught:
        read(f"file,label,x,y,w,h\n{rows}")
    assert str(caught.value).partition("list.csv: ")[2] == (
        "boxes reach beyond 4 of 4 images, such as 20 15 50 40 in a.png of 30 x 40 (height x width); "
        "x, y, w, h are read as corner, width and height in pixels: "
        "rename the columns, or give the images that were annotated"
    )


def test_a_given_label_column_keeps_the_boxes(read: Read) -> None:
    text = "file,a,b,x1,y1,x2,y2\na.png,u,cat,4,6,20,15\nb.png,v,dog,8,3,32,24\n"
    for kind in (None, "boxes"):
        found = read(text, kind, label="b")
        assert (found.target_kind, found.classes) == ("boxes", ("cat", "dog"))
    assert read(text, "classes", label="b").target_kind == "classes"
    unnamed = read(text)
    assert unnamed.classes == ("object",)
    assert unnamed.notes[-1] == "no column of classes, so all objects are called object; --label-column names one"


def test_an_image_in_two_splits_is_named(read: Read) -> None:
    found = read(
        "file,label,x1,y1,x2,y2,split\na.png,cat,4,6,20,15,train\nb.png,dog,8,3,32,24,train\n"
        "c.png,cat,1,1,9,9,train\nc.png,cat,2,2,9,9,test\n"
    )
    assert found.skipped == (Skipped("c.png", "rows disagree, row 4: train, row 5: test"),)


def test_a_missing_label_or_corner_omits_the_object_only(read: Read) -> None:
    found = read(
        "file,label,x1,y1,x2,y2\na.png,cat,4,6,20,15\na.png,nan,1,1,30,30\nb.png,dog,8,3,32,24\nb.png,dog,x,1,2,3\n"
    )
    np.testing.assert_allclose(found.targets, EXPECTED)


def test_where_an_image_is_from_is_no_class_of_its_objects(tmp_path: Path, save: Save) -> None:
    rows = [f'{i},60,40,"[{5 + i}, 6, 20, 18]",{("usask", "arvalis")[i % 2]}' for i in range(4)]
    for i in range(4):
        save(tmp_path / f"{i}.png", size=(60, 40))
    (tmp_path / "train.csv").write_text("\n".join(["image_id,width,height,bbox,source", *rows]))
    dataset = open_data(tmp_path)
    assert dataset.classes == ("object",)
    assert "columns not used: width (of the file), height (of the file), source" in dataset.notes
