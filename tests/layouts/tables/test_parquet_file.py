"""Parquet files with images as bytes, and folders of Hugging Face's datasets."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convscope.datasets.dataset import Dataset, Skipped
from convscope.datasets.inputs.image import read_image
from convscope.datasets.store import extracted
from convscope.errors import DataError
from convscope.layouts.recognise import open_data
from convscope.layouts.tables.table import read_table

Save = Callable[..., Path]
pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


@pytest.fixture
def contents(tmp_path: Path, save: Save) -> list[bytes]:
    """Six images, PNG and JPEG, of different pixels."""
    return [save(tmp_path / "made" / f"{i}.{('png', 'jpg')[i % 2]}", seed=i).read_bytes() for i in range(6)]


def shard(path: Path, contents: Sequence[bytes | None], labels: Sequence[int], names: Sequence[str]) -> Path:
    """A part of a data set as Hugging Face's library writes it."""
    features = {"image": {"_type": "Image"}, "label": {"names": list(names), "_type": "ClassLabel"}}
    images = pa.array([None if one is None else {"bytes": one, "path": f"x{i}.png"} for i, one in enumerate(contents)])
    table = pa.table({"image": images, "label": pa.array(labels, pa.int64())})
    metadata = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(table.replace_schema_metadata(metadata), path)
    return path


def pixels_of(found: Dataset) -> list[Any]:
    assert isinstance(found.images, tuple)
    return [read_image(path, 3) for path in found.images]


def test_images_as_bytes_are_read_with_their_class_names(tmp_path: Path, contents: list[bytes]) -> None:
    path = shard(tmp_path / "train.parquet", [*contents[:3], None, contents[3]], [1, 0, 1, 0, -1], ["cat", "dog"])
    found = read_table(path)
    assert found.names == ("train/000000.png", "train/000001.jpg", "train/000002.png")
    assert (found.classes, found.targets.tolist()) == (("cat", "dog"), [1, 0, 1])
    assert found.notes == ("columns used: image for image, label for label",)
    assert found.skipped == (Skipped("row 4", "no file name"), Skipped("train/000004.jpg", "has no label"))
    for pixels, content in zip(pixels_of(found), contents, strict=False):
        (tmp_path / "one").write_bytes(content)
        np.testing.assert_array_equal(pixels, read_image(tmp_path / "one", 3))


