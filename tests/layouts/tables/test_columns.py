"""What the columns of a table mean, and which are left out."""

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
    """A function that reads a text as a table beside 0.png to 7.png."""
    for i in range(8):
        save(tmp_path / f"{i}.png")

    def opened(text: str, target_kind: str | None = None, **columns: str) -> Dataset:
        (tmp_path / "list.csv").write_text(text)
        return open_data(tmp_path / "list.csv", columns=Columns(**columns), target_kind=target_kind)

    return opened


def refused(read: Read, text: str, target_kind: str | None = None, **columns: str) -> str:
    """The message without the path."""
    with pytest.raises(DataError) as caught:
        read(text, target_kind, **columns)
    return str(caught.value).partition("list.csv: ")[2]


@pytest.mark.parametrize("name", ["", "Unnamed: 0", "index"])
def test_an_index_is_left_out(read: Read, name: str) -> None:
    found = read(f"{name},image,width,height,age\n0,5.png,20,16,3.5\n1,6.png,20,16,4.5\n2,7.png,20,16,5.5\n")
    assert (found.target_kind, found.classes, found.names) == ("numbers", ("age",), ("5.png", "6.png", "7.png"))
    assert found.targets.tolist() == [[3.5], [4.5], [5.5]]
    assert found.notes == (
        "columns used: image for image, age for numbers",
        f"columns not used: {name or 'Unnamed: 0'} (an index), width (of the file), height (of the file)",
    )


def test_names_of_rows_that_r_writes_without_a_header_are_left_out(read: Read) -> None:
    found = read('"image","label"\n"1","5.png","a"\n"2","6.png","b"\n')
    assert (found.names, found.classes) == (("5.png", "6.png"), ("a", "b"))


def test_an_index_is_not_taken_for_names_of_files(read: Read) -> None:
    assert refused(read, ",image,label\n0,x5.png,a\n1,x6.png,b\n") == (
        "none of its 2 rows gives a labelled file; the first, x5.png: no such file; "
        "put the table beside its images, or set the image column (now image)"
    )


def test_constants_and_sizes_are_targets_only_if_nothing_else_is_left(read: Read) -> None:
    found = read("image,fold,breed\n1.png,3,a\n2.png,3,b\n")
    assert (found.classes, found.notes[1]) == (("a", "b"), "columns not used: fold (one value)")
    assert read("image,width,height\n1.png,1.5,2\n2.png,2.5,3\n").classes == ("width", "height")
    assert read("image,size\n1.png,1.5\n2.png,2.5\n").classes == ("size",)
    assert read("image,age,height\n1.png,1.5,2\n2.png,2.5,3\n").classes == ("age", "height")


def test_a_text_longer_than_a_file_name_is_a_column_like_others(read: Read) -> None:
    long = "A small animal that sits on a chair. " * 20
    assert read(f'image,label,text\n1.png,cat,"{long}"\n2.png,dog,"{long}!"\n').classes == ("cat", "dog")


def test_rows_without_a_header_are_all_read(read: Read) -> None:
    found = read("1.png,cat\n2.png,dog\n9.png,cat\n")
    assert (found.names, found.classes) == (("1.png", "2.png"), ("cat", "dog"))
    assert found.skipped == (Skipped("9.png", "no such file"),)
    assert found.notes == (
        "no header: the columns are called column 1, column 2",
        "columns used: column 1 for image, column 2 for label",
    )
    assert read("9.png,cat\n1.png,dog\n2.png,cat\n").names == ("1.png", "2.png")
    assert read("1,cat\n2,dog\n3,cat\n").names == ("1.png", "2.png", "3.png")
    assert read("1.png 4\n2.png 10\n", label="column 2").classes == ("4", "10")


