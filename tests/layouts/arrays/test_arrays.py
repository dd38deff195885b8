"""NumPy files: pairs of images and labels, shapes, scaling and kinds of target."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from convscope.datasets.dataset import Skipped
from convscope.errors import DataError
from convscope.layouts import open_data
from helpers.array_files import pixels

LABELS = np.arange(12) % 3


def test_splits_come_from_names(tmp_path: Path) -> None:
    x = pixels()
    np.savez(tmp_path / "a.npz", x_train=x, y_train=LABELS, x_test=x[:6] // 2, y_test=LABELS[:6])
    dataset = open_data(tmp_path / "a.npz")
    assert (dataset.layout, dataset.source) == ("arrays", str(tmp_path / "a.npz"))
    assert dataset.classes == ("0", "1", "2")
    assert dataset.targets.tolist() == [*LABELS, *LABELS[:6]]
    assert dataset.splits.tolist() == ["train"] * 12 + ["test"] * 6
    assert (dataset.names[0], dataset.names[12]) == ("train/00000", "test/00000")
    assert np.array_equal(dataset.images[:12, ..., 0], x)
    assert (dataset.channels, dataset.sizes[0].tolist()) == (1, [6, 8])


def test_names_as_in_medmnist(tmp_path: Path) -> None:
    x = np.stack([pixels()] * 3, -1)
    parts = {f"{split}_{kind}": value for split in ("train", "val", "test") for kind, value in
             (("images", x), ("labels", LABELS[:, None]))}  # fmt: skip
    np.savez(tmp_path / "m.npz", **parts)
    dataset = open_data(tmp_path / "m.npz")
    assert sorted(set(dataset.splits)) == ["test", "train", "validation"]
    assert (len(dataset), dataset.channels, dataset.classes) == (36, 3, ("0", "1", "2"))


def test_npy_files_in_a_folder_are_a_pair(tmp_path: Path) -> None:
    np.save(tmp_path / "images.npy", pixels())
    np.save(tmp_path / "labels.npy", np.array(["cat", "dog", "owl"])[LABELS])
    dataset = open_data(tmp_path)
    assert (dataset.layout, dataset.classes) == ("arrays", ("cat", "dog", "owl"))
    assert dataset.because == "it has the arrays images.npy and labels.npy"


def test_class_names_in_the_file_are_used(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=pixels(), labels=LABELS, classes=np.array(["cat", "dog", "owl"]))
    assert open_data(tmp_path / "a.npz").classes == ("cat", "dog", "owl")


@pytest.mark.parametrize(
    ("of", "note"),
    [
        (lambda x: x / 255.0, "the images hold 0 to 1, which becomes 0 to 255"),
        (lambda x: (x / 127.5 - 1).astype(np.float32), "the images hold -1 to 1, which becomes 0 to 255"),
        (lambda x: x * 100.0 + 1000, "the images hold 1,000 to 26,500, which becomes 0 to 255"),
        (lambda x: x.astype(np.int64), None),
        (lambda x: x.astype(np.float32), None),
    ],
)
def test_values_are_scaled_to_bytes_and_it_is_said(tmp_path: Path, of, note: str | None) -> None:
    x = pixels()
    x[0, 0, 0], x[0, 0, 1] = 0, 255
    np.savez(tmp_path / "a.npz", images=of(x), labels=LABELS)
    dataset = open_data(tmp_path / "a.npz")
    assert np.array_equal(dataset.images[..., 0], x)
    assert dataset.notes == ((note,) if note else ())


def test_channels_may_come_first(tmp_path: Path) -> None:
    x = np.stack([pixels(seed=i) for i in range(3)], 1)
    np.savez(tmp_path / "a.npz", images=x, labels=LABELS)
    assert np.array_equal(open_data(tmp_path / "a.npz").images, x.transpose(0, 2, 3, 1))


def test_the_shape_of_labels_tells_the_task(tmp_path: Path) -> None:
    def read(labels: np.ndarray):
        np.savez(tmp_path / "a.npz", images=pixels(), labels=labels)
        return open_data(tmp_path / "a.npz")

    one_hot = read(np.eye(3)[LABELS])
    assert (one_hot.target_kind, one_hot.targets.tolist()) == ("classes", LABELS.tolist())
    assert one_hot.notes == ("each row of the labels has a single 1, whose column is the class",)
    several = read((np.arange(36).reshape(12, 3) % 2).astype(np.uint8))
    assert (several.target_kind, several.targets[1].tolist()) == ("labels", [1, 0, 1])
    numbers = read(LABELS + 0.5)
    assert (numbers.target_kind, numbers.targets[:3].tolist()) == ("numbers", [[0.5], [1.5], [2.5]])
    masks = read((pixels() > 128) * 5)
    assert (masks.target_kind, masks.classes) == ("masks", ("0", "5"))
    assert np.array_equal(masks.masks, pixels() > 128)


def test_images_without_a_label_or_with_nan_are_skipped(tmp_path: Path) -> None:
    x = pixels() / 255.0
    x[1, 2, 3] = np.nan
    labels = LABELS.copy()
    labels[2] = -1
    np.savez(tmp_path / "a.npz", images=x, labels=labels)
    assert open_data(tmp_path / "a.npz").skipped == (
        Skipped("images/00001", "contains nan or infinity"),
        Skipped("images/00002", "its label is -1, unknown"),
    )


def test_python_objects_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=pixels(), labels=np.array([{}] * 12, object))
    with pytest.raises(DataError) as caught:
        open_data(tmp_path / "a.npz")
    assert str(caught.value) == (
        f"{tmp_path / 'a.npz'}: labels: holds Python objects, which could run code; save numbers or texts"
    )


def test_declared_sizes_are_compared_with_the_file(tmp_path: Path) -> None:
    np.save(tmp_path / "images.npy", pixels())
    np.save(tmp_path / "labels.npy", LABELS)
    content = (tmp_path / "images.npy").read_bytes()
    (tmp_path / "images.npy").write_bytes(content.replace(b"(12, 6, 8)", b"(10**9,)  "))
    with pytest.raises(DataError) as caught:
        open_data(tmp_path)
    assert str(caught.value) == f"{tmp_path / 'images.npy'}: damaged, or no .npy file; save it again with numpy.save"
    (tmp_path / "images.npy").write_bytes(content.replace(b"(12, 6, 8)", b"(99999, 8)"))
    with pytest.raises(DataError) as caught:
        open_data(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / 'images.npy'}: its header and its {len(content)} bytes do not match; save it again"
    )


@pytest.mark.parametrize(
    ("arrays", "why"),
    [
        ({"a": 1, "b": 2, "c": 3}, "holds a, b, c; name its arrays x_train and y_train, or images and labels"),
        (
            {"images": pixels(), "labels": LABELS[:5]},
            "the images have the shape (12, 6, 8) and labels (5,); give (N, H, W) or (N, H, W, C) images and N labels",
        ),
        (
            {
                "x_train": np.zeros((4, 6, 7, 1)),
                "y_train": np.zeros(4),
                "x_test": np.zeros((4, 5, 6, 7)),
                "y_test": np.zeros(4),
            },
            "its images have the shape (4, 5, 6, 7); give 1 or 3 channels, first or last",
        ),
        (
            {"images": np.zeros((0, 5, 6)), "labels": np.zeros(0)},
            "its array of images is empty; give at least one image per class",
        ),
    ],
)
def test_arrays_that_are_not_images_are_named(tmp_path: Path, arrays: dict[str, np.ndarray], why: str) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(DataError) as caught:
        open_data(tmp_path / "a.npz")
    assert str(caught.value) == f"{tmp_path / 'a.npz'}: {why}"


def test_a_file_that_is_no_npz_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"no zip")
    with pytest.raises(DataError) as caught:
        open_data(tmp_path / "a.npz")
    assert str(caught.value) == (f"{tmp_path / 'a.npz'}: damaged, or no .npz file; save it again with numpy.savez")
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("images.npy", b"text")
        archive.writestr("labels.npy", b"text")
    with pytest.raises(DataError) as caught:
        open_data(tmp_path / "a.npz")
    assert str(caught.value) == f"{tmp_path / 'a.npz'}: images is damaged; save it again with numpy.savez"
