"""Pascal VOC: which image an XML file belongs to, sizes, EXIF orientations, splits, and malicious files."""

from pathlib import Path

import pytest

from convscope.datasets import Dataset, Skipped
from convscope.errors import DataError
from convscope.layouts import open_data, recognise
from convscope.layouts.boxes.voc_xml import parse_xml
from helpers.box_files import photo, voc

NUT, BOLT = ("nut", 2, 4, 10, 12), ("bolt", 5, 1, 20, 16)


def pair(folder: Path) -> Path:
    """a.jpg with a nut and b.jpg with a bolt."""
    for i, (name, found) in enumerate((("a", NUT), ("b", BOLT))):
        photo(folder / f"{name}.jpg", i)
        voc(folder / f"{name}.xml", found, image=f"{name}.jpg")
    return folder


def by_name(found: Dataset) -> dict[str, list[object]]:
    return {
        name: [found.classes[int(kind)], *box]
        for name, (kind, *box) in zip(found.names, found.targets.tolist(), strict=True)
    }


def test_the_image_of_the_own_name_wins_over_a_stale_file_name(tmp_path: Path) -> None:
    pair(tmp_path)
    voc(tmp_path / "a.xml", NUT, image="b.jpg")
    voc(tmp_path / "b.xml", BOLT, image="c.jpg")
    found = open_data(tmp_path)
    assert by_name(found) == {"a.jpg": list(NUT), "b.jpg": list(BOLT)}
    assert found.notes == (
        "2 XML files name another image in <filename> than the one of their own name, which is used; "
        "the first, a.xml names b.jpg",
    )


@pytest.mark.parametrize("named", ["a", "a.png", "C:\\pics\\a.jpg", "/home/me/a.jpeg", "A.JPG", ""])
def test_a_file_name_of_another_folder_or_ending_is_no_contradiction(tmp_path: Path, named: str) -> None:
    pair(tmp_path)
    voc(tmp_path / "a.xml", NUT, image=named)
    found = open_data(tmp_path)
    assert by_name(found) == {"a.jpg": list(NUT), "b.jpg": list(BOLT)}
    assert found.notes == ()


def test_without_an_image_of_the_own_name_the_file_name_decides(tmp_path: Path) -> None:
    pair(tmp_path)
    (tmp_path / "a.xml").rename(tmp_path / "0001.xml")
    assert by_name(open_data(tmp_path)) == {"a.jpg": list(NUT), "b.jpg": list(BOLT)}


def test_an_annotation_of_a_deleted_image_is_not_given_to_its_neighbour(tmp_path: Path) -> None:
    pair(tmp_path)
    voc(tmp_path / "c.xml", ("bolt", 0, 0, 20, 16), image="a.jpg")
    found = open_data(tmp_path)
    assert by_name(found)["a.jpg"] == list(NUT)
    assert found.skipped == (
        Skipped("c.xml", "names the image a.jpg, which has a file of XML of its own; no image is called c"),
    )


def test_images_of_equal_names_belong_to_the_annotation_in_the_folder_like_theirs(tmp_path: Path) -> None:
    for part, found in (("train", NUT), ("val", ("nut", 1, 1, 3, 3))):
        photo(tmp_path / "JPEGImages" / part / "1.jpg", 1)
        voc(tmp_path / "Annotations" / part / "1.xml", found)
    found = open_data(tmp_path)
    assert by_name(found) == {"JPEGImages/train/1.jpg": list(NUT), "JPEGImages/val/1.jpg": ["nut", 1, 1, 3, 3]}
    assert found.splits.tolist() == ["train", "validation"]


def test_of_two_images_of_the_name_the_file_name_selects_one(tmp_path: Path) -> None:
    pair(tmp_path)
    photo(tmp_path / "a.png", 3)
    assert by_name(open_data(tmp_path))["a.jpg"] == list(NUT)
    voc(tmp_path / "a.xml", NUT, image="x.jpg")
    assert open_data(tmp_path).skipped == (Skipped("a.xml", "2 images have its name: a.jpg, a.png"),)


