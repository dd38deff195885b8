"""Checkpoints: a complete one can be read whatever happens during a write."""

import os
import pickle
import re
import signal
import subprocess
import sys
import textwrap
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from convscope.errors import RunError, TrainingError
from convscope.training import load, save
from helpers.toy_network import go_on, new_state, same_bits, schedule_for


def saved_states(folder: Path, count: int) -> list[dict]:
    """Save a state after each epoch and return the contents."""
    state = new_state()
    schedule = schedule_for(state, "cosine", 5)
    contents = []
    for epoch in range(1, count + 1):
        go_on(state, schedule, epoch)
        save(state, folder)
        contents.append(load(folder))
    return contents


def test_a_loaded_state_is_bit_identical_to_the_saved_one(tmp_path):
    state = new_state(name="adam")
    go_on(state, schedule_for(state, "plateau", 5), 2)
    save(state, tmp_path)
    assert same_bits(load(tmp_path), state.state_dict())


def test_a_checkpoint_contains_only_tensors_numbers_and_strings(tmp_path):
    state = new_state()
    path = save(state, tmp_path)

    def plain(value) -> bool:
        if isinstance(value, dict):
            return all(map(plain, value.values()))
        if isinstance(value, list | tuple):
            return all(map(plain, value))
        return value is None or isinstance(value, torch.Tensor | int | float | str)

    assert plain(torch.load(path, weights_only=True))


def test_only_the_last_and_the_previous_state_are_kept(tmp_path):
    saved_states(tmp_path, 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["last.pt", "previous.pt"]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def empty(path: Path) -> None:
    path.write_bytes(b"")


class Harmful:
    def __reduce__(self):
        return os.system, ("echo harm > harm.txt",)


def make_harmful(path: Path) -> None:
    torch.save({"model": Harmful()}, path)


def make_bare_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps({"format": 1}))


