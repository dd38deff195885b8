"""The log: what a kill leaves is cut off, and two processes read each other's lines."""

import pytest

from convscope.errors import RunError
from convscope.tuning.log import SearchLog


@pytest.fixture
def log(tmp_path):
    log = SearchLog(tmp_path / "search.jsonl")
    with log.locked():
        log.append({"event": "one"})
        log.append({"event": "two"})
    return log


def test_another_process_reads_what_was_written(log):
    other = SearchLog(log.path)
    assert [record["event"] for record in other.refresh()] == ["one", "two"]
    with other.locked():
        other.append({"event": "three"})
    assert log.refresh() == [{"event": "three"}]
    assert log.refresh() == []


def test_at_every_byte_of_a_torn_write_the_complete_lines_survive(log, tmp_path):
    whole = log.path.read_bytes()
    first = whole.index(b"\n") + 1
    for length in range(first, len(whole)):
        path = tmp_path / f"{length}.jsonl"
        path.write_bytes(whole[:length])
        torn = SearchLog(path)
        with torn.locked() as records:
            assert records == [{"event": "one"}]
            torn.append({"event": "next"})
        assert torn.removed == length - first
        assert SearchLog(path).refresh() == [{"event": "one"}, {"event": "next"}]


def test_a_last_line_that_was_overwritten_with_zeros_is_removed(log):
    log.path.write_bytes(log.path.read_bytes() + b"\0" * 20 + b"\n")
    torn = SearchLog(log.path)
    with torn.locked() as records:
        assert len(records) == 2
    assert torn.removed == 21


def test_a_reader_leaves_an_incomplete_line_to_its_writer(log):
    whole = log.path.read_bytes()
    log.path.write_bytes(whole + b'{"event": "th')
    reader = SearchLog(log.path)
    assert len(reader.refresh()) == 2
    log.path.write_bytes(whole + b'{"event": "three"}\n')
    assert reader.refresh() == [{"event": "three"}]


def test_a_damaged_line_in_the_middle_is_an_error(log):
    log.path.write_bytes(b"damaged\n" + log.path.read_bytes())
    with pytest.raises(RunError) as caught:
        SearchLog(log.path).refresh()
    assert str(caught.value) == f"{log.path} line 1: damaged, so the search cannot go on; start a new one"


def test_the_log_says_so_when_the_disk_is_full(log, monkeypatch):
    monkeypatch.setattr("os.fsync", lambda _file: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(RunError) as caught, log.locked():
        log.append({"event": "three"})
    assert str(caught.value) == (
        f"{log.path}: cannot be written (No space left on device); free some space, then continue the search"
    )
