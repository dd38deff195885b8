"""The binary version of CIFAR, and the refusal of the pickled one."""

from pathlib import Path

import numpy as np
import pytest

from convscope.errors import DataError
from convscope.layouts import open_data

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 3, 32, 32), dtype=np.uint8)


def write(path: Path, *labels: list[int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = np.array(labels, np.uint8).T
    path.write_bytes(np.concatenate([columns, PIXELS.reshape(6, -1)], 1).tobytes())


def test_cifar_10(tmp_path: Path) -> None:
    folder = tmp_path / "cifar-10-batches-bin"
    for name in ("data_batch_1", "data_batch_2", "test_batch"):
        write(folder / f"{name}.bin", [0, 1, 2, 0, 1, 2])
    (folder / "batches.meta.txt").write_text("airplane\nautomobile\nbird\n\n")
    dataset = open_data(tmp_path)
    assert (dataset.layout, dataset.classes) == ("cifar", ("airplane", "automobile", "bird"))
    assert dataset.splits.tolist() == ["train"] * 12 + ["test"] * 6
    assert np.array_equal(dataset.images[:6], PIXELS.transpose(0, 2, 3, 1))


def test_cifar_100_takes_the_fine_labels(tmp_path: Path) -> None:
    for name in ("train", "test"):
        write(tmp_path / f"{name}.bin", [9] * 6, [0, 1, 2, 0, 1, 2])
    (tmp_path / "fine_label_names.txt").write_text("apple\nfish\nbaby\n")
    dataset = open_data(tmp_path)
    assert dataset.classes == ("apple", "fish", "baby")
    assert dataset.targets.tolist() == [0, 1, 2, 0, 1, 2] * 2
    assert dataset.notes == ("the 100 fine labels of CIFAR-100 are used, not the 20 coarse ones",)


@pytest.mark.parametrize("names", [("data_batch_1", "test_batch", "batches.meta"), ("train", "test", "meta")])
def test_the_pickled_version_is_never_opened(tmp_path: Path, names: tuple[str, ...]) -> None:
    for name in names:
        (tmp_path / name).write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    with pytest.raises(DataError) as caught:
        open_data(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: the Python version of CIFAR, whose pickled files could run code when read; download the binary "
        "version, or save x_train, y_train, x_test and y_test as .npz"
    )


def test_a_cut_file_is_named(tmp_path: Path) -> None:
    write(tmp_path / "data_batch_1.bin", [0, 1, 2, 0, 1, 2])
    file = tmp_path / "data_batch_1.bin"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(DataError) as caught:
        open_data(tmp_path)
    assert str(caught.value) == f"{file}: 18,437 bytes are no whole number of records of 3,073; download it again"
