"""The tasks in a JSON file of Label Studio."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from convscope.datasets.inputs.opening import ENDINGS
from convscope.datasets.listing import ending
from convscope.datasets.targets.annotated_size import Box, Extent
from convscope.errors import DataError
from convscope.layouts.boxes.json_files import extent, mappings, real, reals, text
from convscope.layouts.boxes.shapes import box_of_ellipse, box_of_points, box_of_rotated

_UPLOADED = re.compile(r"[0-9a-f]{8}-")  # before the name of an uploaded file
SHAPES_WITH_BOX = ("rectanglelabels", "polygonlabels", "ellipselabels")
_WITHOUT_BOX = ("keypointlabels", "brushlabels")


@dataclass
class LabelStudioTask:
    """One image; boxes are shares of its width and height."""

    image: str
    declared: Extent | None = None
    objects: list[tuple[str, Box]] = field(default_factory=list)
    choices: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    around: bool = False
    """Whether boxes were drawn around other shapes."""
    several: bool = False
    """Whether there are several annotations."""


def tasks_of(content: Any, file: Path) -> list[LabelStudioTask]:
    """The tasks of an export.

    Raises:
        DataError: the file is not an export of Label Studio.
    """
    if not isinstance(content, list) or not mappings(content):
        raise DataError(f"{file}: not JSON of Label Studio; it needs a list of tasks")
    return [_full(entry) if "data" in entry else _short(entry) for entry in mappings(content)]


def local_names(address: str) -> list[str]:
    """The possible paths of an image on disk: as uploaded, and without the prefix of Label Studio.

    >>> local_names("/data/upload/1/0a1b2c3d-cat%201.jpg")
    ['0a1b2c3d-cat 1.jpg', 'cat 1.jpg']
    >>> local_names("/data/local-files/?d=photos/a.jpg")
    ['photos/a.jpg', 'a.jpg']
    """
    try:
        parts = urlsplit(address.replace("\\", "/"))
    except ValueError:
        return [address]
    path = (parse_qs(parts.query).get("d") or [unquote(parts.path)])[0].strip("/")
    last = path.rpartition("/")[2]
    local = path if "/data/" not in f"/{address.lstrip('/')}" or parts.query else last
    return list(dict.fromkeys(name for name in (local, last, _UPLOADED.sub("", last, count=1)) if name))


def _full(entry: Mapping[str, Any]) -> LabelStudioTask:
    data = entry.get("data")
    task = LabelStudioTask(_image_in(data if isinstance(data, dict) else {}))
    done = mappings(entry.get("annotations") or entry.get("completions"))
    done = [annotation for annotation in done if not annotation.get("was_cancelled")]
    task.several = len(done) > 1
    done.sort(key=lambda annotation: not annotation.get("ground_truth"))
    for result in mappings(done[0].get("result")) if done else []:
        value = result.get("value")
        if isinstance(value, dict):
            _add(task, {**result, **value})
    return task


def _short(entry: Mapping[str, Any]) -> LabelStudioTask:
    task = LabelStudioTask(_image_in(entry))
    for name, value in entry.items():
        for shape in mappings(value):
            _add(task, shape)
        if name in ("choice", "choices", "class", "label"):
            _add(task, {"choices": value if isinstance(value, list) else _choices(value)})
    return task


def _choices(value: Any) -> list[Any]:
    """One choice as text, several as an object with a list of them."""
    inside = value.get("choices") if isinstance(value, dict) else None
    return inside if isinstance(inside, list) else [value]


def _image_in(data: Mapping[str, Any]) -> str:
    """The first value that is the address of an image."""
    texts = {str(name): text(value) for name, value in data.items()}
    with_ending = [value for value in texts.values() if ending(value.partition("?")[0]) in ENDINGS]
    local = [value for value in texts.values() if "?d=" in value]
    return next(iter([*with_ending, *local, texts.get("image", "")]), "")


def _add(task: LabelStudioTask, shape: Mapping[str, Any]) -> None:
    """Add one region or choice to a task."""
    choices = shape.get("choices")
    if isinstance(choices, list):
        task.choices += [text(choice) for choice in choices if text(choice)]
        return
    kind = next((name for name in (*SHAPES_WITH_BOX, *_WITHOUT_BOX) if name in shape), None)
    if kind is None:
        return
    if kind in _WITHOUT_BOX:
        task.problems.append(f"a region of {kind} has no box")
        return
    if real(shape.get("image_rotation") or 0) != 0:
        task.problems.append("a region was drawn on the image turned in Label Studio")
        return
    given = extent(shape.get("original_width"), shape.get("original_height"))
    task.declared = task.declared or given
    labels = shape.get(kind)
    if given is None and real(shape.get("rotation") or 0) != 0:
        task.problems.append("a region is rotated, and the size of the image is not given")
        return
    label = text(labels[0]) if isinstance(labels, list) and len(labels) == 1 else ""
    task.around = task.around or kind != SHAPES_WITH_BOX[0] or real(shape.get("rotation") or 0) != 0
    task.objects.append((label, _box(kind, shape, given or (1.0, 1.0))))


def _box(kind: str, shape: Mapping[str, Any], size: Extent) -> Box:
    """The box of a region in shares of the image; angles are those of the image in pixels."""
    angle = real(shape.get("rotation") or 0)
    angle = math.radians(angle) if math.isfinite(angle) else 0.0
    x, y, width, height, radius_x, radius_y = (
        real(shape.get(name)) for name in ("x", "y", "width", "height", "radiusX", "radiusY")
    )
    across, down = size[0] / 100, size[1] / 100
    corner = x * across, y * down
    if kind == "polygonlabels":
        points = shape.get("points")
        pairs = [reals(point) for point in points] if isinstance(points, list) else []
        valid = bool(pairs) and all(len(pair) == 2 for pair in pairs)
        flat = [(pair[0] * across, pair[1] * down) for pair in pairs] if valid else []
        box = box_of_points([point[0] for point in flat], [point[1] for point in flat])
    elif kind == "ellipselabels":
        box = box_of_ellipse(corner, (radius_x * across, radius_y * down), angle)
    else:
        box = box_of_rotated(corner, (width * across, height * down), angle)
    return box[0] / size[0], box[1] / size[1], box[2] / size[0], box[3] / size[1]
