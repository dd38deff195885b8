"""The state that processes share: the holder of each trial, and what becomes of those of a process that is gone."""

import os
import time

from convscope.tuning.events import TrialEnded, TrialStarted, TrialStopped
from convscope.tuning.folder import SearchFolder
from convscope.tuning.leases import EXPIRED, Leases
from convscope.tuning.state import SearchState
from helpers.studies import SPACE


def opened(path, name="", started=None):
    (path / "workers").mkdir(parents=True, exist_ok=True)
    return SearchState(SearchFolder(path), Leases(path / "workers", name), started)


def given_trial(state, number=0):
    with state.locked():
        state.write("trial", number=number, values=SPACE.start(), num_parameters=1, macs=1)
        state.write("started", number=number, rung=0, worker=state.leases.name)


def test_the_trial_of_a_dead_process_is_given_back(tmp_path):
    dead = opened(tmp_path, "elsewhere:1:a")
    given_trial(dead)
    state = opened(tmp_path)
    with state.locked() as study:
        assert study.trials[0].waits
        assert study.running() == []


def test_a_process_of_this_machine_that_ended_is_dead_at_once(tmp_path):
    import socket

    gone = os.spawnlp(os.P_WAIT, "true", "true") == 0 and 2**22 + 1  # no such process
    leases = Leases(tmp_path)
    leases._file(f"{socket.gethostname()}:{gone}:a").touch()
    assert not leases.alive(f"{socket.gethostname()}:{gone}:a")


def test_the_trial_of_a_process_that_lives_stays_its_own(tmp_path):
    other = opened(tmp_path, "elsewhere:1:a")
    given_trial(other)
    with other.leases.held():
        state = opened(tmp_path)
        with state.locked() as study:
            assert study.trials[0].running == (0, "elsewhere:1:a")
        assert state.others_work()


def test_a_process_that_no_longer_touches_its_file_is_dead(tmp_path):
    other = Leases(tmp_path, "elsewhere:1:a")
    file = other._file(other.name)
    file.touch()
    assert Leases(tmp_path).alive(other.name)
    old = time.time() - EXPIRED - 1
    os.utime(file, (old, old))
    assert not Leases(tmp_path).alive(other.name)


def test_a_lease_is_touched_while_it_is_held_and_deleted_afterwards(tmp_path, monkeypatch):
    monkeypatch.setattr("convscope.tuning.leases.TOUCHED", 0.01)
    leases = Leases(tmp_path)
    file = leases._file(leases.name)
    with leases.held():
        os.utime(file, (0, 0))
        for _ in range(200):
            if file.stat().st_mtime:
                break
            time.sleep(0.01)
        assert file.stat().st_mtime > 0
    assert not file.exists()


def test_news_of_other_processes_are_events(tmp_path):
    state, other = opened(tmp_path, "elsewhere:1:a"), opened(tmp_path)
    with state.leases.held():
        given_trial(state)
        with state.locked():
            fields = {"score": 0.5, "loss": 1.0, "first": 0.4, "epochs": 1, "seconds": 2.0}
            state.write("rung", number=0, rung=0, worker=state.leases.name, **fields)
            state.write("stopped", number=0, reason="vanishing gradient")
        with other.locked():
            pass
    ended = TrialEnded(0, 0, 1, SPACE.start(), 0.5, 2.0, 1, 0, 0.5, state.log.records[2]["clock"])
    assert other.news() == [TrialStarted(0, 0, SPACE.start()), ended, TrialStopped(0, "vanishing gradient")]
    assert other.news() == []


def test_the_clock_of_a_search_goes_on_after_a_stop(tmp_path):
    state = opened(tmp_path, started=time.monotonic() - 100)
    given_trial(state)
    resumed = opened(tmp_path, started=time.monotonic() - 5)
    assert 105 <= resumed.clock() < 106


def test_a_process_that_joins_has_the_clock_of_the_others(tmp_path):
    state = opened(tmp_path, started=time.monotonic() - 100)
    with state.leases.held():
        given_trial(state)
        record = state.log.path.read_text().replace('"at": 1', '"at": 1')
        state.log.path.write_text(record)
        joined = opened(tmp_path)
        assert 100 <= joined.clock() < 101
