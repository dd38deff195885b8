"""Add a kind of target, a layout and a kind of input from outside, as docs/how-to/extend shows: one file, one line."""

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from convscope.bundle import load_bundle, load_config, save_config
from convscope.datasets import INPUT_KINDS, TARGET_KINDS, drop_unreadable
from convscope.datasets.split import split
from convscope.layouts import LAYOUTS, open_data, recognise, shapes
from helpers.bundles import saved

GUIDES = Path(__file__).parent.parent.parent / "docs" / "how-to" / "extend"


def code_of(guide: str) -> SimpleNamespace:
    """The definitions of the first code block of a guide."""
    block = re.findall(r"```python\n(.*?)```", (GUIDES / guide).read_text(encoding="utf-8"), re.DOTALL)[0]
    found: dict[str, object] = {"__name__": guide}
    exec(compile(block, guide, "exec"), found)
    return SimpleNamespace(**found)


def test_the_guides_kind_of_target_is_split_counted_and_restored(monkeypatch):
    ages = code_of("add-a-target.md").AGES
    monkeypatch.setitem(TARGET_KINDS, ages.name, ages)
    years = (np.arange(200) % 80).astype(np.float32)[:, None]
    data = replace(shapes(count=200), target_kind="ages", targets=years, classes=("age",))
    assert data.strata()[1] == 8
    assert set(split(data).split) == {"train", "validation", "test"}
    assert data.counts(years[:, 0] < 10).tolist() == [30]
    assert np.array_equal(data.kind.restore(data, ("age",)), years)
    assert len(drop_unreadable(data, {0: "damaged"})) == 199


def test_the_guides_layout_is_recognised_and_read(monkeypatch, tmp_path):
    named = code_of("add-a-layout.md").NAMED_FILES
    for i in range(4):
        Image.new("RGB", (8, 8), (60 * i, 0, 0)).save(tmp_path / f"{('cat', 'dog')[i % 2]}.00{i}.png")
    monkeypatch.setitem(LAYOUTS, named.name, named)
    found = recognise(tmp_path)[0]
    assert (found.layout, found.confidence) == ("named_files", 0.9)
    data = open_data(tmp_path)
    assert data.because == "4 of 4 images have names such as cat.000.png"
    assert (data.layout, data.classes, data.targets.tolist()) == ("named_files", ("cat", "dog"), [0, 0, 1, 1])


def test_the_guides_kind_of_input_is_saved_with_a_model_and_comes_back(monkeypatch, tmp_path):
    spectrum = code_of("add-an-input.md").SpectrumPreprocessing
    monkeypatch.setitem(INPUT_KINDS, "spectrum", spectrum)
    np.save(tmp_path / "x.npy", np.cos(2 * np.pi * 3 * np.arange(16) / 16))
    preprocessing = spectrum(size=(6,), channels=1, mean=(1.0,), std=(2.0,))
    found = preprocessing.decode(tmp_path / "x.npy")
    assert (found.values.shape, found.whole, found.values.argmax()) == (preprocessing.shape, (16,), 3)
    assert preprocessing(torch.from_numpy(found.values)[None])[0, 0, 3] == pytest.approx(3.5)
    assert preprocessing.draw(found.values).shape == (80, 160, 3)
    _, config = saved(tmp_path / "model")
    save_config(tmp_path / "model", config.model_copy(update={"preprocessing": preprocessing}))
    assert load_config(tmp_path / "model").preprocessing == preprocessing
    assert load_bundle(tmp_path / "model")[1].preprocessing.kind == "spectrum"
