"""A folder with everything that the pages of the documentation name: images, recordings, runs, networks."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers.recordings import spoken
from helpers.small_runs import photos, train

SIZE = (32, 32)
"""Of the images: the least that a VGG takes."""
SMALL_RUNS = {"photos-1": "photos", "photos-2": "photos", "birds-1": "photos", "digits-1": "digits"}
"""The runs that pages name as trained before, and the data of each."""


@pytest.fixture(scope="session")
def page_folder(tmp_path_factory):
    """Return the folder; each page gets a copy."""
    folder = tmp_path_factory.mktemp("pages")
    images(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("photos-1", "digits-1"):
            train(folder / "runs" / name, SMALL_RUNS[name], train__epochs=2, train__batch=64)
    for name in ("photos-2", "birds-1"):
        shutil.copytree(folder / "runs" / "photos-1", folder / "runs" / name)
    return folder


def images(folder: Path) -> None:
    """Make the data and the single files."""
    photos(folder / "photos", ["cat", "dog"], each=12, size=SIZE)
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
