"""Atomic writes, JSON-lines files, and names of files that never meet."""

import errno
import json
import math
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from convscope.errors import RunError

_LONGEST_STEM = 150  # bytes; file systems allow 255, and the caller adds a number and an ending
_TEMPORARY = re.compile(r"\..+\.(\d+)")  # of `atomic_write_all`, with the process that writes it
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]+')


def unique_stems(paths: Sequence[str | Path]) -> list[str]:
    """A file name without ending for each path, so that one file can be written for each of them.

    The name is that of the file; where several are equal, their folders precede it, then their ending follows it, then
    a number. Names that differ only by case or Unicode form count as equal, because some file systems do not
    distinguish them. The result depends on the paths and their order only.

    >>> unique_stems(["1.jpg", "2.jpg", "2.png", "a/1.jpg", "b/1.jpg"])
    ['1', '2_jpg', '2_png', 'a_1', 'b_1']
    """
    plain = [Path(path) for path in paths]
    shared = len(Path(os.path.commonpath(plain)).parts) if plain and len({p.is_absolute() for p in plain}) == 1 else 0
    stems = [path.stem for path in plain]
    for longer in (_with_folders, _with_ending):
        count = Counter(map(_compared, stems))
        stems = [
            stem if count[_compared(stem)] == 1 else longer(path, shared)
            for stem, path in zip(stems, plain, strict=True)
        ]
    return unique_names(stems)


def unique_names(names: Iterable[str]) -> list[str]:
    """Valid file names, in order, of which no two are equal on any file system; repeated ones get a number.

    >>> unique_names(["a", "b/c", "a", "A", "a-2"])
    ['a', 'b_c', 'a-3', 'A-4', 'a-2']
    """
    valid = [_valid(name) for name in names]
    used = set(map(_compared, valid))
    taken: set[str] = set()
    found = []
    for name in valid:
        chosen, number = name, 1
        while _compared(chosen) in taken or (number > 1 and _compared(chosen) in used):
            number += 1
            chosen = f"{name}-{number}"
        taken.add(_compared(chosen))
        found.append(chosen)
    return found


def _with_folders(path: Path, shared: int) -> str:
    return "_".join((*path.parts[shared:-1], path.stem))


def _with_ending(path: Path, shared: int) -> str:
    return "_".join(filter(None, (_with_folders(path, shared), path.suffix.removeprefix("."))))


def _valid(name: str) -> str:
    """A name that file systems accept; of a long one, its end."""
    text = _FORBIDDEN.sub("_", name).strip(" .")
    return text.encode(errors="replace")[-_LONGEST_STEM:].decode(errors="ignore").strip(" .") or "image"


def _compared(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def read_start(path: Path, most: int) -> bytes:
    """The first bytes of a regular file, at most `most`.

    Raises:
        OSError: it cannot be read, or is a pipe or a device, which could block or never end.
    """
    if not path.is_file():
        raise OSError(errno.EINVAL, "not a regular file")
    with path.open("rb") as file:
        return file.read(min(most, path.stat().st_size))


def atomic_write(path: Path, content: bytes) -> None:
    """Write a file so that a kill or a power failure leaves the old content or the new one; see `atomic_write_all`.

    Raises:
        RunError: it cannot be written, for example because the disk is full; the file is then unchanged.
    """
    atomic_write_all({path: content})


def atomic_write_all(contents: Mapping[Path, bytes]) -> None:
    """Write files of one folder: first all to temporary files that are synced, then all are renamed, in this order.

    The folder is created if it is missing, and synced at the end, so that the names survive a power failure.

    Raises:
        RunError: one cannot be written, for example because the disk is full; all are then unchanged.
    """
    temporary = {path: path.with_name(f".{path.name}.{os.getpid()}") for path in contents}
    path = next(iter(contents))
    try:
        make_folder(path.parent)
        for path, content in contents.items():
            with temporary[path].open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for path in contents:
            temporary[path].replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise RunError(
            f"{path}: cannot be written ({error.strerror}) and was left unchanged; "
            "free some space or choose another folder"
        ) from error
    finally:
        for written in temporary.values():
            with suppress(OSError):
                written.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Create a folder and its parents, if they are missing, so that they survive a power failure.

    Raises:
        OSError: it cannot be created.
    """
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for created in missing:
        sync_folder(created.parent)


def sync_folder(folder: Path) -> None:
    """Make renames in a folder durable through a power failure; not available and not needed on Windows.

    Raises:
        OSError: it cannot be opened.
    """
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def delete_temporary(folder: Path) -> None:
    """Delete the temporary files that killed processes left in a folder and below it."""
    for file in folder.rglob(".*"):
        process = _TEMPORARY.fullmatch(file.name)
        if process and file.is_file() and not is_running(int(process[1])):
            with suppress(OSError):
                file.unlink()


def is_running(process: int) -> bool:
    """Whether a process of this machine exists; always true on Windows, where asking would end it."""
    if os.name == "nt":
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def append_line(file: Path, record: dict[str, Any], sync: bool = False) -> None:
    """Append an object to a JSON-lines file, on a new line even if the last one is incomplete.

    With `sync`, this line and all before it survive a power failure.

    Raises:
        RunError: it cannot be written, for example because the disk is full.
    """
    try:
        with file.open("ab+") as lines:
            end = lines.seek(0, os.SEEK_END)
            lines.seek(max(end - 1, 0))
            incomplete = lines.read(1) not in (b"\n", b"")
            lines.write((b"\n" if incomplete else b"") + json.dumps(record).encode() + b"\n")
            if sync:
                lines.flush()
                os.fsync(lines.fileno())
        if sync and not end:
            sync_folder(file.parent)
    except OSError as error:
        raise RunError(f"{file}: cannot be written ({error.strerror}); free some space, then continue") from error


def read_lines(file: Path) -> list[dict[str, Any]]:
    """Return the objects of a JSON-lines file, without incomplete lines; none where the file does not exist."""
    if not file.exists():
        return []
    records = []
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        with suppress(ValueError, RecursionError):
            records.append(json.loads(line))
    return records


def to_plain(value: Any) -> Any:
    """Convert paths, arrays and tuples to JSON types; numbers that are not finite become null."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, np.ndarray | np.generic):
        return to_plain(value.tolist())
    if isinstance(value, dict):
        return {str(name): to_plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(inner) for inner in value]
    return value
