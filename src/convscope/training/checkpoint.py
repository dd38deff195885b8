"""States on disk: whatever happens while one is written, a complete one can be read.

A state is written aside, synced to the disk, and only then renamed over the last one, which becomes the previous
one. A process that dies at any moment leaves a complete state behind, and at most loses the one it was writing. What
is read is checked first (the archive's checksums), and is opened as data: nothing in it is ever run as code.
"""

import os
import warnings
import zipfile
from contextlib import suppress
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from convscope.errors import RunError, TrainingError
from convscope.training.state import State

LAST = "last.pt"
PREVIOUS = "previous.pt"
WRITING = "writing.pt"


def save(state: State, folder: Path) -> Path:
    """Write `state` as the last one in `folder`, the one before it becoming the previous one; return its path.

    Call it after an `Epoch`, when plateau and patience have seen that epoch's score.

    Raises:
        TrainingError: it could not be written, for instance because the disk is full; the last one is as it was.
    """
    last, writing = folder / LAST, folder / WRITING
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with writing.open("wb") as file:
            torch.save(state.state_dict(), file)
            file.flush()
            os.fsync(file.fileno())
        if last.exists():
            last.replace(folder / PREVIOUS)
        writing.replace(last)
        _sync_folder(folder)
    except (OSError, RuntimeError) as error:
        with suppress(OSError):
            writing.unlink()
        raise TrainingError(
            f"{folder}: the state could not be saved ({_why(error)}), and the last good one is kept; "
            "free some space or give another folder, and resume"
        ) from error
    return last


def load(folder: Path) -> dict[str, Any]:
    """Return the newest complete state in `folder`, on the CPU, for ``State.load_state_dict``.

    A damaged one is passed over with a warning that names it.

    Raises:
        RunError: there is none, or none is complete.
    """
    damaged = []
    for path in (folder / LAST, folder / PREVIOUS):
        if not path.exists():
            continue
        try:
            content = _read(path)
        except (OSError, RuntimeError, UnpicklingError, EOFError, zipfile.BadZipFile) as error:
            damaged.append(path.name)
            why = str(error).partition("\n")[0]
        else:
            if damaged:
                warnings.warn(f"{folder}: {damaged[0]} is damaged; going on from {path.name}", stacklevel=2)
            return content
    if damaged:
        raise RunError(f"{folder}: {' and '.join(damaged)} cannot be opened ({why}); start the run anew")
    raise RunError(f"{folder}: no saved state here; give the folder of a run that finished at least one epoch")


def _read(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as archive:  # torch's own reader does not compare the checksums
        broken = archive.testzip()
    if broken:
        raise zipfile.BadZipFile(f"{broken} does not match its checksum")
    content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return content


def _sync_folder(folder: Path) -> None:
    """Make the renaming itself last through a power cut; Windows has no such call and needs none."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _why(error: BaseException) -> str:
    """Name what the operating system said, which torch may hide behind an error of its own."""
    cause: BaseException | None = error
    while cause:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return str(error)
