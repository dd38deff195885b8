"""A run that a power failure cut off, at any operation, ends with the same weights when it is resumed."""

import os
import random
import shutil

import numpy as np
import pytest

from convscope.api import RunFolder, resuming
from convscope.datasets.store import cache
from convscope.errors import ConvscopeError
from convscope.files import append_line, atomic_write, atomic_write_all, read_lines
from helpers.power_failures import build, recording
from helpers.small_runs import photos, train, weights

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_report")]

CRASHES = int(os.environ.get("CONVSCOPE_CRASHES", "40"))
SHORT = {"train__epochs": 2, "train__batch": 16, "train__probes": 1}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """The data, a finished run, and the operations that wrote it."""
    home = tmp_path_factory.mktemp("power")
    data = photos(home / "photos", each=15)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("convscope.pipeline.finalize.write_report", lambda folder, *_given: folder.report)
        patch.setattr("convscope.pipeline.finalize.write_first_insights", lambda *_given: None)
        with recording(home / "run") as found:
            train(home / "run", str(data), **SHORT)
    return data, home / "run", found


def test_a_recording_without_a_crash_is_the_run(recorded, tmp_path):
    _, run, found = recorded

    class Never(random.Random):
        def randrange(self, stop):
            return stop - 1

        def randint(self, _low, high):
            return high

        def choice(self, _values):
            return "whole"

    build(found.state(Never()), tmp_path / "run")
    for file in ("recipe.toml", "data.json", "events.jsonl", "model/model.safetensors", "model/config.json"):
        assert (tmp_path / "run" / file).read_bytes() == (run / file).read_bytes(), file
    assert (tmp_path / "run" / "checkpoint" / "last.pt").read_bytes() == (run / "checkpoint" / "last.pt").read_bytes()


@pytest.mark.parametrize("part", range(4))
def test_a_run_is_resumed_after_a_power_failure_at_any_operation(recorded, tmp_path, part):
    data, run, found = recorded
    wrong, started = [], 0
    for seed in range(part, CRASHES, 4):
        place = tmp_path / "run"
        build(found.state(random.Random(seed)), place)
        try:
            if not (place / "recipe.toml").exists():
                train(place, str(data), **SHORT)  # it had not started
            else:
                started += 1
                list(resuming(place))
        except ConvscopeError as error:
            wrong.append((seed, str(error)))
        else:
            same = weights(place) == weights(run) and losses(place) == losses(run)
            wrong += [] if same else [(seed, "other weights or events")]
            left = [file.name for file in place.rglob(".*") if file.name != ".lock"]
            wrong += [(seed, f"left over: {left}")] if left else []
        shutil.rmtree(place, ignore_errors=True)
    assert wrong == []
    assert started


def losses(path):
    return [(event["epoch"], event["train"]["loss"]) for event in RunFolder(path).events("epoch")]


def test_synced_files_have_their_old_or_new_content_and_synced_lines_stay(tmp_path):
    with recording(tmp_path / "folder") as found:
        for number in range(4):
            atomic_write_all({tmp_path / "folder" / name: f"{name}{number}".encode() * 99 for name in "ab"})
            append_line(tmp_path / "folder" / "lines.jsonl", {"number": number}, sync=True)
            atomic_write(tmp_path / "folder" / "c" / "deep", str(number).encode())
    for seed in range(500):
        place = tmp_path / "crashed"
        build(found.state(random.Random(seed)), place)
        for name in "ab":
            content = (place / name).read_bytes() if (place / name).exists() else b""
            assert content in {b"", *(f"{name}{number}".encode() * 99 for number in range(4))}
        numbers = [line["number"] for line in read_lines(place / "lines.jsonl")]
        assert numbers == list(range(len(numbers)))
        shutil.rmtree(place, ignore_errors=True)


def test_the_cache_returns_what_was_written_or_nothing_after_torn_writes(tmp_path):
    source = random.Random(0)
    pixels = np.random.default_rng(0).integers(0, 256, (40, 3, 8, 8), dtype=np.uint8)
    with cache.write_entry(tmp_path / "whole", "key", pixels.shape, 10**9) as (entry, _):
        entry[:] = pixels
    whole = tmp_path / "whole" / "key"
    intact = 0
    for _ in range(300):
        folder = tmp_path / "crashed"
        shutil.copytree(whole, folder / "key")
        for file in (folder / "key").iterdir():
            if source.random() < 0.4:
                torn(file, source)
        found = cache.load(folder, "key", pixels.shape)
        intact += found is not None
        assert found is None or (np.array_equal(found[0], pixels) and found[1] == {})
        assert found is not None or not (folder / "key").exists(), "a damaged entry is deleted"
        shutil.rmtree(folder)
    assert 0 < intact < 300


def torn(file, source):
    """Drop a file, cut it, or lose a part of its content."""
    content = bytearray(file.read_bytes())
    fate = source.choice(("dropped", "cut", "zeros"))
    if fate == "dropped":
        file.unlink()
        return
    if fate == "cut":
        content = content[: source.randrange(len(content))]
    else:
        first = source.randrange(len(content))
        last = min(len(content), first + source.choice((1, 64, 4096)))
        content[first:last] = bytes(last - first)
    file.write_bytes(content)


def test_a_planted_missing_sync_is_found(tmp_path):
    with recording(tmp_path / "folder") as found:
        (tmp_path / "folder").mkdir()
        for number in range(3):
            (tmp_path / "folder" / "new").write_bytes(bytes([number]) * 99)
            (tmp_path / "folder" / "new").replace(tmp_path / "folder" / "file")
    contents = set()
    for seed in range(200):
        contents.add(found.state(random.Random(seed)).get("file"))
    assert b"" in contents, "renamed, but its content was never written"
    assert any(content and len(content) < 99 for content in contents), "renamed, and half written"
