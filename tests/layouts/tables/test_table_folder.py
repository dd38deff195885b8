"""Tables inside a folder of images, and JSON Lines."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from convscope.datasets.dataset import Skipped
from convscope.errors import DataError
from convscope.layouts.layout import ReadSettings, Source
from convscope.layouts.recognise import open_data
from convscope.layouts.tables.columns import Columns
from convscope.layouts.tables.table import read_table
from convscope.layouts.tables.table_folder import TABLE_FOLDER

Save = Callable[..., Path]


@pytest.fixture
def images(tmp_path: Path, save: Save) -> Path:
    for i in range(4):
        save(tmp_path / "images" / f"{i}.png")
    return tmp_path


def rows(labels: str, first: int = 0) -> str:
    return "image,label\n" + "".join(f"{first + i}.png,{label}\n" for i, label in enumerate(labels))


def test_a_table_beside_the_folder_of_images_is_read(images: Path) -> None:
    (images / "train.csv").write_text(rows("abab"))
    found = open_data(images)
    assert (found.layout, found.because, found.source) == ("table-folder", "train.csv lists images", str(images))
    assert (found.names, found.targets.tolist()) == (tuple(f"images/{i}.png" for i in range(4)), [0, 1, 0, 1])
    assert found.splits.tolist() == ["train"] * 4
    assert open_data(images, columns=Columns(label="label")).classes == ("a", "b")


def test_a_table_per_split_and_others_without_labels(images: Path) -> None:
    (images / "train.csv").write_text(rows("ab"))
    (images / "val.csv").write_text(rows("ab", 2))
    (images / "test.csv").write_text("image\n0.png\n1.png\n")
    (images / "sample_submission.csv").write_text(rows("aaaa"))
    (images / "classes.csv").write_text("0,a\n1,b\n")
    found = open_data(images)
    assert found.splits.tolist() == ["train", "train", "validation", "validation"]
    assert found.notes[-1] == "tables with other columns than train.csv are left out: test.csv"


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_metadata_in_each_folder_of_a_split(tmp_path: Path, save: Save, ending: str) -> None:
    for split in ("train", "validation"):
        records = []
        for i in range(4):
            save(tmp_path / split / f"{i}.png")
            records.append({"file_name": f"{i}.png", "label": "ab"[i % 2]})
        text = (
            "".join(json.dumps(record) + "\n" for record in records)
            if ending == "jsonl"
            else "file_name,label\n" + "".join(f"{r['file_name']},{r['label']}\n" for r in records)
        )
        (tmp_path / split / f"metadata.{ending}").write_text(text)
    found = open_data(tmp_path)
    assert found.names == tuple(f"{split}/{i}.png" for split in ("train", "validation") for i in range(4))
    assert found.splits.tolist() == ["train"] * 4 + ["validation"] * 4
    assert found.targets.tolist() == [0, 1] * 4


def test_two_tables_of_the_same_columns_are_refused(images: Path) -> None:
    (images / "first.csv").write_text(rows("abab"))
    (images / "second.csv").write_text(rows("bbaa"))
    with pytest.raises(DataError) as caught:
        open_data(images, layout="table-folder")
    assert str(caught.value) == (
        f"{images}: contains 2 tables of the same columns, first.csv and second.csv; give one of them"
    )


def test_class_folders_beside_a_table_that_says_otherwise_are_the_users_choice(tmp_path: Path, save: Save) -> None:
    for i in range(4):
        save(tmp_path / "cd"[i % 2] / f"{i}.png")
    (tmp_path / "list.csv").write_text(rows("abba"))
    with pytest.raises(DataError, match="choose with --layout"):
        open_data(tmp_path)
    assert open_data(tmp_path, layout="folder").classes == ("c", "d")
    assert open_data(tmp_path, layout="table-folder").classes == ("a", "b")
    (tmp_path / "list.csv").write_text(rows("cdcd"))
    assert open_data(tmp_path).layout == "folder"
    (tmp_path / "list.csv").write_text("image,sharpness\n" + "".join(f"{i}.png,{i}.5\n" for i in range(4)))
    assert open_data(tmp_path).layout == "folder"


def test_a_requested_table_of_masks_is_read_though_the_folders_say_the_same(tmp_path: Path, save: Save) -> None:
    lines = ["image,mask"]
    for i in range(4):
        save(tmp_path / "images" / f"{i}.png", i)
        save(tmp_path / "targets" / f"{i}_mask.png", i, "1")
        lines.append(f"images/{i}.png,targets/{i}_mask.png")
    (tmp_path / "train.csv").write_text("\n".join(lines))
    found = open_data(tmp_path, layout="table-folder", target_kind="masks")
    assert (found.layout, found.target_kind, len(found)) == ("table-folder", "masks", 4)


def test_tables_that_name_no_image_are_not_recognised(images: Path) -> None:
    (images / "names.csv").write_text("file,label\nx.png,a\ny.png,b\n")
    (images / "broken.parquet").write_text("no")
    assert TABLE_FOLDER.recognise(Source(images), ReadSettings()) is None


def test_lines_of_json_are_rows(images: Path) -> None:
    lines = [
        '{"file_name": "0.png", "label": "a", "extra": {"x": [1, 2]}}',
        '{"file_name": "1.png", "label": "b"}',
        "",
        '{"file_name": "2.png"}',
        "[1]",
        "{bad",
        "[" * 100_000,
        '{"file_name": "3.png", "label": "b", "other": null}',
    ]
    (images / "metadata.jsonl").write_text("\n".join(lines))
    found = read_table(images / "metadata.jsonl")
    assert (found.names, found.classes) == (("images/0.png", "images/1.png", "images/3.png"), ("a", "b"))
    assert found.skipped == (
        Skipped("images/2.png", "has no label"),
        Skipped("line 5", "is not a JSON object: [1]"),
        Skipped("line 6", "is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        Skipped("line 7", "is nested too deeply"),
    )


def test_objects_in_a_line_of_json_are_boxes(images: Path) -> None:
    lines = [
        '{"file_name": "0.png", "objects": {"bbox": [[1, 2, 8, 9], [3, 3, 4, 4]], "categories": ["cat", "dog"]}}',
        '{"file_name": "1.png", "objects": [{"bbox": [2, 2, 6, 8], "category": "dog"}]}',
        '{"file_name": "2.png", "objects": {"bbox": [], "categories": []}}',
    ]
    (images / "metadata.jsonl").write_text("\n".join(lines))
    found = open_data(images)
    assert (found.target_kind, found.classes, found.targets.tolist()) == (
        *("boxes", ("cat", "dog"), [[0, 1, 2, 9, 11], [1, 2, 2, 8, 10]]),
    )
    assert found.objects is not None
    assert found.objects[0] == (("cat", (1, 2, 9, 11)), ("dog", (3, 3, 7, 7)))
    assert found.skipped == (Skipped("images/2.png", "has no box"),)


def message(folder: Path, **settings: str) -> str:
    with pytest.raises(DataError) as error:
        open_data(folder, **settings)
    return str(error.value)


def test_a_table_of_labels_of_images_in_many_folders_is_the_users_choice(tmp_path: Path, save: Save) -> None:
    lines = ["path,round,red"]
    for i in range(6):
        save(tmp_path / "train" / f"patient{i}" / "view.png")
        lines.append(f"archive/train/patient{i}/view.png,{i % 2},{int(i > 2)}")
    (tmp_path / "train.csv").write_text("\n".join(lines))
    assert message(tmp_path) == (
        f"{tmp_path}: can be read in the layout table-folder, because train.csv lists images; or in the layout folder, "
        "because its 6 folders patient0, patient1, patient2, ... in train contain images; "
        "choose with --layout table-folder or --layout folder"
    )
    assert open_data(tmp_path, layout="table-folder").classes == ("round", "red")


def test_a_table_whose_names_are_ambiguous_keeps_folders_from_becoming_classes(tmp_path: Path, save: Save) -> None:
    for i in range(4):
        save(tmp_path / "thumbs" / f"{i}.png")
        save(tmp_path / "photos" / f"{i}.png")
    (tmp_path / "t.csv").write_text(rows("abab"))
    assert message(tmp_path).startswith(
        f"{tmp_path}: can be read in the layout table-folder, because t.csv lists images;"
    )
    assert message(tmp_path, layout="table-folder") == (
        f"{tmp_path}: none of its 4 rows gives a labelled file; the first, 0.png: 2 files have the name: photos/0.png, "
        "thumbs/0.png; put the table into the folder of its images, or write that folder in the column image"
    )


def test_parts_of_the_images_beside_a_table_are_no_classes(tmp_path: Path, save: Save) -> None:
    for i in range(8):
        save(tmp_path / f"HAM_images_part_{1 + i // 4}" / f"ISIC_{i}.jpg", i)
    lines = [f"L{i // 2},ISIC_{i},{('nv', 'mel')[i % 2]},{40 + i % 3}" for i in range(8)]
    (tmp_path / "metadata.csv").write_text("\n".join(["lesion_id,image_id,dx,age", *lines]))
    with pytest.raises(DataError, match="no column for the label among image_id, lesion_id, dx, age; set the label"):
        open_data(tmp_path)
    found = open_data(tmp_path, columns=Columns(label="dx"))
    assert (found.layout, found.classes, len(found.names)) == ("table-folder", ("mel", "nv"), 8)


@pytest.mark.parametrize("folders", [("ab", "cd"), ("patient1", "patient2")])
def test_other_columns_than_the_folders_are_asked_for(tmp_path: Path, save: Save, folders: tuple[str, str]) -> None:
    for i in range(8):
        save(tmp_path / folders[i % 2] / f"{i}.jpg", i)
    rows_of = [f"{folders[i % 2]}/{i}.jpg,{27 + i // 4}" for i in range(8)]
    (tmp_path / "train.csv").write_text("\n".join(["path,landmark_id", *rows_of]))
    with pytest.raises(DataError) as error:
        open_data(tmp_path)
    assert str(error.value) == (
        f"{tmp_path}: can be read in the layout table-folder, because train.csv lists images; or in the layout folder, "
        f"because its folders {folders[0]} and {folders[1]} contain images; choose with --layout table-folder or "
        "--layout folder"
    )
    titles = [f"{folders[i % 2]}/{i}.jpg,title {i}" for i in range(8)]
    (tmp_path / "train.csv").write_text("\n".join(["path,title", *titles]))
    assert open_data(tmp_path).classes == folders


def test_a_split_in_the_name_of_the_table_chooses_among_files_of_one_name(tmp_path: Path, save: Save) -> None:
    for i in range(4):
        for split in ("train", "test"):
            save(tmp_path / split / f"{i}.png")
    (tmp_path / "trainLabels.csv").write_text("id,label\n0,a\n1,b\n2,a\n3,b\n")
    found = open_data(tmp_path)
    assert found.names == tuple(f"train/{i}.png" for i in range(4))


def test_images_of_train_images_and_test_images_are_those_of_a_table(tmp_path: Path, save: Save) -> None:
    for i in range(4):
        save(tmp_path / "train_images" / f"a{i}.png")
        save(tmp_path / "test_images" / f"b{i}.png")
    (tmp_path / "train.csv").write_text("id_code,diagnosis\na0,1\na1,0\na2,1\na3,0\n")
    (tmp_path / "test.csv").write_text("id_code\nb0\nb1\nb2\nb3\n")
    assert open_data(tmp_path).names == tuple(f"train_images/a{i}.png" for i in range(4))