def test_images_are_extracted_once_and_count_as_unchanged(
    tmp_path: Path, contents: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = shard(tmp_path / "train.parquet", contents, [0, 1] * 3, ["cat", "dog"])
    first = read_table(path)
    monkeypatch.setattr("convscope.layouts.tables.parquet_file.extract", None)
    assert read_table(path).images == first.images
    monkeypatch.undo()
    assert isinstance(first.images, tuple)
    fingerprint = first.fingerprint()
    for file in first.images[0].parent.iterdir():
        file.unlink()
    assert read_table(path).fingerprint() == fingerprint


def test_the_least_recently_used_images_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVSCOPE_CACHE", str(tmp_path / "cache"))
    first, _ = extracted.extract("a", [("0.png", b"x" * 60)], "a", limit=100)
    second, names = extracted.extract("b", [("0.png", b"y" * 60), None], "b", limit=100)
    assert not first.exists()
    assert ((second / "0.png").read_bytes(), names) == (b"y" * 60, ["0.png", ""])
    assert extracted.reuse("b") == (second, ["0.png", ""])
    assert extracted.reuse("a") is None
    with pytest.raises(DataError) as caught:
        extracted.extract("c", [("0.png", b"z" * 101)], "c.parquet", limit=100)
    assert str(caught.value) == "c.parquet: its images take more than 100 bytes; save them as files"
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == ["extracted-b"]


def test_a_cache_that_cannot_be_written_is_an_error(
    tmp_path: Path, contents: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = shard(tmp_path / "train.parquet", contents, [0, 1] * 3, ["cat", "dog"])
    (tmp_path / "file").touch()
    monkeypatch.setenv("CONVSCOPE_CACHE", str(tmp_path / "file"))
    with pytest.raises(DataError) as caught:
        read_table(path)
    assert str(caught.value) == (
        f"{path}: its images cannot be extracted to {tmp_path / 'file'} (Not a directory); "
        "set CONVSCOPE_CACHE to a folder with more space"
    )


def test_a_folder_of_parts_is_one_data_set_with_its_splits(tmp_path: Path, contents: list[bytes]) -> None:
    data = tmp_path / "hub" / "data"
    shard(data / "train-00000-of-00002.parquet", contents[:2], [0, 1], ["cat", "dog"])
    shard(data / "train-00001-of-00002.parquet", contents[2:4], [1, 0], ["cat", "dog"])
    shard(data / "test-00000-of-00001.parquet", contents[4:], [0, 1], ["cat", "dog"])
    found = open_data(tmp_path / "hub")
    assert (found.layout, found.because) == (
        "table-folder",
        "3 tables list images, such as data/test-00000-of-00001.parquet",
    )
    assert found.classes == ("cat", "dog")
    assert dict(zip(found.names, zip(found.splits.tolist(), found.targets.tolist(), strict=True), strict=True)) == {
        "data/test-00000-of-00001/000000.png": ("test", 0),
        "data/test-00000-of-00001/000001.jpg": ("test", 1),
        "data/train-00000-of-00002/000000.png": ("train", 0),
        "data/train-00000-of-00002/000001.jpg": ("train", 1),
        "data/train-00001-of-00002/000000.png": ("train", 1),
        "data/train-00001-of-00002/000001.jpg": ("train", 0),
    }


def test_bytes_without_a_structure_and_lists_of_labels_are_read(tmp_path: Path, contents: list[bytes]) -> None:
    table = pa.table({"picture": contents[:3], "tags": [["a", "b"], ["b"], ["a"]], "__index_level_0__": [5, 2, 9]})
    parquet.write_table(table, tmp_path / "t.parquet")
    found = read_table(tmp_path / "t.parquet")
    assert (found.target_kind, found.classes, found.targets.tolist()) == (
        "labels",
        ("a", "b"),
        [[1, 1], [0, 1], [1, 0]],
    )


def test_paths_in_a_structure_without_bytes_are_looked_up(tmp_path: Path, save: Save) -> None:
    for i in range(2):
        save(tmp_path / "images" / f"{i}.png")
    images = [{"bytes": None, "path": f"images/{i}.png"} for i in range(2)]
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    parquet.write_table(pa.table({"image": pa.array(images, kind), "label": ["a", "b"]}), tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").names == ("images/0.png", "images/1.png")


def test_bytes_that_are_not_an_image_are_skipped(tmp_path: Path, contents: list[bytes]) -> None:
    path = shard(tmp_path / "t.parquet", [*contents[:2], b"no image"], [0, 1, 0], ["cat", "dog"])
    (skipped,) = read_table(path).skipped
    assert skipped.name == "t/000002.png"


def test_objects_with_class_labels_are_boxes(tmp_path: Path, contents: list[bytes]) -> None:
    category = {"names": ["cat", "dog"], "_type": "ClassLabel"}
    objects = {"feature": {"bbox": {}, "category": category}, "_type": "Sequence"}
    metadata = {b"huggingface": json.dumps({"info": {"features": {"objects": objects}}}).encode()}
    images = [{"bytes": one, "path": None} for one in contents[:2]]
    annotated = [
        {"bbox": [[1.0, 2.0, 8.0, 9.0]], "category": [1]},
        {"bbox": [[2.0, 2.0, 6.0, 8.0], [0.0, 0.0, 2.0, 2.0]], "category": [0, 1]},
    ]
    table = pa.table({"image": images, "objects": annotated})
    parquet.write_table(table.replace_schema_metadata(metadata), tmp_path / "t.parquet")
    found = read_table(tmp_path / "t.parquet")
    assert (found.classes, found.targets.tolist()) == (("cat", "dog"), [[1, 1, 2, 9, 11], [0, 2, 2, 8, 10]])
