"""Layouts of texts: tables, folders, and files of one text per line; what is skipped and what is refused."""

import json
from pathlib import Path

import pytest

from convscope.errors import DataError
from convscope.layouts import Columns, open_data

GOOD, BAD = "a film that is good", "a film that is bad"


def written(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_rows_without_a_text_or_a_label_are_skipped_with_the_reason(tmp_path: Path) -> None:
    rows = f"text,label\n{GOOD},pos\n,pos\nnan,neg\n{BAD},neg\n{BAD},\n"
    found = open_data(written(tmp_path / "t.csv", rows))
    assert (found.names, found.classes) == (("t.csv:2", "t.csv:5"), ("neg", "pos"))
    assert {one.name: one.why for one in found.skipped} == {
        "t.csv:3": "has no text", "t.csv:4": "has no text", "t.csv:6": "its label is missing",
    }  # fmt: skip
    assert "columns used: text text, label label" in found.notes


def test_the_text_is_the_named_column_or_the_one_with_the_most_words(tmp_path: Path) -> None:
    rows = "".join(f"{i},{text},no word here,{'ab'[i % 2]}\n" for i, text in enumerate((GOOD, BAD) * 2))
    table = written(tmp_path / "t.csv", "n,remark,other,label\n" + rows)
    assert sorted(set(open_data(table).images)) == [BAD, GOOD]
    assert set(open_data(table, columns=Columns(text="other")).images) == {"no word here"}
    with pytest.raises(DataError) as caught:
        open_data(table, columns=Columns(text="remarks"))
    assert str(caught.value) == f"{table}: no column remarks; did you mean remark?"


def test_rows_of_two_encodings_are_named(tmp_path: Path) -> None:
    rows = f"text,label\n{GOOD} caf\u00e9,a\n{BAD},b\n".encode() + f"{BAD} caf\u00e9,b\n".encode("latin-1")
    found = open_data(written(tmp_path / "t.csv", rows))
    assert found.names == ("t.csv:2", "t.csv:3")
    assert [one.why for one in found.skipped] == [
        "holds bytes that are not UTF-8, and other rows hold letters in UTF-8; save the file in one encoding"
    ]


def test_objects_per_line_are_rows(tmp_path: Path) -> None:
    lines = [json.dumps({"label": name, "body": text}) for name, text in (("a", GOOD), ("b", BAD))]
    found = open_data(written(tmp_path / "t.jsonl", "\n".join([*lines, "{", '{"label": "a", "body": null}'])))
    assert found.images.tolist() == [GOOD, BAD]
    assert [one.name for one in found.skipped] == ["t.jsonl:3", "t.jsonl:4"]
    assert found.reading.column == "body"


def test_folders_of_train_and_test_keep_their_splits(tmp_path: Path) -> None:
    for split in ("train", "test"):
        for name, text in (("pos", GOOD), ("neg", BAD)):
            written(tmp_path / split / name / "0.txt", text)
    written(tmp_path / "train" / "pos" / "1.txt", " ")
    written(tmp_path / "train" / "pos" / "2.txt", f"{GOOD} caf\u00e9".encode("latin-1"))
    found = open_data(tmp_path)
    assert dict(zip(found.names, found.splits.tolist(), strict=True)) == {
        "test/neg/0.txt": "test", "test/pos/0.txt": "test", "train/neg/0.txt": "train", "train/pos/0.txt": "train",
        "train/pos/2.txt": "train",
    }  # fmt: skip
    assert [(one.name, one.why) for one in found.skipped] == [("train/pos/1.txt", "has no text")]
    assert any("train/pos/2.txt is not UTF-8 and is read as Windows-1252" in note for note in found.notes)


def test_lines_of_a_file_per_class_in_latin_1_are_texts(tmp_path: Path) -> None:
    written(tmp_path / "rt-polarity.pos", f"{GOOD}\n\n{GOOD} caf\u00e9\n".encode("latin-1"))
    written(tmp_path / "rt-polarity.neg", f"{BAD}\n{BAD} too\n")
    written(tmp_path / "README", "about these\nfiles of texts\n")
    found = open_data(tmp_path)
    assert found.classes == ("neg", "pos")
    assert f"{GOOD} caf\u00e9" in found.images
    assert [(one.name, one.why) for one in found.skipped] == [("rt-polarity.pos:2", "has no text")]


def test_texts_of_one_class_are_refused(tmp_path: Path) -> None:
    table = written(tmp_path / "t.csv", f"text,label\n{GOOD},a\n{BAD},a\n")
    with pytest.raises(DataError) as caught:
        open_data(table)
    assert str(caught.value) == f"{table}: one class only, a; add images of at least one other"


def test_a_table_of_images_with_captions_is_no_table_of_texts(tmp_path: Path) -> None:
    table = written(tmp_path / "t.csv", f"image,text,label\n0.png,{GOOD},a\n1.png,{BAD},b\n")
    with pytest.raises(DataError) as caught:
        open_data(table, layout="text-table")
    assert "is not in the layout text-table" in str(caught.value)