@pytest.mark.parametrize("word", ["", "nan", "NaN", "None", "N/A", "null", "NA", "#N/A", "<NA>", " "])
def test_a_missing_label_is_no_class(read: Read, word: str) -> None:
    found = read(f"image,label\n1.png,cat\n2.png,dog\n3.png,{word}\n")
    assert found.classes == ("cat", "dog")
    why = f"has no label ({word}); rename the class if it is one" if word.strip() else "has no label"
    assert found.skipped == (Skipped("3.png", why),)


def test_labels_that_are_whole_floats_are_in_numeric_order(read: Read) -> None:
    found = read("image,label\n1.png,10.0\n2.png,2.0\n3.png,1.0\n4.png,10\n")
    assert (found.classes, found.targets.tolist()) == (("1", "2", "10"), [2, 1, 0, 2])
    assert read("image,label\n1.png,10.5\n2.png,2\n3.png,-1\n", "classes").classes == ("-1", "2", "10.5")


def test_class_names_with_commas_are_classes_if_each_is_frequent(read: Read) -> None:
    names = ('"Apple, healthy"', '"Apple, scab"')
    text = "image,label\n" + "".join(f"{i}.png,{names[i % 2]}\n" for i in range(8))
    found = read(text)
    assert (found.target_kind, found.classes) == ("classes", ("Apple, healthy", "Apple, scab"))
    assert found.notes[-1] == "cells of label with commas are read as classes; --task multilabel splits them at commas"
    split = read(text, "labels")
    assert split.classes == ("Apple", "healthy", "scab")
    assert split.targets[:2].tolist() == [[1, 1, 0], [1, 0, 1]]
    assert split.notes[-1] == "label is split at ',' into several labels; --task classify takes each cell as one class"
    assert read(text.replace("label\n", "tags\n", 1)).target_kind == "labels"


def test_lists_in_cells_are_labels(read: Read) -> None:
    found = read("""image;tags\n1.png;["red", "blue"]\n2.png;['blue']\n3.png;[]\n""")
    assert (found.classes, found.targets.tolist()) == (("blue", "red"), [[1, 1], [1, 0]])
    assert found.skipped == (Skipped("3.png", "has no label"),)


def test_minus_one_and_blanks_are_unknown(read: Read) -> None:
    text = "image,A,B,sex\n1.png,1.0,,m\n2.png,-1.0,0.0,f\n3.png,0.0,1.0,f\n4.png,,-1.0,m\n"
    for found in (read(text), read(text, "labels", label="A,B"), read(text, label="A, B")):
        assert (found.target_kind, found.classes) == ("labels", ("A", "B"))
        np.testing.assert_equal(found.targets, np.array([[1, np.nan], [np.nan, 0], [0, 1]], np.float32))
        assert "-1 is read as unknown" in found.notes
    assert refused(read, text, "labels", label="A,sex") == (
        "row 2 has 'm' in column sex; use 1, 0, -1 or a blank in several label columns, or give one column of labels"
    )


def test_minus_one_is_zero_where_nothing_else_is(read: Read) -> None:
    found = read("image,Smiling,Young\n1.png,1,-1\n2.png,-1,1\n3.png,1,1\n")
    assert found.targets.tolist() == [[1, 0], [0, 1], [1, 1]]
    assert "-1 is read as 0" in found.notes


def test_columns_that_exclude_each_other_are_classes_if_requested(read: Read) -> None:
    text = "image,MEL,NV,BCC\n1.png,1.0,0.0,0.0\n2.png,0.0,1.0,0.0\n3.png,0.0,0.0,1.0\n4.png,0.0,1.0,0.0\n"
    found = read(text)
    assert found.target_kind == "labels"
    assert found.notes[-1] == (
        "each row has one 1, so the labels exclude each other; --task classify reads them as classes"
    )
    classes = read(text, "classes")
    assert (classes.classes, classes.targets.tolist()) == (("BCC", "MEL", "NV"), [1, 2, 0, 2])
    others = read(text + "5.png,1,1,0\n6.png,0,0,0\n", "classes")
    assert others.skipped == (
        Skipped("5.png", "is MEL and NV, and a classifier needs one"),
        Skipped("6.png", "is of no class"),
    )


