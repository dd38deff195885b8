"""What an explain method finds, and where it is written."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from convscope.files import atomic_write, to_plain


@dataclass(frozen=True, eq=False)
class Findings:
    """Pictures (H, W, 3) uint8 by name, the numbers behind them, and what they say in sentences."""

    pictures: dict[str, np.ndarray]
    numbers: dict[str, Any]
    summary: tuple[str, ...] = ()
    files: dict[str, Callable[[Path], None]] = field(default_factory=dict)
    """Further files by name, such as animations, each with what writes it."""
    tiles: dict[str, np.ndarray] = field(default_factory=dict)
    """Single pictures without labels, (H, W, 3) or with opacity (H, W, 4), that a page lays out itself."""
    data: dict[str, Any] = field(default_factory=dict)
    """Numbers that only a page needs, beside those of the JSON file; they name the tiles as "picture"."""


@dataclass(frozen=True)
class AnalysisResult:
    """What was written.

    Attributes:
        method: its name.
        pictures: PNG files (and animations), in the order of reading.
        numbers_file: the JSON of the numbers.
        numbers: its content.
        summary: what was found, in sentences.
    """

    method: str
    pictures: tuple[Path, ...]
    numbers_file: Path
    numbers: dict[str, Any]
    summary: tuple[str, ...]

    def _repr_html_(self) -> str:
        from convscope.analysis.data_urls import image_of_file

        html = "".join(f"<p>{sentence}</p>" for sentence in self.summary)
        return html + "".join(f'<p><img src="{image_of_file(path)}"></p>' for path in self.pictures)


def write_result(findings: Findings, method: str, settings: dict[str, Any], folder: Path) -> AnalysisResult:
    """Write pictures and numbers into a folder.

    Raises:
        RunError: it cannot be written.
    """
    import io

    paths = []
    for name, picture in findings.pictures.items():
        path, content = folder / f"{_plain_name(name)}.png", io.BytesIO()
        Image.fromarray(picture).save(content, "PNG", optimize=True)
        atomic_write(path, content.getvalue())
        paths.append(path)
    for name, writer in findings.files.items():
        path = folder / _plain_name(name)
        writer(path)
        paths.append(path)
    numbers = to_plain({
        "method": method, "settings": settings, **findings.numbers,
        "summary": list(findings.summary), "pictures": [path.name for path in paths],
    })  # fmt: skip
    numbers_file = folder / f"{method}.json"
    atomic_write(numbers_file, (json.dumps(numbers, indent=1) + "\n").encode())
    return AnalysisResult(method, tuple(paths), numbers_file, numbers, findings.summary)


def _plain_name(name: str) -> str:
    """A file's name that every system takes."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-") or "picture"
