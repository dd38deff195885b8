"""Parts computed in several processes, some of which are killed."""

import pytest

from convscope.errors import DataError
from convscope.launching.parts import AHEAD, PartError, in_order
from helpers import child_tasks


def with_deaths(folder, count):
    folder.mkdir()
    for number in range(count):
        (folder / str(number)).touch()
    return folder


def test_results_come_in_the_order_of_the_parts(tmp_path):
    deaths = with_deaths(tmp_path / "deaths", 0)
    assert list(in_order(child_tasks.squares, (None, deaths), iter(range(20)), 2)) == [n**2 for n in range(20)]


def test_few_parts_are_read_ahead(tmp_path):
    deaths, read = with_deaths(tmp_path / "deaths", 0), []
    parts = (read.append(number) or number for number in range(100))
    results = in_order(child_tasks.squares, (None, deaths), parts, 2)
    assert next(results) == 0
    assert len(read) <= 2 * AHEAD
    results.close()


def test_no_parts_give_no_results(tmp_path):
    deaths = with_deaths(tmp_path / "deaths", 0)
    assert list(in_order(child_tasks.squares, (None, deaths), iter(()), 2)) == []


def test_a_part_whose_process_is_killed_is_computed_by_another(tmp_path):
    deaths = with_deaths(tmp_path / "deaths", 2)
    assert list(in_order(child_tasks.squares, (3, deaths), iter(range(8)), 2)) == [n**2 for n in range(8)]
    assert list(deaths.iterdir()) == []


def test_a_part_that_ends_every_process_is_named(tmp_path):
    deaths, found = with_deaths(tmp_path / "deaths", 9), []
    with pytest.raises(PartError) as raised:
        found.extend(in_order(child_tasks.squares, (3, deaths), iter(range(8)), 2))
    assert raised.value.part == 3
    assert raised.value.reason in {f"process {number} was ended by SIGKILL" for number in (0, 1)}
    assert len(list(deaths.iterdir())) == 6


def test_an_error_of_ours_ends_the_work():
    with pytest.raises(DataError) as raised:
        list(in_order(child_tasks.refuses, (), iter(range(8)), 2))
    assert str(raised.value) == "photos: is empty; add images"
