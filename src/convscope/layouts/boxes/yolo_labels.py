"""The label files of YOLO: lines of a class and a box, a polygon, a rotated box, or a box with keypoints."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from convscope.datasets.targets.annotated_size import Box
from convscope.files import read_start
from convscope.layouts.boxes.shapes import box_of_flat

LARGEST = 10_000_000  # bytes
_CLASS = re.compile(r"\d{1,9}(\.0*)?")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,9})?", re.ASCII)
_LOWEST, _HIGHEST = -0.5, 1.5  # shares of an image; numbers beyond are pixels


@dataclass
class YoloLabels:
    """The objects of one image: (class index, xyxy in shares of the image)."""

    objects: list[tuple[int, Box]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    polygons: int = 0
    scores: int = 0
    """Number of lines with a sixth number."""
    kinds: set[int] = field(default_factory=set)
    """The class indices that occur, also those that do not exist."""


def read_labels(file: Path, classes: dict[int, str], keypoints: int = 0) -> YoloLabels:
    """The objects in a label file; lines that cannot be used are listed in `problems`.

    Args:
        file: the label file.
        classes: names by index; empty: any index is valid.
        keypoints: number of values per object after the box.
    """
    found = YoloLabels()
    try:
        text = read_start(file, LARGEST).decode("utf-8-sig", errors="replace")
    except OSError as error:
        found.problems.append(f"{file.name} cannot be read ({error.strerror})")
        return found
    for count, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            why = _add(found, line.split(), classes, keypoints)
            if why:
                found.problems.append(f"line {count} of {file.name} {why}")
    return found


def is_label_line(line: str) -> bool:
    """Whether a line has a class and at least four numbers."""
    words = line.split()
    return len(words) >= 5 and bool(_CLASS.fullmatch(words[0])) and all(map(_NUMBER.fullmatch, words[1:]))


def _add(found: YoloLabels, words: list[str], classes: dict[int, str], keypoints: int) -> str:
    """Add the object of a line; why it cannot be used, or ""."""
    if not is_label_line(" ".join(words)):
        return f"is {' '.join(words)[:40]!r}, not class x y width height"
    kind, values = int(float(words[0])), [float(word) for word in words[1:]]
    found.kinds.add(kind)
    if classes and kind not in classes:
        return f"has class {kind}, and there are {len(classes)}"
    pose = keypoints > 0 and len(values) == 4 + keypoints
    if not pose and len(values) not in (4, 5) and (len(values) % 2 or len(values) < 6):
        return f"has {len(values)} numbers after the class, neither a box nor a polygon"
    is_box = pose or len(values) < 6
    places = values[:4] if is_box else values
    if min(places) < _LOWEST or max(places) > _HIGHEST:
        return "is in pixels; boxes should be shares of the image size, 0 to 1"
    if is_box:
        x, y, width, height = places
        found.scores += len(values) == 5
        found.objects.append((kind, (x - width / 2, y - height / 2, x + width / 2, y + height / 2)))
    else:
        found.polygons += 1
        found.objects.append((kind, box_of_flat(places)))
    return ""
