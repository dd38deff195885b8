"""Fixtures for data on disk: files of many kinds, and datasets of blank images."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convscope.datasets.dataset import Dataset


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or fills the user's cache."""
    monkeypatch.setenv("CONVSCOPE_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def save() -> Callable[..., Path]:
    """A function that writes an image, by default a small random one in colour."""

    def write(
        path: Path, seed: int = 0, mode: str = "RGB", size: tuple[int, int] = (20, 16), **options: object
    ) -> Path:
        """`size` is (width, height), as Pillow counts."""
        path.parent.mkdir(parents=True, exist_ok=True)
        random = np.random.default_rng(seed)
        blocks = Image.fromarray(random.integers(0, 256, (4, 5, 3), dtype=np.uint8)).resize(
            size, Image.Resampling.BICUBIC
        )
        blocks.convert(mode).save(path, **options)
        return path

    return write


@pytest.fixture
def mixed_folder(tmp_path: Path, save: Callable[..., Path]) -> Path:
    """Two classes with every kind of file, valid and damaged."""
    one, two = tmp_path / "mixed" / "one", tmp_path / "mixed" / "two"
    save(one / "rgb.jpg", 1)
    save(one / "grey.png", 2, "L")
    save(one / "rgba.png", 3, "RGBA")
    save(one / "cmyk.jpg", 4, "CMYK")
    save(one / "palette.gif", 5, "P")
    save(one / "grey_alpha.png", 6, "LA")
    Image.fromarray(np.linspace(0, 65535, 320).reshape(16, 20).astype(np.uint16)).save(one / "deep.png")
    save(two / "one_pixel.png", 8, size=(1, 1))
    save(two / "wide.png", 9, "L", size=(20_000, 3))
    turned = Image.Exif()
    turned[0x0112] = 6
    save(two / "turned.jpg", 10, exif=turned)
    save(two / "deeper" / "nested.webp", 11)
    (two / "empty.jpg").touch()
    (two / "text.png").write_text("not a picture")
    whole = save(two / "truncated.jpg", 12, size=(200, 160)).read_bytes()
    (two / "truncated.jpg").write_bytes(whole[: len(whole) // 2])
    (two / "notes.txt").write_text("skipped")
    (two / ".hidden.jpg").write_text("skipped")
    return tmp_path / "mixed"


@pytest.fixture
def labelled() -> Callable[..., Dataset]:
    """A function that makes a dataset of blank images from labels, and splits and groups if given."""

    def make(
        targets: Sequence[int],
        splits: Sequence[str] | None = None,
        groups: Sequence[str] | None = None,
        names: Sequence[str] | None = None,
    ) -> Dataset:
        count = len(targets)
        classes = tuple("abcdefghij"[: max(targets) + 1])
        return Dataset(
            source="made",
            layout="folder",
            images=np.zeros((count, 2, 2, 1), np.uint8),
            names=tuple(names or (f"{i:04d}" for i in range(count))),
            targets=np.array(targets, np.int64),
            classes=classes,
            splits=np.array(splits if splits is not None else [""] * count, dtype="<U10"),
            groups=None if groups is None else np.array(groups),
            skipped=(),
            sizes=np.full((count, 2), 2, np.int64),
            channels=1,
            modes={"grey": count},
        )

    return make
