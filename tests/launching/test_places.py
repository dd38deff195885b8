"""The place of a process that the user's own launcher has started."""

import pytest

from convscope.errors import ConfigError
from convscope.launching.places import Place, find_place
from convscope.launching.training import training

TORCHRUN = {
    "RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "10.0.0.1",
    "MASTER_PORT": "29400", "TORCHELASTIC_RESTART_COUNT": "2", "TORCHELASTIC_USE_AGENT_STORE": "True",
}  # fmt: skip


def test_torchrun_tells_each_process_its_place():
    assert find_place(TORCHRUN) == Place(3, 4, 1, 2, "10.0.0.1", 29400, 2, "torchrun", has_store=True)


def test_a_kubernetes_job_has_one_process_per_pod():
    environment = {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "job-master-0", "MASTER_PORT": "23456"}
    assert find_place(environment) == Place(0, 2, 0, 1, "job-master-0", 23456)


def test_srun_tells_each_task_its_place():
    environment = {
        "SLURM_PROCID": "5", "SLURM_STEP_NUM_TASKS": "8", "SLURM_LOCALID": "1", "SLURM_STEP_TASKS_PER_NODE": "4(x2)",
        "SLURM_STEP_NODELIST": "gpu[07-08]", "SLURM_JOB_ID": "4321",
    }  # fmt: skip
    assert find_place(environment) == Place(5, 8, 1, 4, "gpu07", 29821, 0, "srun")


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"WORLD_SIZE": "1", "RANK": "0"},
        {"SLURM_PROCID": "0", "SLURM_NTASKS": "8", "SLURM_JOB_ID": "1"},  # a batch script, which runs once
        {"SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "1"},
    ],
)
def test_a_process_alone_has_no_place(environment):
    assert find_place(environment) is None


def test_another_number_of_processes_than_the_launcher_started_is_an_error(monkeypatch, tmp_path):
    for name, value in TORCHRUN.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as raised:
        list(training("digits", tmp_path / "run", {"train.processes": 2}))
    assert str(raised.value) == "train.processes is 2, but torchrun has started 4 processes; remove the setting"
