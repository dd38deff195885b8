"""COCO JSON: crowds, ids, sizes, splits, polygons, and files that are not COCO."""

import json
from pathlib import Path

import pytest

from convscope.datasets import Skipped
from convscope.errors import DataError
from convscope.layouts import open_data
from helpers.box_files import coco, photo

NEEDS = "not COCO JSON; it needs lists of images, categories and annotations"


def images(folder: Path, *names: str) -> list[dict[str, object]]:
    return [{"file_name": photo(folder / name, i).relative_to(folder).as_posix()} for i, name in enumerate(names)]


def box(image: int, category: int = 1, bbox: tuple[float, ...] = (2, 4, 8, 8), **more: object) -> dict[str, object]:
    return {"image_id": image, "category_id": category, "bbox": bbox, **more}


def test_crowds_are_omitted_with_a_note(tmp_path: Path) -> None:
    listed = images(tmp_path, "a.jpg", "b.jpg")
    whole = [box(i, 2, (0, 0, 20, 16), iscrowd=1) for i in range(2)]
    coco(tmp_path / "all.json", listed, [box(0), *whole, box(1, 1, iscrowd=0)])
    found = open_data(tmp_path)
    assert (found.classes, found.targets.tolist()) == (("nut",), [[0, 2, 4, 10, 12]] * 2)
    assert found.notes == ("2 objects are crowds (iscrowd) and omitted; the first, annotation 1 in all.json",)


def test_a_file_under_two_ids_has_the_objects_of_both(tmp_path: Path) -> None:
    listed = images(tmp_path, "a.jpg", "b.jpg")
    coco(tmp_path / "all.json", [*listed, {"file_name": "a.jpg"}], [box(0), box(1), box(2), box(2, 2, (0, 0, 20, 16))])
    found = open_data(tmp_path)
    assert found.names == ("a.jpg", "b.jpg")
    assert found.objects is not None
    assert found.objects[0] == (("nut", (2, 4, 10, 12)), ("bolt", (0, 0, 20, 16)))
    assert found.notes[0] == (
        "1 image is annotated more than once; the first, a.jpg; the objects are merged, equal ones once"
    )


def test_ids_that_do_not_exist_are_named(tmp_path: Path) -> None:
    coco(tmp_path / "all.json", images(tmp_path, "a.jpg"), [box(0), box(0, 9), box(7), {"bbox": [1, 1, 2, 2]}])
    found = open_data(tmp_path)
    assert found.notes == (
        "2 annotations are of no listed image; the first, annotation 2 in all.json, has image_id 7",
        "1 object is skipped; the first, in a.jpg: an object has category_id 9, which is not among the categories",
    )


def test_an_id_of_two_files_cannot_be_used(tmp_path: Path) -> None:
    a, b, c = images(tmp_path, "a.jpg", "b.jpg", "c.jpg")
    coco(tmp_path / "all.json", [{**a, "id": 5}, {**b, "id": 5}, {**c, "id": 6}], [box(5), box(6)])
    found = open_data(tmp_path)
    assert found.names == ("c.jpg",)
    assert found.skipped == tuple(
        Skipped(name, "its id 5 is also that of another image") for name in ("a.jpg", "b.jpg")
    )


