"""Mutated archives, arrays and masks: one line of error or a dataset, never a traceback, a hang or full memory."""

import gzip
import io
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convscope.datasets import build_masks
from convscope.layouts import open_data
from helpers.array_files import idx_bytes, pixels
from helpers.mask_folders import SIZE, block, write_image
from helpers.mutations import failures

COUNT = int(os.environ.get("CONVSCOPE_MUTATIONS", "500"))
LABELS = np.arange(12) % 3


def png(values: np.ndarray, palette: list[int] | None = None) -> bytes:
    image, file = Image.fromarray(values), io.BytesIO()
    if palette:
        image.putpalette(palette)
    image.save(file, "PNG")
    return file.getvalue()


def archives() -> dict[str, bytes]:
    files = {f"{kind}/{i}.png": png(pixels(1, seed=i)[0]) for kind in "ab" for i in range(2)}
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    found = {"d.zip": zipped.getvalue()}
    for ending in ("", "gz", "xz", "bz2"):
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode=f"w:{ending}") as archive:
            for name, content in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
        found[f"d.tar.{ending}".rstrip(".")] = packed.getvalue()
    return found


def arrays() -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, images=pixels(), labels=LABELS)
    return file.getvalue()


def read_as(folder: Path, name: str, also: Callable[[Path], object] = lambda _: None) -> Callable[[bytes], object]:
    def read(content: bytes) -> object:
        (folder / name).write_bytes(content)
        dataset = open_data(folder if also(folder) else folder / name)
        return build_masks(dataset, SIZE) if dataset.masks is not None else None

    return read


@pytest.mark.slow
@pytest.mark.parametrize("name", ["d.zip", "d.tar", "d.tar.gz", "d.tar.xz", "d.tar.bz2"])
def test_archives(tmp_path: Path, name: str) -> None:
    assert list(failures([archives()[name]], COUNT, read_as(tmp_path, name))) == []


@pytest.mark.slow
def test_arrays(tmp_path: Path) -> None:
    assert list(failures([arrays()], COUNT, read_as(tmp_path, "a.npz"))) == []


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_idx_files(tmp_path: Path, ending: str) -> None:
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx_bytes(LABELS))
    content = idx_bytes(pixels())
    sample = gzip.compress(content) if ending else content
    read = read_as(tmp_path, f"train-images-idx3-ubyte{ending}", also=lambda _: True)
    assert list(failures([sample], COUNT, read)) == []


@pytest.mark.slow
def test_masks_and_their_names(tmp_path: Path) -> None:
    for i in range(2):
        write_image(tmp_path / "images" / f"{i}.png", i)
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "1.png").write_bytes(png(block(1)))
    samples = [png(block(1)), png(block(2), [0, 0, 0, 9, 9, 9, 80, 0, 0]), png(np.stack([block(9)] * 3, -1))]
    assert list(failures(samples, COUNT, read_as(tmp_path, "masks/0.png", also=lambda _: True))) == []
    texts = [
        b"0 0 0 Void\n1 1 1 Roof\n",
        b"# label:color\nVoid:0,0,0::\nRoof:1,1,1::\n",
        b"name,r,g,b\na,0,0,0\nb,1,1,1\n",
        b"Pixel Value, Class\n0, a\n1, b\n",
        b'{"labels": {"a": 0, "b": 1}, "numTraining": 2}',
    ]
    files = ("label_colors.txt", "labelmap.txt", "class_dict.csv", "_classes.csv", "dataset.json")
    for name, text in zip(files, texts, strict=True):
        (tmp_path / "masks" / "0.png").write_bytes(png(block(1)))
        assert list(failures([text], COUNT // 2, read_as(tmp_path, name, also=lambda _: True))) == []
        (tmp_path / name).unlink()
