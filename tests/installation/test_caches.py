"""The caches: their size is measured, and cleaning deletes what they hold and nothing else."""

import numpy as np
import pytest

from convscope.datasets.store import cache
from convscope.errors import ConfigError
from convscope.installation import caches, clear_caches, find_caches


@pytest.fixture
def folders(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.ENVIRONMENT, str(tmp_path / "images"))
    monkeypatch.setattr(caches, "download_folder", lambda: tmp_path / "weights")
    with cache.write_entry(tmp_path / "images", "a", (2, 8, 8, 3), 10**9) as (pixels, _):
        pixels[:] = np.uint8(1)
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "net.pth").write_bytes(bytes(1000))
    (tmp_path / "images" / "mine.txt").write_text("not an entry")
    return tmp_path


def test_caches_are_measured(folders):
    images, weights = find_caches()
    assert (images.name, images.folder, images.entries) == ("images", folders / "images", 1)
    assert images.size == 2 * 8 * 8 * 3 + 128  # the header of .npy
    assert (weights.name, weights.entries, weights.size) == ("weights", 1, 1000)


def test_cleaning_deletes_one_cache_and_leaves_what_it_did_not_write(folders):
    (held,) = clear_caches(["images"])
    assert held.entries == 1
    assert [found.entries for found in find_caches()] == [0, 1]
    assert (folders / "images" / "mine.txt").exists()
    clear_caches(["weights"])
    assert find_caches()[1].size == 0


def test_caches_that_do_not_exist_are_empty(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.ENVIRONMENT, str(tmp_path / "absent"))
    monkeypatch.setattr(caches, "download_folder", lambda: tmp_path / "none")
    assert [(found.entries, found.size) for found in find_caches()] == [(0, 0), (0, 0)]


@pytest.mark.usefixtures("folders")
def test_an_unknown_cache_is_refused():
    with pytest.raises(ConfigError) as caught:
        clear_caches(["pixels"])
    assert str(caught.value) == "--clean pixels: unknown; choose one of images, weights"
    assert find_caches()[0].entries == 1
