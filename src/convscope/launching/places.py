"""The place of this process among those that the user's own launcher has started, read from the environment.

``torchrun`` and the training operators of Kubernetes set RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT; ``srun`` of
SLURM sets variables of its own.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

PORT = 29_500  # the first that is used on SLURM, where none is given; jobs on one machine differ by their number
PORTS = 1000


@dataclass(frozen=True)
class Place:
    """A process among others."""

    rank: int
    count: int
    local_rank: int
    """Its number among the processes of its machine."""
    local_count: int
    """The number of processes on its machine."""
    address: str
    """Of the machine of the first process."""
    port: int
    attempt: int = 0
    """How often the launcher has started all processes again."""
    started_by: str = "torchrun"
    has_store: bool = False
    """Whether the launcher itself keeps the store at the address; else the first process does."""


def find_place(environment: Mapping[str, str]) -> Place | None:
    """Return the place of this process; None where it was not started together with others."""
    if int(environment.get("WORLD_SIZE", 1)) > 1 and "RANK" in environment:
        return _of_torchrun(environment)
    if int(environment.get("SLURM_STEP_NUM_TASKS", 1)) > 1 and "SLURM_PROCID" in environment:
        return _of_slurm(environment)
    return None


def _of_torchrun(environment: Mapping[str, str]) -> Place:
    return Place(
        int(environment["RANK"]),
        int(environment["WORLD_SIZE"]),
        int(environment.get("LOCAL_RANK", 0)),  # a pod of Kubernetes has one process
        int(environment.get("LOCAL_WORLD_SIZE", 1)),
        environment.get("MASTER_ADDR", "127.0.0.1"),
        int(environment.get("MASTER_PORT", PORT)),
        int(environment.get("TORCHELASTIC_RESTART_COUNT", 0)),
        has_store=environment.get("TORCHELASTIC_USE_AGENT_STORE") == "True",
    )


def _of_slurm(environment: Mapping[str, str]) -> Place:
    tasks = environment.get("SLURM_STEP_TASKS_PER_NODE", environment["SLURM_STEP_NUM_TASKS"])
    nodes = environment.get("SLURM_STEP_NODELIST", environment.get("SLURM_JOB_NODELIST", "127.0.0.1"))
    return Place(
        int(environment["SLURM_PROCID"]),
        int(environment["SLURM_STEP_NUM_TASKS"]),
        int(environment.get("SLURM_LOCALID", environment["SLURM_PROCID"])),
        int(re.match(r"\d+", tasks)[0]),  # type: ignore[index]  # like 4(x2),3: four on the first two machines
        environment.get("MASTER_ADDR", first_node(nodes)),
        int(environment.get("MASTER_PORT", PORT + int(environment.get("SLURM_JOB_ID", 0)) % PORTS)),
        int(environment.get("SLURM_RESTART_COUNT", 0)),
        "srun",
    )


def first_node(nodes: str) -> str:
    """Return the first name of a list of SLURM.

    >>> first_node("gpu[07-09,12],login"), first_node("a1,a2")
    ('gpu07', 'a1')
    """
    found = re.match(r"([^,\[]+)(?:\[([^\],-]+)[^\]]*\])?", nodes)
    return nodes if found is None else f"{found[1]}{found[2] or ''}"