def test_a_column_called_label_is_used_before_columns_of_0_and_1(read: Read) -> None:
    found = read("image,label,male,old\n1.png,a,0,1\n2.png,b,1,0\n3.png,b,1,1\n")
    assert (found.target_kind, found.classes) == ("classes", ("a", "b"))
    assert found.notes[1] == "columns not used: male, old"


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (("1,5", "2,25", "-0,125"), [1.5, 2.25, -0.125]),
        (("1 234,5", "2", "3,5"), [1234.5, 2, 3.5]),
        (("1,234.5", "2.5", "1,000,000"), [1234.5, 2.5, 1_000_000]),
        ((" 1.5 ", ".5", "1e1"), [1.5, 0.5, 10]),
    ],
)
def test_numbers_are_read_in_all_notations(read: Read, cells: tuple[str, ...], values: list[float]) -> None:
    text = "image;age\n" + "".join(f"{i}.png;{cell}\n" for i, cell in enumerate(cells))
    assert read(text, "numbers").targets[:, 0].tolist() == values


def test_decimal_commas_are_noted_and_ambiguous_ones_refused(read: Read) -> None:
    assert "commas in age are read as decimal points" in read("image;age\n1.png;1,5\n2.png;2,5\n").notes
    assert refused(read, "image;age\n1.png;1,234\n2.png;2,345\n") == (
        "column age: 1,234 may be 1.234 or 1234; "
        "write its numbers with a point for decimals and nothing between thousands"
    )


@pytest.mark.parametrize("number", ["9" * 5_000, "1" + "0" * 400, "1e400", "inf"])
def test_a_number_beyond_all_bounds_is_skipped(read: Read, number: str) -> None:
    found = read(f"image,age\n1.png,1.5\n2.png,{number}\n3.png,2.5\n", "numbers")
    assert found.skipped == (Skipped("2.png", "a number is missing or not finite"),)


def test_a_word_among_numbers_is_named(read: Read) -> None:
    text = "image,age\n" + "".join(f"{i}.png,{i}.5\n" for i in range(7)) + "7.png,old\n"
    message = "row 9 has 'old' in column age, which is no number; correct it or leave it blank"
    assert refused(read, text) == message
    assert refused(read, text, "numbers", label="age") == message


def test_a_split_column_can_be_denied(read: Read) -> None:
    text = "image,label,set\n1.png,a,Lego\n2.png,b,Duplo\n"
    assert refused(read, text) == (
        "row 2 has 'Lego' in column set; use train, validation or test, or leave it blank; "
        "--set data.split_column=none if the column is no split"
    )
    for word in ("none", "-"):
        found = read(text, split=word)
        assert (found.splits.tolist(), found.notes[1]) == (["", ""], "columns not used: set")
    assert read("image,label,split\n1.png,a,train\n2.png,b,nan\n").splits.tolist() == ["train", ""]


def test_rows_with_too_many_cells_are_named_and_too_few_are_blank(read: Read) -> None:
    found = read("image,label,x\n1.png,a,1\n2.png,b,2\n3.png,a, b,3\n4.png,a\n5.png\n6.png,b,2,,\n")
    assert found.names == ("1.png", "2.png", "4.png", "6.png")
    assert found.skipped == (
        Skipped("5.png", "has no label"),
        Skipped("row 4", "has 4 cells, and the header 3; quote a cell that holds the delimiter"),
    )


def test_a_label_of_many_characters_is_no_class(read: Read) -> None:
    found = read(f"image,label\n1.png,a\n2.png,b\n3.png,{'x' * 131_073}\n")
    assert found.skipped == (Skipped("3.png", "its label has 131,073 characters, more than a class name can have"),)


