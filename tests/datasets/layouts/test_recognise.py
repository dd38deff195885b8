"""Recognition of the layout of DATA."""

from collections.abc import Callable
from pathlib import Path

import pytest

from convscope.datasets.layouts.recognise import open_data
from convscope.datasets.layouts.table_columns import Columns
from convscope.errors import DataError

Save = Callable[..., Path]
POSSIBLE = "a folder with one subfolder per class, a CSV or Parquet file, or one of digits, shapes"


def test_a_built_in_name_a_folder_and_a_table_are_opened(tmp_path: Path, save: Save) -> None:
    save(tmp_path / "a" / "1.png")
    save(tmp_path / "b" / "2.png")
    (tmp_path / "list.csv").write_text("file,what,other\na/1.png,x,1\nb/2.png,y,1\n")
    assert open_data("digits").layout == "builtin"
    assert open_data(str(tmp_path)).layout == "folder"
    assert open_data(tmp_path).source == str(tmp_path)
    assert open_data(tmp_path / "list.csv", columns=Columns(label="what")).classes == ("x", "y")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("photoz", "photoz: no such file or folder; did you mean photos?"),
        ("digtis", "digtis: no such file or folder; did you mean digits?"),
        ("xyz", f"xyz: no such file or folder; give {POSSIBLE}"),
        ("photos/1.png", f"photos/1.png: not a kind of file that lists images; give {POSSIBLE}"),
        ("all.zip", "all.zip: an archive; unpack it and give the folder"),
        ("fotos/train/cats", "fotos/train/cats: no such file or folder; did you mean photos?"),
    ],
)
def test_data_that_cannot_be_opened_are_an_error_with_a_remedy(
    tmp_path: Path, save: Save, monkeypatch: pytest.MonkeyPatch, source: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "photos" / "1.png")
    (tmp_path / "all.zip").touch()
    with pytest.raises(DataError) as raised:
        open_data(source)
    assert str(raised.value) == message
