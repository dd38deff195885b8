"""Damaged and hostile tables are read or refused in one line, without a traceback, hang or much memory."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from convscope.datasets import cells
from convscope.layouts.tables.table import read_table
from helpers.mutations import failures

Save = Callable[..., Path]

CSV = (
    b"image,label,split\n0.png,cat,train\n1.png,dog,train\n2.png,cat,val\n3.png,dog,test\n",
    b",image,width,height,age\n0,0.png,20,16,3.5\n1,1.png,20,16,40.25\n2,2.png,20,16,7\n",
    b'image;labels;note\n0.png;"red, blue";"a ""quoted"" cell\nof two lines"\n1.png;red;x\n2.png;blue;y\n',
    b"image\tMEL\tNV\tBCC\n0\t1.0\t0.0\t0.0\n1\t0.0\t1.0\t-1.0\n2\t\t0.0\t1.0\n",
    b"a/0.png,1,2,10,12,cat\na/1.png,,,,,\n./2.png,3,3,9,9,dog\n3.png,1,1,4,4,cat\n",
    b"ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsGroupOf\n0,a,/m/1,1,0.1,0.5,0.2,0.9,0\n1,a,/m/2,1,0,1,0,1,1\n",
    b"filename,region_count,region_id,region_shape_attributes,region_attributes\n"
    b'0.png,1,0,"{""name"":""rect"",""x"":1,""y"":2,""width"":5,""height"":6}","{""type"":""cat""}"\n'
    b'1.png,1,0,"{""name"":""polygon"",""all_points_x"":[1,5],""all_points_y"":[2,9]}","{""type"":""dog""}"\n',
    b'image_id,width,height,bbox,source\n0,20,16,"[1.0, 2.0, 5.0, 6.0]",a\n1,20,16,"[1, 2, 5, 6]",b\n',
    "sep=;\r\nBild;Größe\r\n0.png;1,5\r\n1.png;2,25\r\n2.png;3\r\n".encode("cp1252"),
)
_PIXELS = np.random.default_rng(0).integers(0, 256, (6, 64)).astype(str)
PIXELS = (
    "\n".join(
        [
            ",".join(["label", *(f"pixel{i}" for i in range(64))]),
            *(f"{i % 2},{','.join(row)}" for i, row in enumerate(_PIXELS)),
        ]
    ).encode(),
    "\n".join(f"{i % 2},{','.join(row)}" for i, row in enumerate(_PIXELS)).encode(),
    "\n".join(
        [
            "emotion,pixels,Usage",
            *(f"{i % 2},{' '.join(row)},{'Training' if i else 'PublicTest'}" for i, row in enumerate(_PIXELS)),
        ]
    ).encode(),
)
COUNT = int(os.environ.get("CONVSCOPE_MUTATIONS", "500"))
LINES = (
    b'{"file_name": "0.png", "label": "cat"}\n{"file_name": "1.png", "label": "dog", "x": {"y": [1, 2]}}\n',
    b'{"file_name": "0.png", "tags": ["a", "b"]}\n{"file_name": "1.png", "tags": ["a"]}\n{"file_name": "2.png"}\n',
)


@pytest.fixture
def folder(tmp_path: Path, save: Save) -> Path:
    for name in ("0.png", "1.png", "2.png", "3.png", "a/0.png", "a/1.png"):
        save(tmp_path / name)
    return tmp_path


def parquet_samples(folder: Path) -> list[bytes]:
    """Images as bytes with class names, paths with numbers, and lists of labels; with and without compression."""
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    pixels = [(folder / f"{i}.png").read_bytes() for i in range(3)]
    names = b'{"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}'
    struct = pa.array([{"bytes": content, "path": None} for content in pixels])
    found = []
    for number, (table, options) in enumerate(
        (
            (pa.table({"image": struct, "label": [0, 1, 0]}).replace_schema_metadata({b"huggingface": names}), {}),
            (pa.table({"image": ["0.png", "1.png", "2.png"], "age": [1.5, 2.5, None]}), {"compression": "none"}),
            (pa.table({"image": pixels, "tags": [["a", "b"], ["a"], []]}), {"compression": "gzip"}),
        )
    ):
        parquet.write_table(table, folder / f"sample{number}.parquet", **options)
        found.append((folder / f"sample{number}.parquet").read_bytes())
    return found


def reader(folder: Path, name: str) -> Callable[[bytes], object]:
    def read(content: bytes) -> object:
        (folder / name).write_bytes(content)
        return read_table(folder / name)

    return read


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "samples", "count"),
    [
        ("list.csv", CSV, 2 * COUNT),
        ("list.tsv", CSV, COUNT),
        ("list.jsonl", LINES, COUNT),
        ("pixels.csv", PIXELS, COUNT // 4),
    ],
)
def test_mutated_texts_are_read_or_refused(folder: Path, name: str, samples: Sequence[bytes], count: int) -> None:
    assert list(failures(samples, count, reader(folder, name))) == []


@pytest.mark.slow
def test_mutated_parquet_is_read_or_refused(folder: Path) -> None:
    assert list(failures(parquet_samples(folder), COUNT, reader(folder, "list.parquet"))) == []


def test_the_mutations_find_a_planted_bug(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = cells.presence

    def planted(text: str) -> float:
        if text.strip() and not text.isprintable():
            raise ValueError("planted")
        return read(text)

    monkeypatch.setattr("convscope.datasets.cells.is_missing", planted)
    monkeypatch.setattr("convscope.layouts.tables.columns.is_missing", planted)
    found = list(failures(CSV, 60, reader(folder, "list.csv")))
    assert found
    assert {failure.what for failure in found} == {"ValueError: planted"}
