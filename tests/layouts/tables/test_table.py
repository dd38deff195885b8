"""A CSV or Parquet file that lists images and labels."""

from collections.abc import Callable
from pathlib import Path

import pytest

from convscope.datasets.dataset import Skipped
from convscope.errors import DataError
from convscope.layouts.tables.columns import Columns
from convscope.layouts.tables.table import read_table

Save = Callable[..., Path]


@pytest.fixture
def pictures(tmp_path: Path, save: Save) -> Path:
    for name in (
        "1.png",
        "2.png",
        "3.png",
        "images/4.png",
        "train/5.png",
        "test/5.png",
        "far/below/6.png",
        "x/7.png",
        "y/7.png",
    ):
        save(tmp_path / name)
    return tmp_path


def write(folder: Path, text: str, name: str = "list.csv", encoding: str = "utf-8") -> Path:
    (folder / name).write_text(text, encoding)
    return folder / name


def test_columns_are_found_by_their_names(pictures: Path) -> None:
    path = write(pictures, "no,Filename,Class,Set,patient_id\n1,1.png,a,train,p1\n2,2.png,b,train,p1\n3,3.png,a,val,\n")
    dataset = read_table(path)
    assert dataset.names == ("1.png", "2.png", "3.png")
    assert dataset.classes == ("a", "b")
    assert dataset.targets.tolist() == [0, 1, 0]
    assert dataset.splits.tolist() == ["train", "train", "validation"]
    assert dataset.groups is not None
    assert dataset.groups.tolist() == ["p1", "p1", ""]
    assert dataset.layout == "table"
    assert dataset.source == str(path)
    assert dataset.notes == (
        "columns used: Filename for image, Class for label, Set for split, patient_id for group",
        "columns not used: no (an index)",
    )


def test_columns_are_recognised_by_their_content(pictures: Path) -> None:
    dataset = read_table(write(pictures, "what,where\na,1.png\nb,2.png\n"))
    assert dataset.notes == ("columns used: where for image, what for label",)


