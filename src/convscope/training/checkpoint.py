"""Crash-safe checkpoints: a complete one can be read whatever happens during a write.

A state is written to a temporary file, synced to disk and then renamed to the last one, which becomes the previous
one. A process killed at any moment leaves a complete state and loses at most the one it was writing. A file is verified
by the checksums of its archive and loaded as data only: nothing in it is executed.
"""

import os
import warnings
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from convscope.errors import RunError, TrainingError
from convscope.files import make_folder, sync_folder
from convscope.training.state import State

LAST = "last.pt"
PREVIOUS = "previous.pt"
WRITING = "writing.pt"


def save(state: State, folder: Path) -> Path:
    """Save `state` as the last one in `folder`, keep the one before it as the previous one, and return the path.

    Call it after an `Epoch`, once plateau schedule and early stopping are updated with its score.

    Raises:
        TrainingError: writing failed, for instance because the disk is full; the last state is unchanged.
    """
    last, writing = folder / LAST, folder / WRITING
    try:
        make_folder(folder)
        with writing.open("wb") as file:
            torch.save(state.state_dict(), file)
            file.flush()
            os.fsync(file.fileno())
        if last.exists():
            last.replace(folder / PREVIOUS)
        writing.replace(last)
        sync_folder(folder)
    except (OSError, RuntimeError) as error:
        with suppress(OSError):
            writing.unlink()
        raise TrainingError(
            f"{folder}: the state could not be saved ({_why(error)}), and the last saved one is unchanged; "
            "free disk space or choose another folder, then resume"
        ) from error
    return last


def load(folder: Path) -> dict[str, Any]:
    """Return the newest complete state in `folder`, on the CPU, for `State.load_state_dict`.

    A damaged file is skipped with a warning that names it.

    Raises:
        RunError: there is no state, or none is complete.
    """
    damaged = []
    for path in (folder / LAST, folder / PREVIOUS):
        if not path.exists():
            continue
        try:
            content = _read(path)
        except Exception as error:  # readers of archives and pickles may raise anything on damaged bytes
            damaged.append(path.name)
            why = str(error).partition("\n")[0]
        else:
            if damaged:
                warnings.warn(f"{folder}: {damaged[0]} is damaged; resuming from {path.name}", stacklevel=2)
            return content
    if damaged:
        raise RunError(f"{folder}: {' and '.join(damaged)} cannot be opened ({why}); start a new run")
    raise RunError(f"{folder}: no saved state here; give the folder of a run that finished at least one epoch")


def _read(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as archive:  # torch.load does not verify the checksums
        broken = archive.testzip()
    if broken:
        raise zipfile.BadZipFile(f"{broken} does not match its checksum")
    content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return content


def _why(error: BaseException) -> str:
    """Return the operating system's message, which torch may wrap in an error of its own."""
    cause: BaseException | None = error
    while cause:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return str(error)
