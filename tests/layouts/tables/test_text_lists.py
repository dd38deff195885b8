"""Texts of blank-separated columns: Caffe's lists of images and labels, and CelebA's tables."""

from pathlib import Path

import pytest

from convscope.errors import DataError
from convscope.layouts import open_data
from convscope.layouts.tables.text_lists import is_list
from helpers.box_files import photo

NAMES = [f"{number:03}.jpg" for number in range(12)]
SMILING = (1, -1, 1, -1, 1, 1, 1, -1, -1, 1, -1, 1)
YOUNG = (-1, -1, 1, 1, 1, -1, 1, 1, -1, -1, -1, 1)
SPLITS = (0,) * 8 + (1,) * 2 + (2,) * 2


def lines(*rows: object) -> str:
    return "\n".join(map(str, rows)) + "\n"


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    for number, name in enumerate(NAMES):
        photo(tmp_path / "img_align" / name, number)
    return tmp_path


def attributes() -> str:
    rows = (f"{name}  {a:2} {b:2}" for name, a, b in zip(NAMES, SMILING, YOUNG, strict=True))
    return lines(len(NAMES), "Smiling Young ", *rows)


def test_celebas_attributes_are_labels_and_its_partition_the_split(faces: Path) -> None:
    (faces / "list_attr_celeba.txt").write_text(attributes())
    (faces / "list_eval_partition.txt").write_text(lines(*(f"{n} {s}" for n, s in zip(NAMES, SPLITS, strict=True))))
    (faces / "identity_CelebA.txt").write_text(lines(*(f"{name} {i % 3}" for i, name in enumerate(NAMES))))
    found = open_data(faces)
    assert (found.layout, found.target_kind, found.classes) == ("table-folder", "labels", ("Smiling", "Young"))
    assert found.names == tuple(f"img_align/{name}" for name in NAMES)
    assert found.targets.tolist() == [[a == 1, b == 1] for a, b in zip(SMILING, YOUNG, strict=True)]
    assert found.splits.tolist() == ["train"] * 8 + ["validation"] * 2 + ["test"] * 2
    assert "the split is read from list_eval_partition.txt" in found.notes
    assert any("identity_CelebA.txt" in note for note in found.notes)
    alone = open_data(faces / "list_attr_celeba.txt")
    assert alone.targets.tolist() == found.targets.tolist()
    assert set(alone.splits.tolist()) == {""}


def test_a_partition_with_another_word_is_no_split(faces: Path) -> None:
    (faces / "list_attr_celeba.txt").write_text(attributes())
    (faces / "list_eval_partition.txt").write_text(lines(*(f"{name} 7" for name in NAMES)))
    found = open_data(faces)
    assert set(found.splits.tolist()) == {""}
    assert "tables with other columns than list_attr_celeba.txt are left out: list_eval_partition.txt" in found.notes


def test_caffes_lists_are_tables_and_their_names_the_splits(faces: Path) -> None:
    (faces / "train.txt").write_text(lines(*(f"img_align/{name} {i % 3}" for i, name in enumerate(NAMES[:9]))))
    (faces / "val.txt").write_text(lines(*(f"img_align/{name} {i % 3}" for i, name in enumerate(NAMES[9:]))))
    found = open_data(faces)
    assert (found.target_kind, found.classes) == ("classes", ("0", "1", "2"))
    assert found.targets.tolist() == [0, 1, 2] * 4
    assert found.splits.tolist() == ["train"] * 9 + ["validation"] * 3


def test_two_lists_that_are_no_splits_are_refused(faces: Path) -> None:
    for name in ("age.txt", "identity.txt"):
        (faces / name).write_text(lines(*(f"{one} {i % 3}" for i, one in enumerate(NAMES))))
    with pytest.raises(DataError) as error:
        open_data(faces)
    assert str(error.value) == (
        f"{faces}: contains 2 tables of the same columns, age.txt and identity.txt; give one of them"
    )


@pytest.mark.parametrize(
    "text",
    [
        "a.jpg\nb.jpg\n",  # names only
        "a.jpg a_mask.png\nb.jpg b_mask.png\n",
        "a.jpg A cat sits.\nb.jpg A dog.\n",
        "0 0.5 0.5 0.1 0.1\n",
        "2008_000001 -1\n2008_000002 1\n",
        "2\na.jpg 1\n",
        "",
    ],
)
def test_other_texts_are_no_tables(tmp_path: Path, text: str) -> None:
    (tmp_path / "t.txt").write_text(text)
    assert not is_list(tmp_path / "t.txt")


def test_lists_of_names_are_the_splits_of_a_table(faces: Path) -> None:
    (faces / "entries.csv").write_text(lines("image,label", *(f"{n},{i % 2}" for i, n in enumerate(NAMES))))
    (faces / "train_val_list.txt").write_text(lines(*NAMES[:8]))
    (faces / "test_list.txt").write_text(lines(*NAMES[8:]))
    found = open_data(faces)
    assert found.splits.tolist() == ["train"] * 8 + ["test"] * 4
    assert "the split is read from test_list.txt (test), train_val_list.txt (train)" in found.notes
    (faces / "test_list.txt").write_text(lines(*NAMES[7:]))
    assert set(open_data(faces).splits.tolist()) == {""}, "a name in two lists"


def test_a_flag_gives_the_split(faces: Path) -> None:
    rows = (f"{name},{i % 2},{i > 8}" for i, name in enumerate(NAMES))
    (faces / "labels.csv").write_text(lines("fname,labels,is_valid", *rows))
    found = open_data(faces)
    assert found.splits.tolist() == ["train"] * 9 + ["validation"] * 3
    assert (found.classes, found.targets.tolist()) == (("0", "1"), [0, 1] * 6)


def test_a_table_beside_class_folders_that_has_no_label_is_the_users_choice(tmp_path: Path) -> None:
    names = [f"{label}/{number}.jpg" for label in ("cat", "dog") for number in range(4)]
    for number, name in enumerate(names):
        photo(tmp_path / "train" / name, number)
    rows = (f"{name},feature {number % 3}" for number, name in enumerate(names))
    (tmp_path / "train" / "metadata.csv").write_text(lines("file_name,additional_feature", *rows))
    with pytest.raises(DataError) as error:
        open_data(tmp_path)
    assert str(error.value).endswith("choose with --layout table-folder or --layout folder")
    assert open_data(tmp_path, layout="folder").classes == ("cat", "dog")
