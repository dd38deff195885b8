"""A folder with everything that the pages of the documentation name: images, recordings, texts, volumes, runs."""

import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers.recordings import spoken
from helpers.small_runs import photos, train
from helpers.volumes import block, write_nifti

SIZE = (32, 32)
"""Of the images: the least that a VGG takes."""
SMALL_RUNS = {"photos-1": "photos", "photos-2": "photos", "birds-1": "photos", "digits-1": "digits"}
"""The runs that pages name as trained before, and the data of each."""


FEW = 240
"""Examples of the built-in sets."""


@pytest.fixture
def examples_are_few(monkeypatch):
    """Trainings and trials of a fraction of a second."""
    cut(monkeypatch)


def cut(patch: pytest.MonkeyPatch) -> None:
    """Cut the built-in sets and the epochs of trainings and trials."""
    from convscope.layouts import builtin
    from convscope.pipeline import defaults
    from convscope.tuning import rungs

    table = builtin._digits_table()[:FEW]
    patch.setattr(builtin, "_digits_table", lambda: table)
    patch.setitem(builtin.BUILTINS, "waves", partial(builtin.waves, FEW))
    patch.setattr(defaults, "EPOCHS", (1, 1))
    patch.setattr(rungs, "LADDERS", ((1, 2), (1, 2)))


@pytest.fixture(scope="session")
def page_folder(tmp_path_factory):
    """Return the folder; each page gets a copy."""
    folder = tmp_path_factory.mktemp("pages")
    images(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        cut(patch)
        for name in ("photos-1", "digits-1"):
            train(folder / "runs" / name, SMALL_RUNS[name], train__epochs=2, train__batch=64)
    for name in ("photos-2", "birds-1"):
        shutil.copytree(folder / "runs" / "photos-1", folder / "runs" / name)
    return folder


def images(folder: Path) -> None:
    """Make the data and the single files."""
    photos(folder / "photos", ["cat", "dog"], each=20, size=SIZE)
    photos(folder / "cameras" / "north", ["cat"], each=3, size=SIZE, seed=1)
    for image in (folder / "cameras").rglob("*.png"):
        with Image.open(image) as picture:
            picture.save(image.with_suffix(".jpg"))
    for number, image in enumerate((folder / "photos").rglob("*.png")):
        if number % 2:
            with Image.open(image) as picture:
                picture.save(image.with_suffix(".jpg"), quality=95)
            image.unlink()
    shutil.make_archive(str(folder / "photos"), "zip", folder, "photos")
    shutil.copy(next((folder / "cameras").rglob("*.jpg")), folder / "new.jpg")
    seven = np.zeros((8, 8), np.uint8)
    seven[1, 1:7] = seven[range(2, 8), range(6, 0, -1)] = 255
    for name in ("seven.png", "new.png"):
        Image.fromarray(seven).save(folder / name)
    np.save(folder / "new.npy", np.sin(np.arange(40) / 3).astype(np.float32))


def recordings(folder: Path) -> None:
    """Make `digits`, a folder of recordings, and a file of another format; it hides the built-in data of that name."""
    import soundfile

    spoken(folder / "digits", count=48)
    soundfile.write(folder / "new.mp3", np.sin(np.arange(4000) / 3), 8000)


def texts(folder: Path) -> None:
    """Make `reviews.csv`, a table of texts, and a file of one text."""
    words = ("a moving and funny film", "a dull film", "funny and warm", "dull and cold")
    rows = [f"{words[number % 4]} number {number},{('good', 'bad')[number % 2]}" for number in range(80)]
    (folder / "reviews.csv").write_text("\n".join(["text,label", *rows]) + "\n", encoding="utf-8")
    (folder / "new.txt").write_text("a funny film\n", encoding="utf-8")


def volumes(folder: Path) -> None:
    """Make `scans`, a folder of volumes of two classes, and a volume."""
    noise = np.random.default_rng(0)
    for number in range(24):
        values = block((12, 12, 12), place=number % 2) + noise.integers(0, 50, (12, 12, 12), np.int16)
        write_nifti(folder / "scans" / ("left", "right")[number % 2] / f"{number}.nii.gz", values)
    shutil.copy(folder / "scans" / "left" / "0.nii.gz", folder / "new.nii.gz")
