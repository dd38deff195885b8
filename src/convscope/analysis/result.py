"""Results of an explain method, and the files they are written to."""

import html
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from convscope.files import atomic_write, to_plain, unique_names


@dataclass(frozen=True, eq=False)
class Findings:
    """Pictures (H, W, 3) uint8 by name, their numbers, and a summary in sentences."""

    pictures: dict[str, np.ndarray]
    numbers: dict[str, Any]
    summary: tuple[str, ...] = ()
    files: dict[str, Callable[[Path], None]] = field(default_factory=dict)
    """Other files by name, such as animations, each with the function that writes it."""
    tiles: dict[str, np.ndarray] = field(default_factory=dict)
    """Single pictures without labels, (H, W, 3) or with opacity (H, W, 4), for the explorer."""
    data: dict[str, Any] = field(default_factory=dict)
    """Data for the explorer that is not in the JSON file; "picture" refers to a tile."""


@dataclass(frozen=True, repr=False)
class AnalysisResult:
    """The written results of a method.

    Attributes:
        method: name of the method.
        pictures: PNG files, animations and pages, in reading order.
        numbers_file: JSON file of the numbers.
        numbers: content of that file.
        summary: the results in sentences.
    """

    method: str
    pictures: tuple[Path, ...]
    numbers_file: Path
    numbers: dict[str, Any]
    summary: tuple[str, ...]

    def __repr__(self) -> str:
        return (
            f"AnalysisResult({self.method!r}, pictures={len(self.pictures)}, folder={str(self.numbers_file.parent)!r})"
        )

    def _repr_html_(self) -> str:
        from convscope.analysis.data_urls import image_of_file

        sentences = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in self.summary)
        shown = [path for path in self.pictures if path.suffix in (".png", ".gif")]
        return sentences + "".join(f'<p><img src="{image_of_file(path)}"></p>' for path in shown)


def write_result(findings: Findings, method: str, settings: dict[str, Any], folder: Path) -> AnalysisResult:
    """Write pictures and numbers to a folder.

    Raises:
        RunError: the folder cannot be written.
    """
    import io

    paths = []
    names = iter(unique_names([*map(_file_name, findings.pictures), *map(_file_name, findings.files)]))
    for picture in findings.pictures.values():
        path, content = folder / f"{next(names)}.png", io.BytesIO()
        Image.fromarray(picture).save(content, "PNG", optimize=True)
        atomic_write(path, content.getvalue())
        paths.append(path)
    for writer in findings.files.values():
        path = folder / next(names)
        writer(path)
        paths.append(path)
    numbers = to_plain({
        "method": method, "settings": settings, **findings.numbers,
        "summary": list(findings.summary), "pictures": [path.name for path in paths],
    })  # fmt: skip
    numbers_file = folder / f"{method}.json"
    atomic_write(numbers_file, (json.dumps(numbers, indent=1) + "\n").encode())
    return AnalysisResult(method, tuple(paths), numbers_file, numbers, findings.summary)


def _file_name(name: str) -> str:
    """Return a file name that is valid on every system."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-") or "picture"