def test_a_class_of_minus_one_is_noted(read: Read) -> None:
    found = read("image,label\n0.png,-1\n1.png,0\n2.png,1\n3.png,-1\n4.png,0\n5.png,1\n")
    assert found.classes == ("-1", "0", "1")
    assert found.notes[-1] == "-1 in label is read as a class; leave the cell empty if it means unknown"


def test_whole_numbers_of_many_values_are_noted(read: Read, tmp_path: Path, save: Save) -> None:
    for i in range(8, 12):
        save(tmp_path / f"{i}.png")
    found = read("image,label\n" + "".join(f"{i}.png,{20 + i}\n" for i in range(12)))
    assert found.notes[-1] == "12 whole numbers in label are read as classes; --task regress takes the numbers"


def test_names_of_other_files_are_no_classes(read: Read) -> None:
    text = "image,mask\n" + "".join(f"{i}.png,{i}_mask.png\n" for i in range(4))
    assert refused(read, text) == "no column for the label among image, mask (file names); set the label column"
    assert read("image,mask,kind\n1.png,a.png,x\n2.png,b.png,y\n").classes == ("x", "y")


def test_tags_are_split_at_blanks_also_beside_other_columns(read: Read) -> None:
    found = read("image,tags,by\n1.png,clear primary,ann\n2.png,haze primary,bob\n3.png,clear,eve\n4.png,haze,ann\n")
    assert (found.target_kind, found.classes) == ("labels", ("clear", "haze", "primary"))
    assert found.targets.tolist() == [[1, 0, 1], [0, 1, 1], [1, 0, 0], [0, 1, 0]]
    assert found.notes[-1] == "tags is split at ' ' into several labels; --task classify takes each cell as one class"


def test_a_column_of_mostly_different_values_is_questioned(read: Read, tmp_path: Path, save: Save) -> None:
    for i in range(8, 24):
        save(tmp_path / f"{i}.png")
    found = read("image,what\n" + "".join(f"{i}.png,n{i % 22}\n" for i in range(24)))
    assert found.notes[-1] == "what has 22 different values for 24 images; is it the class?"


def test_run_length_encoded_masks_are_no_classes(read: Read) -> None:
    runs = "image,pixels\n0.png,1 3 10 5\n1.png,\n2.png,4 4 9 2 30 1\n"
    assert refused(read, runs) == (
        "no column for the label among image, pixels (run-length encoded masks, which are not read); set the label "
        "column"
    )
    found = read("image,defect,pixels\n0.png,1,1 3 10 5\n1.png,2,4 4 9 2\n2.png,1,1 1 5 5 9 1\n")
    assert (found.target_kind, found.classes, found.targets.tolist()) == ("classes", ("1", "2"), [0, 1, 0])
    assert found.notes == (
        "columns used: image for image, defect for label",
        "columns not used: pixels (run-length encoded masks, which are not read)",
    )


def test_boxes_after_names_in_one_cell_are_no_classes(read: Read) -> None:
    text = "image,found\n0.png,n01440764 3 4 20 30\n1.png,n01443537 1 1 9 9 n01443537 2 2 5 5\n"
    assert refused(read, text) == (
        "no column for the label among image, found (boxes as text, which are not read); set the label column"
    )
    assert read("image,text\n0.png,route 66\n1.png,area 51\n").classes == ("area 51", "route 66")


def test_texts_of_which_each_occurs_once_are_no_classes(tmp_path, save) -> None:
    for i in range(12):
        save(tmp_path / f"{i}.png", i)
    rows = [f"{i}.png,a painting of {i:02} birds" for i in range(12)]
    (tmp_path / "metadata.csv").write_text("\n".join(["file_name,text", *rows]))
    with pytest.raises(DataError) as error:
        open_data(tmp_path / "metadata.csv")
    assert str(error.value) == (
        f"{tmp_path / 'metadata.csv'}: column text has another value for each of 12 images, such as "
        "'a painting of 00 birds', so it is no class; set the label column"
    )