def test_given_columns_take_precedence(pictures: Path) -> None:
    path = write(pictures, "file,label,second,truth\n1.png,a,3.png,u\n2.png,b,2.png,v\n")
    dataset = read_table(path, Columns(image="second", label="truth", group="label"))
    assert dataset.names == ("2.png", "3.png")
    assert dataset.classes == ("u", "v")
    assert dataset.groups is not None
    assert dataset.groups.tolist() == ["b", "a"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_every_delimiter_is_detected(pictures: Path, delimiter: str) -> None:
    text = "file,label\n1.png,a\n\n2.png,b\n".replace(",", delimiter)
    assert read_table(write(pictures, text)).names == ("1.png", "2.png")


def test_quotes_byte_order_marks_and_old_encodings_are_read(pictures: Path) -> None:
    assert read_table(write(pictures, 'file,label\n"1.png","a, b"\n2.png,c\n', encoding="utf-8-sig")).classes == (
        "a, b",
        "c",
    )
    assert read_table(write(pictures, "file;label\n1.png;Käse\n2.png;Öl\n", encoding="cp1252")).classes == (
        "Käse",
        "Öl",
    )


def test_files_are_found_next_to_the_table_in_images_in_the_split_and_in_subfolders(pictures: Path) -> None:
    rows = (
        f"{pictures / '1.png'},a,train",
        "4.png,b,train",
        "5.png,a,train",
        "5.png,b,test",
        "6,a,train",
        ".\\2.png,b,",
    )
    dataset = read_table(write(pictures, "\n".join(("file,label,split", *rows))))
    assert set(dataset.names) == {"1.png", "images/4.png", "train/5.png", "test/5.png", "far/below/6.png", "2.png"}


def test_missing_and_ambiguous_files_and_blanks_are_listed(pictures: Path) -> None:
    dataset = read_table(write(pictures, "file,label\n1.png,a\n2.png,b\n8.png,a\n7.png,a\n3.png,\n,b\n"))
    assert dataset.names == ("1.png", "2.png")
    assert dataset.skipped == (
        Skipped("3.png", "has no label"),
        Skipped("7.png", "2 files have the name: x/7.png, y/7.png"),
        Skipped("8.png", "no such file"),
        Skipped("row 7", "no file name"),
    )


def test_rows_that_repeat_are_merged_and_a_row_that_disagrees_is_listed(pictures: Path) -> None:
    dataset = read_table(write(pictures, "file,label\n1.png,a\n1.png,a\n2.png,b\n3.png,a\n3.png,b\n"))
    assert dataset.names == ("1.png", "2.png")
    assert dataset.skipped == (Skipped("3.png", "rows disagree, row 5: a, row 6: b"),)
    assert dataset.notes == (
        "columns used: file for image, label for label",
        "rows that repeat an earlier one are merged: 1",
    )


def test_parquet_is_read_like_csv(pictures: Path) -> None:
    pytest.importorskip("pyarrow")
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.table({"image": ["1.png", "2.png", "3.png"], "label": [7, 11, None]})
    parquet.write_table(table, pictures / "list.parquet")
    dataset = read_table(pictures / "list.parquet")
    assert dataset.classes == ("7", "11")
    assert dataset.skipped == (Skipped("3.png", "has no label"),)
    (pictures / "bad.parquet").write_text("no")
    with pytest.raises(DataError) as raised:
        read_table(pictures / "bad.parquet")
    assert str(raised.value) == f"{pictures / 'bad.parquet'}: not a readable Parquet file; write it again"


def test_parquet_without_pyarrow_is_an_error_that_names_the_package(
    pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    path = write(pictures, "", "list.parquet")
    with pytest.raises(DataError) as raised:
        read_table(path)
    assert str(raised.value) == f"{path}: reading Parquet needs pyarrow; pip install convscope[parquet]"


@pytest.mark.parametrize(
    ("text", "columns", "message"),
    [
        ("", {}, "the file is empty; list at least one image per class"),
        ("file,label\n", {}, "no rows; list at least one image per class"),
        ("file,label\n1.png,a\n", {"label": "lable"}, "no column lable; did you mean label?"),
        ("u,v\n91,92\n", {}, "no column names image files, of u, v; set the image column"),
        ("file,u,v\n1.png,2,3\n", {}, "no column for the label among file, u, v; set the label column"),
        ("file,file\n1.png,2\n", {}, "two columns are called 'file'; rename one"),
        (
            "file,label,split\n1.png,a,banana\n",
            {},
            "row 2 has 'banana' in column split; use train, validation or test, or leave it blank; "
            "--set data.split_column=none if the column is no split",
        ),
        (
            "file,label\n8.png,a\n9.png,b\n",
            {},
            "none of its 2 rows gives a labelled file; the first, 8.png: no such file; "
            "put the table beside its images, or set the image column (now file)",
        ),
        (
            "file,label\n1.png,a\n1.png,b\n2.png,a\n2.png,b\n3.png,a\n",
            {},
            "rows disagree about 2 of 3 files, such as 1.png (row 2: a, row 3: b); "
            "each image needs one target and one split",
        ),
        (
            "file,label,split\n1.png,a,train\n1.png,a,test\n2.png,a,train\n2.png,a,test\n3.png,b,train\n",
            {},
            "rows disagree about 2 of 3 files, such as 1.png (row 2: a in train, row 3: a in test); "
            "each image needs one target and one split",
        ),
        ("file,label\n1.png,a\n2.png,a\n", {}, "one class only, a; add images of at least one other"),
        (
            "file,label,split\n1.png,a,train\n2.png,b,train\n3.png,c,final\n",
            {},
            "test has a class that is not in train, c, which cannot be learned; "
            "add such images to train or remove them from test",
        ),
    ],
)
def test_a_table_that_cannot_be_used_is_named_with_the_remedy(
    pictures: Path, text: str, columns: dict[str, str], message: str
) -> None:
    path = write(pictures, text)
    with pytest.raises(DataError) as raised:
        read_table(path, Columns(**columns))
    assert str(raised.value) == f"{path}: {message}"


def test_a_missing_table_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError) as raised:
        read_table(tmp_path / "list.csv")
    assert str(raised.value) == f"{tmp_path / 'list.csv'}: no such file; check the path"
