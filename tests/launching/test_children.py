"""Started processes: their messages, their ends, and that none is left."""

import os
import time
from pathlib import Path

import pytest

from convscope.errors import DataError
from convscope.files import is_running
from convscope.launching.children import Children, Ended
from helpers import child_tasks


def all_messages(children):
    found = []
    while children.running:
        found += [(child.number, message) for child, message in children.wait()]
    return found


def gone(pid):
    """Whether a process ends within a few seconds; one that waits for its parent to read its status has ended too."""
    for _ in range(100):
        if not is_running(pid) or "Z" in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]:
            return True
        time.sleep(0.05)
    return False


def test_messages_arrive_in_the_order_of_each_process():
    with Children(child_tasks.count_up, [(0,), (10,)]) as children:
        found = all_messages(children)
    assert [message for number, message in found if number == 0] == [0, 1, 2]
    assert [message for number, message in found if number == 1] == [10, 11, 12]


def test_a_process_receives_what_its_parent_sends():
    with Children(child_tasks.answer, [()]) as children:
        children.running[0].send(21)
        assert all_messages(children) == [(0, 42)]


def test_the_end_of_a_process_is_reported_after_its_messages_and_the_others_are_ended():
    with Children(child_tasks.end_itself, [(0,), (1,)]) as children:
        found = []
        while len(found) < 3:
            found += children.wait()
        other = next(message for child, message in found if child.number == 0)
        assert [message for child, message in found if child.number == 1] == [
            "before", Ended(1, "process 1 was ended by SIGKILL"),
        ]  # fmt: skip
        assert [child.number for child in children.running] == [0]
    assert gone(other)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (child_tasks.stop_itself, "process 0 did not answer for 2 s"),
        (child_tasks.exit_early, "process 0 ended with exit code 7"),
        (child_tasks.raise_other, "process 0 failed with ValueError: a bug"),
    ],
)
def test_an_end_has_a_reason(function, reason):
    with Children(function, [()], silence=2.0) as children:
        ((_, ended),) = all_messages_of(children)
    assert ended.reason == reason
    assert ended.error is None


def all_messages_of(children):
    found = []
    while not found:
        found += children.wait()
    return found


def test_an_error_of_ours_is_kept_and_counts_as_the_cause_of_other_ends():
    with Children(child_tasks.raise_ours, [()]) as children:
        ((_, ended),) = all_messages_of(children)
        assert isinstance(ended.error, DataError)
        assert str(ended.error) == "photos: is empty; add images"
        other = Ended(1, "process 1 failed with RuntimeError: Connection closed by peer", is_cause=False)
        killed = Ended(1, "process 1 was ended by SIGKILL")
        assert children.causes(other) == other
        assert children.causes(killed) == killed


def test_processes_end_with_the_processes_that_they_started():
    with Children(child_tasks.start_a_grandchild, [()]) as children:
        ((_, grandchild),) = all_messages_of(children)
    assert gone(grandchild)


def test_a_process_ends_when_its_parent_is_gone():
    reading, writing = os.pipe()
    parent = os.fork()
    if parent == 0:
        with Children(child_tasks.wait_long, [()]) as children:
            ((_, pid),) = all_messages_of(children)
            os.write(writing, str(pid).encode())
            os._exit(0)
    pid = int(os.read(reading, 20))
    os.waitpid(parent, 0)
    assert gone(pid)
