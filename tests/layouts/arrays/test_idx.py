"""idx files: pairs, splits, EMNIST, and files that are cut or promise too much."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from convscope.errors import DataError
from convscope.layouts import open_data
from helpers.array_files import idx_bytes, pixels, write_idx

LABELS = np.arange(12) % 3


def write_set(folder: Path, pattern: str = "{}-{}-idx{}-ubyte.gz") -> Path:
    for split in ("train", "t10k"):
        write_idx(folder / pattern.format(split, "images", 3), pixels())
        write_idx(folder / pattern.format(split, "labels", 1), LABELS)
    return folder


@pytest.mark.parametrize("pattern", ["{}-{}-idx{}-ubyte.gz", "{}-{}-idx{}-ubyte", "{}-{}.idx{}-ubyte"])
def test_mnist_as_published(tmp_path: Path, pattern: str) -> None:
    dataset = open_data(write_set(tmp_path / "raw", pattern).parent)
    assert (dataset.layout, dataset.classes, dataset.channels) == ("idx", ("0", "1", "2"), 1)
    assert dataset.splits.tolist() == ["train"] * 12 + ["test"] * 12
    assert np.array_equal(dataset.images[:12, ..., 0], pixels())
    assert dataset.targets.tolist() == [*LABELS, *LABELS]


def test_a_file_stands_for_its_set(tmp_path: Path) -> None:
    write_set(tmp_path)
    write_set(tmp_path, "emnist-letters-{}-{}-idx{}-ubyte")
    (tmp_path / "emnist-letters-mapping.txt").write_text("0 65 97\n1 66 98\n2 67 99\n")
    letters = open_data(tmp_path / "emnist-letters-train-images-idx3-ubyte")
    assert letters.classes == ("A", "B", "C")
    assert np.array_equal(letters.images[:12, ..., 0], pixels().swapaxes(1, 2))
    assert letters.notes == ("EMNIST stores the columns of its images first; they are transposed",)
    assert np.array_equal(open_data(tmp_path / "train-images-idx3-ubyte.gz").images[:12, ..., 0], pixels())
    with pytest.raises(DataError) as caught:
        open_data(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: holds several sets, such as t10k-images-idx3-ubyte.gz and emnist-letters-t10k-images-idx3-ubyte; "
        "give a file of one of them"
    )


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"no idx", "not an idx file; download it again"),
        (idx_bytes(pixels())[:-1], "its header promises 576 bytes, and it has fewer; download it again"),
        (idx_bytes(pixels()) + b"x", "its header promises 576 bytes, and it has more; download it again"),
        (
            struct.pack(">BBBB3I", 0, 0, 8, 3, 2**31, 2**31, 2**31),
            f"its header promises {2**93:,} bytes, more than it can hold; download it again",
        ),
    ],
)
@pytest.mark.parametrize("compressed", [False, True])
def test_damaged_files_are_named(tmp_path: Path, content: bytes, why: str, compressed: bool) -> None:
    write_idx(tmp_path / "train-labels-idx1-ubyte", LABELS)
    file = tmp_path / ("train-images-idx3-ubyte" + ".gz" * compressed)
    file.write_bytes(gzip.compress(content) if compressed else content)
    if not compressed and "fewer" in why:
        why = "its header promises 576 bytes, more than it can hold; download it again"
        content = content[:-17]
        file.write_bytes(content)
    with pytest.raises(DataError) as caught:
        open_data(tmp_path)
    assert str(caught.value) == f"{file}: {why}"


def test_a_cut_gzip_and_missing_labels_are_named(tmp_path: Path) -> None:
    write_idx(tmp_path / "train-images-idx3-ubyte.gz", pixels())
    with pytest.raises(DataError) as caught:
        open_data(tmp_path)
    assert str(caught.value) == f"{tmp_path}: train-images-idx3-ubyte.gz has no file of labels; download that too"
    write_idx(tmp_path / "train-labels-idx1-ubyte.gz", LABELS)
    file = tmp_path / "train-images-idx3-ubyte.gz"
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(DataError) as caught:
        open_data(tmp_path)
    assert str(caught.value) == f"{file}: damaged or cut short; download it again"
