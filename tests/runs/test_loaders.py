"""Preparing the data of a run."""

import numpy as np
from PIL import Image

from convscope.layouts import open_data
from convscope.runs.loaders import prepare
from convscope.runs.recipe import DataSettings


def test_copies_with_different_labels_come_first_in_the_notes(tmp_path, monkeypatch):
    monkeypatch.setenv("CONVSCOPE_CACHE", str(tmp_path / "cache"))
    folder, draw = tmp_path / "photos", np.random.default_rng(0)
    for label in ("cat", "dog"):
        (folder / label).mkdir(parents=True)
        for i in range(12):
            Image.fromarray(draw.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(folder / label / f"{i}.png")
    (folder / "dog" / "same.png").write_bytes((folder / "cat" / "3.png").read_bytes())
    (folder / "notes.txt").write_text("text")
    prepared = prepare(open_data(folder), DataSettings(source=str(folder), size=(8, 8)), seed=0)
    assert prepared.summary().notes == (
        "the same image is labelled cat (cat/3.png) and dog (dog/same.png) (1 pair); "
        "remove the copy with the wrong label of each pair",
        "skipped files that are not images: 1 .txt",
        "1 image is a copy or near copy of another; they stay in the same split",
    )
