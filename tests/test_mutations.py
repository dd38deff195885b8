"""The search for files that break readers finds planted bugs."""

import time

from convscope.errors import DataError
from helpers.mutations import failures, mutate

SAMPLES = (b"file,label\n1.png,a\n2.png,b\n", b'{"file": "1.png", "label": "a"}\n')


def test_the_same_number_and_seed_give_the_same_file() -> None:
    files = [mutate(SAMPLES, number, seed=3) for number in range(300)]
    assert files == [mutate(SAMPLES, number, seed=3) for number in range(300)]
    assert len(set(files)) > 270
    assert files != [mutate(SAMPLES, number, seed=4) for number in range(300)]


def test_a_planted_traceback_is_found_and_an_error_of_one_line_is_not() -> None:
    def planted(content: bytes) -> None:
        if b"999999" in content:
            int(content)
        raise DataError("list.csv: not a table; write it again")

    found = list(failures(SAMPLES, 1_000, planted))
    assert 0 < len(found) < 100
    assert {failure.what[:10] for failure in found} == {"ValueError"}
    assert all(b"999999" in mutate(SAMPLES, failure.number) for failure in found)


def test_a_planted_hang_slowness_and_message_of_two_lines_are_found() -> None:
    def hangs(_content: bytes) -> None:
        while True:
            time.sleep(0.01)

    def slow(_content: bytes) -> None:
        time.sleep(0.03)

    def two_lines(_content: bytes) -> None:
        raise DataError("one\ntwo")

    assert [f.what for f in failures(SAMPLES, 1, hangs, seconds=0.02)] == ["hang: more than 0.04 s"]
    assert [f.what for f in failures(SAMPLES, 1, slow, seconds=0.02)] == ["slow: 0.0 s"]
    assert [f.what for f in failures(SAMPLES, 1, two_lines)] == ["a message of several lines: 'one\\ntwo'"]
