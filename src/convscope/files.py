"""Files that are never seen half written, and JSON lines."""

import json
import math
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from convscope.errors import RunError


def atomic_write(path: Path, content: bytes) -> None:
    """Write a file that is never seen half written: aside, synced, renamed; its folder is made where it is missing.

    Raises:
        RunError: it cannot be written, for instance because the disk is full; the file is then as it was.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with aside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        raise RunError(
            f"{path}: cannot be written ({error.strerror}) and was left unchanged; free some space or choose another folder"
        ) from error
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)


def append_line(file: Path, record: dict[str, Any]) -> None:
    """Add one object to a JSON-lines file, on a line of its own even where a kill or a full disk cut the last one off.

    Raises:
        RunError: it cannot be written, for instance because the disk is full.
    """
    try:
        with file.open("ab+") as lines:
            end = lines.seek(0, os.SEEK_END)
            lines.seek(max(end - 1, 0))
            broken = lines.read(1) not in (b"\n", b"")
            lines.write((b"\n" if broken else b"") + json.dumps(record).encode() + b"\n")
    except OSError as error:
        raise RunError(f"{file}: cannot be written ({error.strerror}); free some space, then continue") from error


def read_lines(file: Path) -> list[dict[str, Any]]:
    """The objects of a JSON-lines file; an absent file has none, and a line that a kill cut off is skipped."""
    if not file.exists():
        return []
    found = []
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        with suppress(ValueError):
            found.append(json.loads(line))
    return found


def to_plain(value: Any) -> Any:
    """Paths, arrays and tuples as JSON has them; a number that is not finite, which it has not, becomes null."""
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