@pytest.mark.parametrize(
    ("orientation", "box"),
    [
        (2, (25, 20, 55, 38)), (3, (25, 2, 55, 20)), (4, (5, 2, 35, 20)),
        (5, (20, 5, 38, 35)), (6, (2, 5, 20, 35)), (7, (2, 25, 20, 55)), (8, (20, 25, 38, 55)),
    ],
)  # fmt: skip
def test_boxes_on_the_stored_pixels_turn_with_the_photograph(
    tmp_path: Path, orientation: int, box: tuple[int, ...]
) -> None:
    photo(tmp_path / "a.jpg", 1, (60, 40), orientation)
    voc(tmp_path / "a.xml", ("nut", 5, 20, 35, 38), size=(60, 40))
    photo(tmp_path / "b.jpg", 2, (60, 40), 6)  # shows that the tool did not apply the orientation
    voc(tmp_path / "b.xml", ("nut", 5, 20, 35, 38), size=(60, 40))
    found = open_data(tmp_path)
    assert by_name(found) == {"a.jpg": ["nut", *box], "b.jpg": ["nut", 2, 5, 20, 35]}
    assert found.notes == (
        "2 images (first a.jpg) are stored turned (EXIF), with boxes drawn on the stored pixels; "
        "the boxes are turned with the image",
    )


def test_boxes_on_the_upright_photograph_stay(tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg", 1, (60, 40), 6)
    voc(tmp_path / "a.xml", ("nut", 5, 20, 35, 58), size=(40, 60))
    found = open_data(tmp_path)
    assert (by_name(found), found.notes) == ({"a.jpg": ["nut", 5, 20, 35, 58]}, ())


def test_a_square_turned_photograph_is_taken_as_upright_with_a_note(tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg", 1, (40, 40), 6)
    voc(tmp_path / "a.xml", ("nut", 5, 20, 35, 38), size=(40, 40))
    found = open_data(tmp_path)
    assert by_name(found) == {"a.jpg": ["nut", 5, 20, 35, 38]}
    assert found.notes == (
        "1 image (a.jpg) is stored turned (EXIF), and the annotation does not show whether it was drawn on the upright "
        "image, which is assumed; compare the boxes on a sheet",
    )


def test_boxes_of_a_resized_image_are_scaled_and_those_of_another_image_skipped(tmp_path: Path) -> None:
    pair(tmp_path)
    voc(tmp_path / "a.xml", ("nut", 20, 40, 100, 120), size=(200, 160))
    photo(tmp_path / "c.jpg", 3)
    voc(tmp_path / "c.xml", NUT, size=(16, 20))
    found = open_data(tmp_path)
    assert by_name(found) == {"a.jpg": list(NUT), "b.jpg": list(BOLT)}
    assert found.notes == (
        "1 image (a.jpg) is resized after annotation, by the sizes: 160 x 200 annotated, 16 x 20 now; "
        "the boxes are scaled",
    )
    assert found.skipped == (
        Skipped("c.jpg", "its boxes were drawn on an image of 20 x 16 and the file is 16 x 20 (height x width)"),
    )


@pytest.mark.parametrize("size", [(0, 0), (-20, 16), ("nan", "inf"), ("", "x"), ("1e400", 3)])
def test_a_size_that_is_none_is_ignored(tmp_path: Path, size: tuple[int, int]) -> None:
    pair(tmp_path)
    voc(tmp_path / "a.xml", NUT, size=size)
    assert by_name(open_data(tmp_path))["a.jpg"] == list(NUT)


def test_the_lists_of_each_devkit_apply_to_its_own_images(tmp_path: Path) -> None:
    for year in ("VOC2007", "VOC2012"):
        for i in range(2):
            photo(tmp_path / year / "JPEGImages" / f"{i}.jpg", i)
            voc(tmp_path / year / "Annotations" / f"{i}.xml", NUT)
        lists = tmp_path / year / "ImageSets" / "Main"
        lists.mkdir(parents=True)
        (lists / "nut_train.txt").write_text("0 -1\n1 1\n")
    (tmp_path / "VOC2007/ImageSets/Main/trainval.txt").write_text("0\n")
    (tmp_path / "VOC2007/ImageSets/Main/test.txt").write_text("JPEGImages/1.jpg\n")
    (tmp_path / "VOC2012/ImageSets/Main/val.txt").write_bytes(b"1\r\n\xff\n")
    (tmp_path / "VOC2012/ImageSets/Main/train.txt").write_text("0\n1\n")
    (tmp_path / "VOC2012/ImageSets/Main/trainval.txt").write_text("0\n1\n")
    found = open_data(tmp_path)
    assert dict(zip(found.names, found.splits.tolist(), strict=True)) == {
        "VOC2007/JPEGImages/0.jpg": "train", "VOC2007/JPEGImages/1.jpg": "test", "VOC2012/JPEGImages/0.jpg": "train",
    }  # fmt: skip
    assert found.skipped == (Skipped("VOC2012/JPEGImages/1.jpg", "is listed in train and in validation"),)


def test_folders_train_and_valid_are_the_split_without_lists(tmp_path: Path) -> None:
    for part in ("train", "valid", "test"):
        photo(tmp_path / part / f"{part}.jpg")
        voc(tmp_path / part / f"{part}.xml", NUT, image=f"{part}.jpg")
    assert open_data(tmp_path).splits.tolist() == ["test", "train", "validation"]


def test_images_without_an_annotation_are_counted(tmp_path: Path) -> None:
    pair(tmp_path)
    photo(tmp_path / "x.jpg", 9)
    assert open_data(tmp_path).notes == ("1 image has no annotation and is skipped; the first, x.jpg",)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("0.png.aux.xml", '<PAMDataset><PAMRasterBand band="1"/></PAMDataset>'),
        ("sitemap.xml", "<urlset><url/></urlset>"),
        ("0.xml", "<annotations><version>1.1</version></annotations>"),
    ],
)
def test_xml_of_another_kind_does_not_make_class_folders_voc(tmp_path: Path, name: str, text: str) -> None:
    for label in ("field", "forest"):
        for i in range(2):
            photo(tmp_path / label / f"{i}.png", i)
        (tmp_path / label / name).write_text(text)
    found = open_data(tmp_path)
    assert (found.target_kind, found.classes, len(found)) == ("classes", ("field", "forest"), 4)
    assert [one.layout for one in recognise(tmp_path)] == ["folder"]


