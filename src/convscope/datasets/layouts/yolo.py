"""YOLO: a text file per image, a line per object: class, centre x and y, width, height, relative to the image."""

import re
from pathlib import Path

from convscope.datasets.builder import ending, looks_like_image, visible_files
from convscope.datasets.dataset import Dataset, Skipped, split_of
from convscope.datasets.inputs.headers import Header, read_headers
from convscope.datasets.layouts.layout import Layout, ReadSettings, Recognised, Source, confidence_of_share
from convscope.datasets.targets.annotations import AnnotatedImage, Box, largest_objects
from convscope.datasets.targets.boxes import BOXES
from convscope.errors import DataError

_LINE = re.compile(r"\d+(\s+[-+.\deE]+){4}\s*")


def label_files(source: Source) -> list[Path]:
    """The text files in folders labels, if the first of them with a line is in YOLO format."""
    labels = ((place, names) for place, names in source.folders if "labels" in place.relative_to(source.path).parts)
    texts = [place / name for place, names in labels for name in names if ending(name) == ".txt"]
    first = next((line for file in texts for line in file.read_text(errors="replace").splitlines()[:1]), "")
    return texts if _LINE.fullmatch(first) else []


def read_yolo(path: Path) -> Dataset:
    """Images in images/ and their largest boxes from the files of the same names in labels/; names from classes.txt or
    data.yaml; folders train and val are the split.

    Raises:
        DataError: no image has a valid box.
    """
    root = path.absolute()
    files = [file for file in visible_files(root) if looks_like_image(file)]
    names, images, skipped = _names(root), [], []
    for file, header in zip(files, read_headers(files), strict=True):
        relative = file.relative_to(root)
        if isinstance(header, str):
            skipped.append(Skipped(relative.as_posix(), header))
            continue
        parts = ["labels" if part == "images" else part for part in relative.parts]
        text = (root / Path(*parts)).with_suffix(".txt")
        split = next((split for split in map(split_of, relative.parts[:-1]) if split), "")
        try:
            objects = _objects(text, header, names)
        except DataError as error:
            skipped.append(Skipped(relative.as_posix(), str(error)))
            continue
        images.append(AnnotatedImage(file, relative.as_posix(), split, objects))
    return largest_objects(str(root), YOLO.name, images, skipped)


def _objects(text: Path, header: Header, names: dict[int, str]) -> list[tuple[str, Box]]:
    if not text.is_file():
        return []
    found = []
    for line_number, line in enumerate(text.read_text(errors="replace").splitlines(), start=1):
        if not line.strip():
            continue
        if not _LINE.fullmatch(line.strip()):
            raise DataError(f"line {line_number} of {text.name} is {line.strip()[:40]!r}, not class x y width height")
        kind, *numbers = line.split()
        if names and int(kind) not in names:
            raise DataError(f"line {line_number} of {text.name} has class {kind}, and there are {len(names)}")
        x, y, width, height = (float(number) for number in numbers)
        if max(x, y, width, height) > 1.5:
            raise DataError(
                f"line {line_number} of {text.name} is in pixels; YOLO's boxes are relative to the image size"
            )
        across, down = header.width, header.height
        corners = (x - width / 2) * across, (y - height / 2) * down, (x + width / 2) * across, (y + height / 2) * down
        found.append((names.get(int(kind), kind), corners))
    return found


def _names(root: Path) -> dict[int, str]:
    """Class names by number: classes.txt, or the list or mapping of `names:` in a .yaml file."""
    for file in (root / "classes.txt", root / "labels" / "classes.txt", root / "obj.names"):
        if file.is_file():
            lines = [line.strip() for line in file.read_text("utf-8-sig").splitlines()]
            return dict(enumerate(line for line in lines if line))
    for file in sorted(root.glob("*.y*ml")):
        text = file.read_text("utf-8-sig")
        row = re.search(r"^names:\s*\[(.*?)\]", text, re.MULTILINE | re.DOTALL)
        if row:
            return dict(enumerate(word.strip().strip("'\"") for word in row[1].split(",") if word.strip()))
        table = re.search(r"^names:\s*\n((?:\s+.+\n?)+)", text, re.MULTILINE)
        if table:
            pairs = re.findall(r"^\s+(?:(\d+):|-)\s*(.+?)\s*$", table[1], re.MULTILINE)
            return {int(n) if n else i: word.strip("'\"") for i, (n, word) in enumerate(pairs)}
    return {}


def _recognise(source: Source, settings: ReadSettings) -> Recognised | None:
    texts = label_files(source) if settings.target_kind in (None, BOXES.name) else []
    if not texts:
        return None
    because = f"a folder labels contains {len(texts):,} text files of class, x, y, width and height"
    return Recognised(YOLO.name, confidence_of_share(len(texts), source.images), because)


YOLO = Layout(
    "yolo",
    "text files of class, x, y, width and height in a folder labels",
    _recognise,
    lambda source, _settings: read_yolo(source.path),
)
