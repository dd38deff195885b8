"""JSON files of annotations: which of them a layout reads, and their content."""

import json
import math
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from convscope.errors import DataError
from convscope.files import read_start
from convscope.layouts.layout import Source

LARGEST = 1_000_000_000  # bytes of a file; the instances of COCO train2017 have 450 million
_PART = 1_000_000  # bytes at the start and at the end that are searched for keys
_SEARCHED = 64  # files of a source that are searched for keys


def files_with(source: Source, *keys: str) -> list[Path]:
    """The JSON files of a source, a file or a folder, that contain all of these keys.

    The first 64 files are searched; if one of them has the keys, so are all others.
    """
    files = source.files(".json") if source.path.is_dir() else [source.path]
    quoted = tuple(f'"{key}"'.encode() for key in keys)
    if not any(_has(file, quoted) for file in files[:_SEARCHED] if file.suffix.lower() == ".json"):
        return []
    return [file for file in files if _has(file, quoted)]


def read_json(file: Path) -> Any:
    """The content of a JSON file.

    Raises:
        DataError: it is not JSON, too large, or nested too deeply.
    """
    try:
        size = file.stat().st_size if file.is_file() else 0
        if size > LARGEST:
            raise DataError(f"{file}: has {size:,} bytes, more than annotations can have; divide it")
        return json.loads(read_start(file, LARGEST))
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror}); check the file") from None
    except RecursionError:
        raise DataError(f"{file}: not annotations: it is nested too deeply; export it again") from None
    except ValueError as error:  # also UnicodeDecodeError, and integers of too many digits
        raise DataError(f"{file}: not JSON ({str(error).splitlines()[0][:200]}); export it again") from None


def real(value: Any) -> float:
    """A number of a JSON file as float; nan for anything else.

    >>> real(3), real("4.5"), real(None)
    (3.0, 4.5, nan)
    """
    try:
        return float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        return math.nan


def reals(values: Any) -> list[float]:
    """The numbers of a list; empty if it is not a list."""
    return [real(value) for value in values] if isinstance(values, list) else []


def extent(width: Any, height: Any) -> tuple[float, float] | None:
    """Width and height, None unless both are positive."""
    sides = real(width), real(height)
    return sides if all(math.isfinite(side) and side > 0 for side in sides) else None


def mappings(values: Any) -> list[Mapping[str, Any]]:
    """The objects in a JSON list, or the values of a JSON object that are objects."""
    content: Iterable[Any] = values.values() if isinstance(values, dict) else values if isinstance(values, list) else ()
    return [value for value in content if isinstance(value, dict)]


def text(value: Any) -> str:
    """A string or an integer as text; "" for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value).encode(errors="replace").decode().strip()  # without surrogates, which cannot be printed


def _has(file: Path, keys: tuple[bytes, ...]) -> bool:
    try:
        known = file.stat()
        return file.is_file() and all(key in _ends(file, known.st_size, known.st_mtime_ns) for key in keys)
    except OSError:
        return False


@lru_cache(maxsize=8)
def _ends(file: Path, size: int, _changed: int) -> bytes:
    """The start and the end of a file, cached because several layouts search the same file."""
    with file.open("rb") as content:
        start = content.read(_PART)
        content.seek(max(len(start), size - _PART))
        return start + b" " + content.read(_PART)