def test_width_and_height_show_turned_resized_and_other_images(tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg", 0, (60, 40), 6)
    photo(tmp_path / "b.jpg", 1, (60, 40))
    photo(tmp_path / "c.jpg", 2, (60, 40))
    sizes = {"a.jpg": (60, 40), "b.jpg": (120, 80), "c.jpg": (50, 50)}
    listed: list[dict[str, object]] = [{"file_name": n, "width": w, "height": h} for n, (w, h) in sizes.items()]
    coco(tmp_path / "all.json", listed, [box(i, 1, (5, 20, 30, 18)) for i in range(3)])
    found = open_data(tmp_path)
    assert found.targets[:, 1:].tolist() == [[2, 5, 20, 35], [2.5, 10, 17.5, 19]]
    assert found.skipped == (
        Skipped("c.jpg", "its boxes were drawn on an image of 50 x 50 and the file is 40 x 60 (height x width)"),
    )


def test_sparse_and_textual_ids_and_supercategories_are_read(tmp_path: Path) -> None:
    categories: list[dict[str, object]] = [
        {"id": 0, "name": "parts", "supercategory": "none"},
        {"id": 90, "supercategory": "nut"},
        {"id": "7", "name": "bolt", "supercategory": "parts"},
    ]
    listed = [{**entry, "id": i} for i, entry in zip((10.0, "900"), images(tmp_path, "a.jpg", "b.jpg"), strict=True)]
    coco(tmp_path / "all.json", listed, [box(10, 90), box(900, 7)], categories)
    found = open_data(tmp_path)
    assert (found.classes, found.targets[:, 0].tolist()) == (("bolt", "nut"), [1, 0])


def test_objects_without_bbox_get_the_box_around_their_polygons(tmp_path: Path) -> None:
    polygon = {"image_id": 0, "category_id": 1, "segmentation": [[2, 4, 10, 4, 10, 8], [3, 6, 3, 12, 5, 6]]}
    mask = {"image_id": 0, "category_id": 1, "segmentation": {"counts": "abc", "size": [16, 20]}}
    coco(tmp_path / "all.json", images(tmp_path, "a.jpg"), [polygon, mask, box(0, 1, (3, 3, 0, 4)), box(0, 1, (1, 2))])
    found = open_data(tmp_path)
    assert found.targets.tolist() == [[0, 2, 4, 10, 12]]
    assert found.notes == (
        "3 objects are skipped; the first, in a.jpg: an object has no bbox of four numbers, polygons or mask",
    )


def test_objects_without_bbox_get_the_box_around_their_masks(tmp_path: Path) -> None:
    counts = [16 * 2 + 4, 8, 8, 8, 16 * 20 - 16 * 2 - 4 - 24]
    masks = [{"size": [16, 20], "counts": counts}, {"size": [16, 20], "counts": "T1880l7"}]
    entries = [{"image_id": i, "category_id": 1, "segmentation": mask} for i, mask in enumerate(masks)]
    coco(tmp_path / "all.json", images(tmp_path, "a.jpg", "b.jpg"), entries)
    found = open_data(tmp_path)
    assert found.targets.tolist() == [[0, 2, 4, 4, 12], [0, 2, 4, 4, 12]]
    assert found.notes == ()


def test_files_of_several_splits_are_one_data_set(tmp_path: Path) -> None:
    for i, part in enumerate(("train", "val")):
        photo(tmp_path / f"{part}2017" / f"{i}.jpg", i)
        photo(tmp_path / f"{part}2017" / "same.jpg", 5 + i)
        listed: list[dict[str, object]] = [{"file_name": f"{i}.jpg"}, {"file_name": "same.jpg"}]
        coco(tmp_path / "annotations" / f"instances_{part}2017.json", listed, [box(0), box(1)])
        coco(tmp_path / "annotations" / f"person_keypoints_{part}2017.json", listed, [box(0), box(1)])
    (tmp_path / "annotations" / "captions_train2017.json").write_text('{"images": [], "annotations": []}')
    found = open_data(tmp_path)
    assert dict(zip(found.names, found.splits.tolist(), strict=True)) == {
        "train2017/0.jpg": "train", "train2017/same.jpg": "train",
        "val2017/1.jpg": "validation", "val2017/same.jpg": "validation",
    }  # fmt: skip
    assert found.notes[0] == (
        "person_keypoints_train2017.json and person_keypoints_val2017.json describe the same images for other tasks "
        "and are skipped"
    )


def test_the_export_of_roboflow_is_read_with_its_splits(tmp_path: Path) -> None:
    categories: list[dict[str, object]] = [
        {"id": 0, "name": "parts", "supercategory": "none"}, {"id": 1, "name": "nut", "supercategory": "parts"},
    ]  # fmt: skip
    for i, part in enumerate(("train", "valid", "test")):
        photo(tmp_path / part / "1.jpg", i)
        listed: list[dict[str, object]] = [{"file_name": "1.jpg", "width": 20, "height": 16}]
        coco(tmp_path / part / "_annotations.coco.json", listed, [box(0)], categories)
    found = open_data(tmp_path)
    assert found.classes == ("nut",)
    assert dict(zip(found.names, found.splits.tolist(), strict=True)) == {
        "test/1.jpg": "test", "train/1.jpg": "train", "valid/1.jpg": "validation",
    }  # fmt: skip


def test_a_file_of_one_split_given_alone_is_not_a_split(tmp_path: Path) -> None:
    file = coco(tmp_path / "annotations" / "instances_val.json", images(tmp_path, "a.jpg"), [box(0)])
    assert open_data(file).splits.tolist() == [""]


def test_a_file_of_all_images_beside_those_of_the_splits_adds_nothing(tmp_path: Path) -> None:
    listed = images(tmp_path, "a.jpg", "b.jpg")
    coco(tmp_path / "all.json", listed, [box(0), box(1)])
    coco(tmp_path / "train.json", listed[:1], [box(0)])
    coco(tmp_path / "test.json", [{**listed[1], "id": 1}], [box(1)])
    found = open_data(tmp_path)
    assert found.splits.tolist() == ["train", "test"]
    assert found.objects == ((("nut", (2, 4, 10, 12)),),) * 2


def test_an_image_elsewhere_is_not_taken_for_a_missing_one(tmp_path: Path) -> None:
    photo(tmp_path / "patient1" / "1.jpg", 0)
    photo(tmp_path / "rejected" / "2.jpg", 1)
    coco(tmp_path / "all.json", [{"file_name": "patient1/1.jpg"}, {"file_name": "patient2/2.jpg"}], [box(0), box(1)])
    found = open_data(tmp_path)
    assert found.names == ("patient1/1.jpg",)
    assert found.skipped == (Skipped("patient2/2.jpg", "no such file"),)


def test_paths_of_another_machine_are_matched_after_their_common_folders(tmp_path: Path) -> None:
    for i, part in enumerate(("a", "b")):
        photo(tmp_path / part / "1.jpg", i)
    listed: list[dict[str, object]] = [{"file_name": f"C:\\me\\set\\{part}\\1.jpg"} for part in "ab"]
    coco(tmp_path / "all.json", listed, [box(0, 1), box(1, 2)])
    found = open_data(tmp_path)
    assert (found.names, found.targets[:, 0].tolist()) == (("a/1.jpg", "b/1.jpg"), [1, 0])


def test_a_bare_name_is_found_in_the_folder_of_the_other_images(tmp_path: Path) -> None:
    for name in ("images/0.jpg", "images/1.jpg", "images/old/1.jpg"):
        photo(tmp_path / name)
    names = ("0.jpg", "1.jpg", "old/1.jpg")
    coco(tmp_path / "all.json", [{"file_name": name} for name in names], [box(i, 1 + i // 2) for i in range(3)])
    found = open_data(tmp_path)
    assert dict(zip(found.names, found.targets[:, 0].tolist(), strict=True)) == {
        "images/0.jpg": 1, "images/1.jpg": 1, "images/old/1.jpg": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"annotations": 3, "images": [], "categories": []}', NEEDS),
        ('[{"images": 1, "annotations": 2, "categories": 3}]', NEEDS),
        ('{"images": "annotations" "categories"', "not JSON (Expecting ',' delimiter: line 1 column 26 (char 25)); "
         "export it again"),
        ('{"images": [], "annotations": [], "categories": ' + "[" * 100_000,
         "not annotations: it is nested too deeply; export it again"),
    ],
)  # fmt: skip
def test_json_in_another_format_is_rejected(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(DataError) as caught:
        open_data(tmp_path / "x.json")
    assert str(caught.value) == f"{tmp_path / 'x.json'}: {why}"


def test_numbers_that_are_too_large_or_not_finite_are_skipped(tmp_path: Path) -> None:
    listed = images(tmp_path, "a.jpg", "b.jpg", "c.jpg", "d.jpg")
    file = coco(tmp_path / "all.json", listed, [box(0), box(1, 1, (1, 1, 987, 2)), box(2, 1, (1, 1, 988, 2)),
                                                box(3, 1, (1, 1, 989, 2))])  # fmt: skip
    text = file.read_text().replace("987", "1" + "0" * 400).replace("988", "NaN").replace("989", "-Infinity")
    file.write_text(text)
    found = open_data(tmp_path)
    assert found.names == ("a.jpg",)
    assert [one.why for one in found.skipped] == [
        "its box 1 1 nan 3 contains NaN or infinity", "its box 1 1 nan 3 contains NaN or infinity",
        "its box 1 1 -inf 3 contains NaN or infinity",
    ]  # fmt: skip


def test_a_damaged_file_beside_a_sound_one_is_skipped(tmp_path: Path) -> None:
    coco(tmp_path / "a.json", images(tmp_path, "a.jpg"), [box(0)])
    (tmp_path / "b.json").write_text(json.dumps({"images": 1, "annotations": 2, "categories": 3}))
    found = open_data(tmp_path)
    assert found.names == ("a.jpg",)
    assert found.skipped == (Skipped("b.json", NEEDS),)


def test_corners_in_place_of_width_and_height_are_refused(tmp_path: Path) -> None:
    listed = [{**entry, "width": 20, "height": 16} for entry in images(tmp_path, "a.jpg", "b.jpg", "c.jpg", "d.jpg")]
    corners = [(10, 4, 18, 12), (2, 9, 10, 15), (12, 2, 19, 6), (1, 1, 9, 8)]
    coco(tmp_path / "all.json", listed, [box(i, 1, found) for i, found in enumerate(corners)])
    with pytest.raises(DataError) as caught:
        open_data(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / 'all.json'}: 3 of 4 boxes extend beyond their image, as if bbox were x1, y1, x2, y2; "
        "COCO has x, y, width, height; convert them"
    )
    right = [(x, y, x2 - x, y2 - y) for x, y, x2, y2 in corners]
    coco(tmp_path / "all.json", listed, [box(i, 1, found) for i, found in enumerate(right)])
    assert open_data(tmp_path).targets[:, 1:].tolist() == [list(found) for found in corners]


def test_categories_without_boxes_are_the_classes_of_the_images(tmp_path: Path) -> None:
    listed = images(tmp_path, *(f"{i}.jpg" for i in range(6)))
    annotations = [{"image_id": i, "category_id": 1 + i % 2} for i in range(5)] + [{"image_id": 4, "category_id": 2}]
    coco(tmp_path / "all.json", listed, annotations)
    for kind in (None, "classes"):
        found = open_data(tmp_path, target_kind=kind)
        assert (found.layout, found.target_kind, found.classes) == ("coco", "classes", ("bolt", "nut"))
        assert found.names == ("0.jpg", "1.jpg", "2.jpg", "3.jpg")
        assert [found.classes[k] for k in found.targets] == ["nut", "bolt", "nut", "bolt"]
        assert found.skipped == (
            Skipped("4.jpg", "has 2 categories, bolt and nut; leave one"), Skipped("5.jpg", "has no annotation"),
        )  # fmt: skip
        assert found.notes[0] == (
            "no annotation has a box, polygons or a mask: the categories are the classes of the images"
        )
