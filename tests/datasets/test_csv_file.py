"""CSV of any delimiter and encoding."""

import csv

import pytest

from convscope.datasets.csv_file import read_records
from convscope.errors import DataError


def cells(content: bytes | str) -> list[list[str]]:
    raw = content.encode() if isinstance(content, str) else content
    return [cells for _, cells in read_records(raw, "list.csv").records]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_detected_with_others_inside_quotes(delimiter: str) -> None:
    rows = [["file", "label", "note"], ["1.png", "a", "x, y; z | w\t."], ["2.png", "b", "1,5; 2,5"]]
    text = "\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in rows)
    assert cells(text) == rows


def test_blanks_are_a_delimiter_only_where_nothing_else_is() -> None:
    assert cells("a/1.png 0\na/2.png  10\n") == [["a/1.png", "0"], ["a/2.png", "10"]]
    assert cells("file,label\nmy cat.png,cat\n") == [["file", "label"], ["my cat.png", "cat"]]
    assert cells("file\nmy cat.png\n") == [["file"], ["my cat.png"]]


def test_decimal_commas_do_not_hide_semicolons() -> None:
    assert cells("1.png;1,5;2,5\n2.png;0,5;3,5\n")[0] == ["1.png", "1,5", "2,5"]
    assert cells("1.png,a;b\n2.png,c;d\n")[0] == ["1.png", "a;b"]


def test_the_delimiter_that_excel_names_is_used_and_rows_are_counted_as_in_the_file() -> None:
    content = read_records(b"sep=;\r\nfile;y\r\n1.png;1,5\r\n", "list.csv")
    assert content.records == [(2, ["file", "y"]), (3, ["1.png", "1,5"])]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends_are_read(encoding: str, end: str) -> None:
    text = f"file,label{end}1.png,Käse{end}2.png,Öl{end}"
    assert cells(text.encode(encoding)) == [["file", "label"], ["1.png", "Käse"], ["2.png", "Öl"]]


def test_a_text_that_is_not_utf_8_is_noted() -> None:
    assert read_records("file,label\n1.png,Öl\n".encode("cp1252"), "list.csv").notes == [
        "the text is not UTF-8 and is read as Windows-1252; save it as UTF-8 if letters are wrong"
    ]


def test_line_breaks_and_quotes_belong_to_quoted_cells() -> None:
    text = 'file,note,label\n1.png,"two\nlines, ""quoted""",a\n\n2.png,x\u2028y\x85z,b\n'
    assert cells(text) == [
        ["file", "note", "label"],
        ["1.png", 'two\nlines, "quoted"', "a"],
        ["2.png", "x\u2028y\x85z", "b"],
    ]
    assert cells('file, label\n"1.png", "a, b"\n') == [["file", "label"], ["1.png", "a, b"]]
    assert cells('file,label\n1.png,5" pipe\n2.png,"6"" pipe" wide\n')[1:] == [
        ["1.png", '5" pipe'],
        ["2.png", '6" pipe wide'],
    ]


@pytest.mark.parametrize("text", ['file,label\n1.png,"a\n2.png,b\n', 'file,label\n1.png,"a\n2.png,"b\n3.png,c\n'])
def test_a_quote_that_swallows_rows_is_an_error(text: str) -> None:
    with pytest.raises(DataError) as caught:
        read_records(text.encode(), "list.csv")
    assert str(caught.value) == (
        "list.csv: row 2 opens a quote that is not closed; close it, or double a quote that belongs to the text"
    )


def test_comments_are_left_out_and_noted() -> None:
    content = read_records(b"# made by a tool, on Monday\nfile,label\n1.png,a\n# end\n", "list.csv")
    assert content.records == [(2, ["file", "label"]), (3, ["1.png", "a"])]
    assert content.notes == ["lines that begin with # are comments: 2"]


def test_a_cell_longer_than_the_limit_of_the_csv_module_is_read_and_the_limit_is_kept() -> None:
    limit = csv.field_size_limit()
    assert cells(f"file,note\n1.png,{'x' * 200_000}\n")[1] == ["1.png", "x" * 200_000]
    assert csv.field_size_limit() == limit
