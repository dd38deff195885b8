"""Runs whose data were given as an object: recorded, evaluated, and refused when the copy is gone."""

import shutil

import numpy as np
import pytest

import convscope as cs
from convscope.datasets.store.cache import default_folder
from convscope.errors import DataError
from helpers.small_runs import small


def test_a_run_on_arrays_says_so_and_is_evaluated_until_the_copy_is_gone(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CONVSCOPE_CACHE", str(tmp_path / "cache"))
    images = np.random.default_rng(0).integers(0, 256, (60, 8, 8), dtype=np.uint8)
    labels = np.arange(60) % 2
    images[labels == 1] //= 4
    run = cs.train({"train": (images[:40], labels[:40]), "validation": (images[40:], labels[40:])},
                   out=tmp_path / "run", epochs=1, settings=small(train__batch=8))  # fmt: skip
    source = run.folder.recipe().data.source
    assert source.startswith(str(tmp_path / "cache" / "object-"))
    note = f"the data were given as an object (tuple); runs read the copy {source}, so keep it to use them again"
    assert note in run.folder.data()["notes"]
    assert "the data were given as an object" in " ".join(capsys.readouterr().out.split())
    assert 0 <= run.evaluate("validation")["accuracy"] <= 1
    shutil.rmtree(default_folder())
    with pytest.raises(DataError) as caught:
        run.evaluate("validation")
    assert str(caught.value) == (
        f"{source}: the copy of an object that was given to train or data, deleted since; give the object again"
    )


def test_the_look_takes_objects_too(tmp_path, monkeypatch):
    monkeypatch.setenv("CONVSCOPE_CACHE", str(tmp_path))
    look = cs.data((np.zeros((20, 8, 8), np.uint8) + np.arange(20, dtype=np.uint8)[:, None, None], np.arange(20) % 2))
    assert look.to_dict()["layout"] == "arrays"
