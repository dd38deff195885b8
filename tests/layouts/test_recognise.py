"""Recognition of the layout of DATA."""

from collections.abc import Callable
from pathlib import Path

import pytest

from convscope.errors import ConfigError, DataError
from convscope.layouts.recognise import open_data, recognise
from convscope.layouts.registry import LAYOUTS
from convscope.layouts.tables.columns import Columns

Save = Callable[..., Path]
POSSIBLE = "a folder with one subfolder per class, a CSV or Parquet file, or one of digits, shapes, waves, digits3d"


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
        ("all.zip", "all.zip: damaged or cut short; download or copy it again"),
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


def annotated(folder: Path, save: Save, images: int, xml: int) -> Path:
    """Class folders cat and dog, in which some of the images have an annotation."""
    for i in range(images):
        save(folder / ("cat", "dog")[i % 2] / f"{i}.png", i)
    for i in range(xml):
        (folder / ("cat", "dog")[i % 2] / f"{i}.xml").write_text(VOC.format(("cat", "dog")[i % 2]))
    return folder


VOC = (
    "<annotation><object><name>{}</name><bndbox><xmin>2</xmin><ymin>3</ymin><xmax>9</xmax><ymax>12</ymax></bndbox>"
    "</object></annotation>"
)


def test_the_confidence_depends_on_the_files(tmp_path: Path, save: Save) -> None:
    all_of_them, few = recognise(annotated(tmp_path / "all", save, 20, 20)), recognise(annotated(tmp_path, save, 4, 2))
    assert [(one.layout, one.confidence) for one in all_of_them] == [("voc", 0.9), ("folder", 0.5)]
    assert few[0].layout == "voc"
    assert few[0].confidence < 0.9


def test_two_layouts_with_near_confidence_are_named_with_their_reasons(tmp_path: Path, save: Save) -> None:
    annotated(tmp_path, save, 20, 2)
    with pytest.raises(DataError) as raised:
        open_data(tmp_path)
    first, second = recognise(tmp_path)
    assert (first.layout, second.layout) == ("voc", "folder")
    assert str(raised.value) == (
        f"{tmp_path}: can be read in the layout voc, because {first.because}; "
        f"or in the layout folder, because {second.because}; choose with --layout voc or --layout folder"
    )
    assert open_data(tmp_path, layout="voc").target_kind == "boxes"
    chosen = open_data(tmp_path, layout="folder")
    assert (chosen.layout, chosen.target_kind, chosen.because) == ("folder", "classes", second.because)
    assert len(chosen) == 20


def test_a_requested_layout_that_does_not_fit_says_what_it_needs(tmp_path: Path, save: Save) -> None:
    annotated(tmp_path, save, 4, 0)
    with pytest.raises(DataError) as raised:
        open_data(tmp_path, layout="table")
    because = recognise(tmp_path)[0].because
    assert str(raised.value) == (
        f"{tmp_path}: is not in the layout table, which needs {LAYOUTS['table'].needs}; "
        f"leave out the layout to read it as folder, because {because}"
    )
    with pytest.raises(DataError) as raised:
        open_data(tmp_path / "cta", layout="voc")
    assert str(raised.value) == f"{tmp_path / 'cta'}: no such file or folder; did you mean {tmp_path / 'cat'}?"
    with pytest.raises(ConfigError) as wrong:
        open_data(tmp_path, layout="foldr")
    assert str(wrong.value) == "data.layout is 'foldr', which is not a layout; did you mean folder?"
