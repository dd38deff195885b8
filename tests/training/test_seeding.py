"""Seeding, deterministic kernels and the number of cores."""

import os
import random

import numpy as np
import pytest
import torch

from convscope import devices
from convscope.devices import default_threads, physical_cores, use_cores
from convscope.training import deterministic, random_states, seed_everything, set_random_states
from helpers.toy_network import same_bits


def draw() -> list[float]:
    values = [random.random(), random.gauss(0, 1), np.random.rand(), np.random.randn(), torch.rand(1).item()]
    return [float(value) for value in values]


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others():
    draws = []
    for seed in (1, 1, 2):
        seed_everything(seed)
        draws.append(draw())
    assert draws[0] == draws[1]
    assert not set(draws[0]) & set(draws[2])


def test_seeds_too_large_for_numpy_are_accepted():
    seed_everything(2**40 + 3)


def test_generators_resume_from_their_states_also_within_a_pair():
    """Python's and NumPy's normal numbers come in pairs; the second of one is part of the state."""
    draw()
    states = random_states()
    expected = [draw() for _ in range(3)]
    set_random_states(states)
    assert [draw() for _ in range(3)] == expected


def test_reading_the_states_draws_no_number():
    assert same_bits(random_states(), random_states())


def test_deterministic_kernels_can_be_enabled_and_disabled():
    deterministic()
    assert torch.are_deterministic_algorithms_enabled()
    deterministic(False)
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Four processors, two threads on each of two cores."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1, 2, 3}, raising=False)
    for processor, siblings in enumerate(("0,2", "1,3", "0,2", "1,3")):
        folder = tmp_path / f"sys/devices/system/cpu/cpu{processor}/topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text(f"{siblings}\n")
    (tmp_path / "sys/fs/cgroup/cpu").mkdir(parents=True)
    return tmp_path


def test_two_threads_of_a_core_count_once(machine):
    assert physical_cores(machine) == 2


def test_processors_outside_the_affinity_do_not_count(machine, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 2}, raising=False)
    assert physical_cores(machine) == 1


def test_without_a_topology_every_processor_counts(machine):
    assert physical_cores(machine / "nowhere") == 4


@pytest.mark.parametrize(
    ("limit", "cores"), [("100000 100000", 1), ("150000 100000", 1), ("20000 100000", 1), ("max 100000", 2)]
)
def test_the_limit_of_a_container_is_respected(machine, limit, cores):
    (machine / "sys/fs/cgroup/cpu.max").write_text(limit)
    assert physical_cores(machine) == cores


@pytest.mark.parametrize(("quota", "cores"), [("100000", 1), ("-1", 2)])
def test_the_limit_of_cgroup_v1_is_respected(machine, quota, cores):
    (machine / "sys/fs/cgroup/cpu/cpu.cfs_quota_us").write_text(quota)
    (machine / "sys/fs/cgroup/cpu/cpu.cfs_period_us").write_text("100000")
    assert physical_cores(machine) == cores


def test_the_number_of_torch_threads_can_be_set(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    before = torch.get_num_threads()
    assert use_cores(2) == torch.get_num_threads() == 2
    assert use_cores() == physical_cores()
    torch.set_num_threads(before)


@pytest.mark.parametrize(("value", "threads"), [("3", 3), ("5,2", 5), ("0", 0), ("", 0), ("many", 0)])
def test_the_environments_number_of_threads_is_respected_as_in_pytorch(monkeypatch, value, threads):
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert default_threads() == (threads or physical_cores())


@pytest.mark.parametrize(("busy", "expected"), [(False, 4), (True, 1)], ids=["idle", "busy"])
def test_fewer_threads_are_used_where_they_are_faster(monkeypatch, busy, expected):
    """Four threads take a quarter of the time, or on cores that others use four times the time."""
    clock, before = [0.0], torch.get_num_threads()
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(devices, "physical_cores", lambda: 4)

    def convolution(_x, _kernel):
        threads = torch.get_num_threads()
        clock[0] += threads if busy else 1 / threads

    monkeypatch.setattr(torch, "conv2d", convolution)
    monkeypatch.setattr(devices.time, "perf_counter", lambda: clock[0])
    assert devices.fastest_threads() == expected
    assert torch.get_num_threads() == before


def test_one_core_has_one_thread(monkeypatch):
    monkeypatch.setattr(devices, "physical_cores", lambda: 1)
    assert devices.fastest_threads() == 1
