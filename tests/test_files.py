"""Names of files that are written for other files."""

import itertools
import os
from pathlib import Path

import pytest

from convscope.files import read_start, unique_names, unique_stems


def test_names_are_those_of_the_files_where_they_differ() -> None:
    assert unique_stems(["photos/cat.jpg", "photos/dog.png"]) == ["cat", "dog"]


def test_equal_names_differ_by_folder_then_ending_then_number() -> None:
    assert unique_stems(["1.jpg", "1.png", "cam/a_1.jpg", "cam_a/1.jpg"]) == ["1_jpg", "1_png", "a_1", "cam_a_1"]
    assert unique_stems(["/data/x/a/1.jpg", "/data/x/b/1.jpg"]) == ["a_1", "b_1"]
    assert unique_stems(["a/b/1.jpg", "a_b/1.jpg", "b/1.jpg"]) == ["a_b_1_jpg", "a_b_1_jpg-2", "b_1"]
    assert unique_stems(["a.jpg", "a.jpg"]) == ["a_jpg", "a_jpg-2"]


def test_names_that_differ_only_by_case_or_unicode_form_count_as_equal() -> None:
    assert unique_stems(["Cat.jpg", "cat.png"]) == ["Cat_jpg", "cat_png"]
    assert unique_names(["K\u00e4fer", "Ka\u0308fer"]) == ["K\u00e4fer", "Ka\u0308fer-2"]


def test_names_are_valid_on_every_system() -> None:
    assert unique_names(['a<b>:"c|d?e*f', "x/y\\z", "end. ", "", "line\nbreak"]) == [
        "a_b_c_d_e_f", "x_y_z", "end", "image", "line_break",
    ]  # fmt: skip


def test_long_names_are_shortened_and_stay_unique() -> None:
    names = unique_names([f"{'k' * 300}{i % 2}" for i in range(4)])
    assert [len(name) for name in names] == [150, 150, 152, 152]
    assert len(set(names)) == 4


def test_every_combination_of_similar_paths_gives_different_names() -> None:
    paths = ["1.jpg", "1.png", "a/1.jpg", "a_1.jpg", "A/1.jpg", "a/1_jpg.png", "a_1-2.jpg", "1-2.jpg"]
    for order in itertools.permutations(paths, 5):
        stems = unique_stems(order)
        assert len({stem.casefold() for stem in stems}) == len(stems)
        assert stems == unique_stems(order)


def test_pipes_and_devices_are_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(OSError, match="not a regular file"):
            read_start(path, 10)
    (tmp_path / "file").write_bytes(b"0123456789")
    assert read_start(tmp_path / "file", 3) == b"012"