BOMB = '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;">]><annotation><filename>&y;</filename></annotation>'
ATTACK = "declares a document type or entities, which could be an attack; remove the declaration"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (BOMB, ATTACK),
        (BOMB.encode("utf-16"), ATTACK),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><annotation> </annotation>', ATTACK),
        ("<annotation><filename>a.jpg", "is not XML: no element found: line 1, column 27"),
        ("<annotation><filename>evil.jpg</filename></annotation>", "names the image evil.jpg: no such file"),
        ("<annotation></annotation>", "names the image evil: no such file"),
        (b"<annotation><filename>\xff.jpg</filename></annotation>",
         "is not XML: not well-formed (invalid token): line 1, column 22"),
        ('<?xml version="1.0" encoding="x"?><annotation> </annotation>', "is not XML: unknown encoding: x"),
    ],
)  # fmt: skip
def test_a_malicious_or_damaged_file_is_skipped_with_the_reason(tmp_path: Path, text: str | bytes, why: str) -> None:
    (pair(tmp_path) / "evil.xml").write_bytes(text.encode() if isinstance(text, str) else text)
    assert open_data(tmp_path).skipped == (Skipped("evil.xml", why),)


def test_an_annotation_of_many_megabytes_is_rejected() -> None:
    with pytest.raises(DataError) as caught:
        parse_xml(b"<a>" + b" " * 10_000_000 + b"</a>")
    assert str(caught.value) == "has more than 10,000,000 bytes, too many for an annotation"


def test_an_object_without_numbers_is_skipped_alone(tmp_path: Path) -> None:
    pair(tmp_path)
    voc(tmp_path / "a.xml", NUT, ("bolt", "", 1, 2, 3), ("bolt", "1,5", 1, 2, 3), ("bolt", "1e400x", 1, 2, 3))
    found = open_data(tmp_path)
    assert found.objects is not None
    assert found.objects[0] == (("nut", (2, 4, 10, 12)),)
    assert found.notes == (
        "3 objects are skipped; the first, in a.jpg: an object without numbers in xmin, ymin, xmax and ymax",
    )
