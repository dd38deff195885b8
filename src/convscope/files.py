"""Atomic writes, and JSON-lines files."""

import json
import math
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from convscope.errors import RunError


def atomic_write(path: Path, content: bytes) -> None:
    """Write a file atomically: to a temporary file, synced, then renamed; a missing folder is created.

    Raises:
        RunError: it cannot be written, for example because the disk is full; the file is then unchanged.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise RunError(
            f"{path}: cannot be written ({error.strerror}) and was left unchanged; "
            "free some space or choose another folder"
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def append_line(file: Path, record: dict[str, Any]) -> None:
    """Append an object to a JSON-lines file, on a new line even if the last one is incomplete.

    Raises:
        RunError: it cannot be written, for example because the disk is full.
    """
    try:
        with file.open("ab+") as lines:
            end = lines.seek(0, os.SEEK_END)
            lines.seek(max(end - 1, 0))
            incomplete = lines.read(1) not in (b"\n", b"")
            lines.write((b"\n" if incomplete else b"") + json.dumps(record).encode() + b"\n")
    except OSError as error:
        raise RunError(f"{file}: cannot be written ({error.strerror}); free some space, then continue") from error


def read_lines(file: Path) -> list[dict[str, Any]]:
    """Return the objects of a JSON-lines file, without incomplete lines; none where the file does not exist."""
    if not file.exists():
        return []
    records = []
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        with suppress(ValueError):
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