DAMAGES = [cut, flip_a_bit, empty, make_harmful, make_bare_pickle]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_last_state_is_skipped_with_a_warning(tmp_path, damage, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, _ = saved_states(tmp_path, 2)
    damage(tmp_path / "last.pt")
    message = re.escape(f"{tmp_path}: last.pt is damaged; resuming from previous.pt")
    with pytest.warns(UserWarning, match=f"^{message}$"):
        content = load(tmp_path)
    assert same_bits(content, first)
    assert not (tmp_path / "harm.txt").exists()


@pytest.mark.slow
def test_random_damage_of_the_last_state_loads_the_previous_one(tmp_path):
    contents = saved_states(tmp_path, 2)
    last, numbers = tmp_path / "last.pt", np.random.default_rng(0)
    whole = last.read_bytes()
    for _ in range(400):
        damaged = bytearray(whole)
        start = numbers.integers(len(damaged))
        piece = numbers.bytes(int(numbers.integers(1, 64)))
        damaged[start : start + len(piece)] = piece[: len(damaged) - start]
        last.write_bytes(damaged)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = load(tmp_path)
        assert same_bits(found, contents[0 if caught else 1])


def test_damage_of_all_states_raises_an_error(tmp_path):
    saved_states(tmp_path, 2)
    empty(tmp_path / "last.pt")
    empty(tmp_path / "previous.pt")
    with pytest.raises(RunError) as caught:
        load(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: last.pt and previous.pt cannot be opened (File is not a zip file); start a new run"
    )


def test_a_folder_without_state_raises_an_error(tmp_path):
    with pytest.raises(RunError) as caught:
        load(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: no saved state here; give the folder of a run that finished at least one epoch"
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
def test_a_full_disk_keeps_the_last_saved_state(tmp_path):
    _, last = saved_states(tmp_path, 2)
    (tmp_path / "writing.pt").symlink_to("/dev/full")
    with pytest.raises(TrainingError) as caught:
        save(new_state(), tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: the state could not be saved (No space left on device), and the last saved one is unchanged; "
        "free disk space or choose another folder, then resume"
    )
    assert same_bits(load(tmp_path), last)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["last.pt", "previous.pt"]


def test_a_folder_that_is_a_file_raises_an_error(tmp_path):
    (tmp_path / "run").write_text("")
    with pytest.raises(TrainingError) as caught:
        save(new_state(), tmp_path / "run")
    assert str(caught.value) == (
        f"{tmp_path / 'run'}: the state could not be saved (File exists), and the last saved one is unchanged; "
        "free disk space or choose another folder, then resume"
    )


# Processes that save states 1, 2, 3 and are killed at one moment of saving the third.
CHILDREN = """
    import os, signal, sys
    from pathlib import Path
    import torch
    from torch import nn
    from convscope.training import State, build_optimiser
    from convscope.training import checkpoint

    def die(*_arguments, **_options):
        os.kill(os.getpid(), signal.SIGKILL)

    class Dying:
        def __init__(self, file, after):
            self.file, self.left = file, after

        def write(self, content):
            content = memoryview(content).cast("B")
            self.file.write(content[: self.left])
            self.file.flush()
            self.left -= len(content)
            if self.left <= 0:
                die()
            return len(content)

    def arm(moment):
        if moment.isdigit():
            whole, after = torch.save, int(moment)
            torch.save = lambda content, file: whole(content, Dying(file, after))
        elif moment == "sync":
            os.fsync = die
        elif moment == "rename the last":
            Path.replace = die
        elif moment == "rename the new":
            rename = Path.replace
            Path.replace = lambda path, to: die() if path.name == "writing.pt" else rename(path, to)
        elif moment == "sync the folder":
            checkpoint.sync_folder = die

    def save_three(moment):
        model = nn.Linear(500, 500)  # one megabyte
        state = State(model, build_optimiser(model))
        for epoch in (1, 2, 3):
            state.epoch = epoch
            nn.init.constant_(model.weight, epoch)
            if epoch == 3:
                arm(moment)
            checkpoint.save(state, Path(sys.argv[1]) / moment)

    torch.set_num_threads(1)
    build_optimiser(nn.Linear(1, 1))  # torch imports much the first time, which the children then need not
    for moment in sys.argv[2:]:
        child = os.fork()
        if child == 0:
            save_three(moment)
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""

SURVIVORS = {
    "1": 2,
    "100000": 2,
    "500000": 2,
    "999999": 2,
    "sync": 2,
    "rename the last": 2,
    "rename the new": 2,
    "sync the folder": 3,
    "never": 3,
}


@pytest.fixture(scope="module")
def killed(tmp_path_factory) -> tuple[Path, dict[str, int]]:
    """Return the folders of the processes and their exit statuses."""
    folder = tmp_path_factory.mktemp("killed")
    command = [sys.executable, "-c", textwrap.dedent(CHILDREN), str(folder), *SURVIVORS]
    shown = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=120)
    return folder, dict(zip(SURVIVORS, map(int, shown.stdout.split()), strict=True))


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that fork")
@pytest.mark.parametrize("moment", SURVIVORS)
def test_a_process_killed_while_saving_leaves_a_complete_state(killed, moment):
    folder, statuses = killed
    assert statuses[moment] == (0 if moment == "never" else -signal.SIGKILL)
    content = load(folder / moment)
    assert content["epoch"] == SURVIVORS[moment]
    assert (content["model"]["weight"] == content["epoch"]).all()


ENDLESS = """
    import sys
    from pathlib import Path
    from torch import nn
    from convscope.training import State, build_optimiser, save

    model = nn.Linear(1500, 1500)
    state = State(model, build_optimiser(model))
    for epoch in range(1, 1000000):
        state.epoch = epoch
        nn.init.constant_(model.weight, epoch)
        save(state, Path(sys.argv[1]))
        print(epoch, flush=True)
"""


@pytest.mark.slow
def test_a_process_killed_at_any_time_leaves_its_last_or_previous_state(tmp_path):
    """Killed from outside, at arbitrary moments."""
    for attempt in range(6):
        folder = tmp_path / str(attempt)
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(ENDLESS), str(folder)], stdout=subprocess.PIPE, text=True
        )
        reported = [process.stdout.readline() for _ in range(2 + attempt)]
        time.sleep(0.013 * attempt)
        process.kill()
        reported += process.communicate()[0].splitlines()
        content = load(folder)
        assert content["epoch"] >= int(reported[-1]) - 1
        assert (content["model"]["weight"] == content["epoch"]).all()
