"""The XML of a Pascal VOC annotation."""

import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from convscope.datasets.targets.annotated_size import Box, Extent
from convscope.errors import DataError
from convscope.files import read_start

LARGEST = 10_000_000  # bytes of an annotation; typical ones have a few kilobytes
_SIDES = ("xmin", "ymin", "xmax", "ymax")
_TAGS = re.compile(rb"<(annotation|object)[\s>]")
_HEAD = 4_096  # bytes


@dataclass
class VocAnnotation:
    """The content of one file."""

    file_name: str
    declared: Extent | None
    objects: list[tuple[str, Box]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def looks_like_voc(file: Path) -> bool:
    """Whether an XML file begins like an annotation; the side files of GIS programs and others do not."""
    try:
        return bool(_TAGS.search(read_start(file, _HEAD).replace(b"\0", b"")))
    except OSError:
        return False


def read_annotation(text: bytes) -> VocAnnotation:
    """The annotation in an XML file; objects without a valid box are listed in `problems`.

    Raises:
        DataError: the text is not XML, or could be an attack.
    """
    root = parse_xml(text)
    annotation = VocAnnotation((root.findtext("filename") or "").strip(), _declared(root.find("size")))
    for element in root.iter("object"):
        label, box = (element.findtext("name") or "").strip(), element.find("bndbox")
        texts = [(box.findtext(side) if box is not None else None) or "" for side in _SIDES]
        corners = [number(text) for text in texts]
        if None in corners:
            annotation.problems.append("an object without numbers in xmin, ymin, xmax and ymax")
        else:
            x1, y1, x2, y2 = (corner or 0.0 for corner in corners)
            annotation.objects.append((label, (x1, y1, x2, y2)))
    return annotation


def parse_xml(text: bytes, largest: int = LARGEST) -> ElementTree.Element:
    """Parse XML safely: document types and entities, which could read other files or exhaust memory, are rejected.

    Raises:
        DataError: the text declares them, or is not XML.
    """
    if len(text) > largest:
        raise DataError(f"has more than {largest:,} bytes, too many for an annotation")
    plain = text.replace(b"\0", b"").upper()  # also in UTF-16
    if b"<!DOCTYPE" in plain or b"<!ENTITY" in plain:
        raise DataError("declares a document type or entities, which could be an attack; remove the declaration")
    try:
        return ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError, LookupError, RecursionError) as error:
        raise DataError(f"is not XML: {str(error).splitlines()[0][:200]}") from None


def number(text: str) -> float | None:
    """A coordinate; None for anything but a number, which may be infinite or nan."""
    try:
        return float(text)
    except (ValueError, OverflowError):
        return None


def _declared(size: ElementTree.Element | None) -> Extent | None:
    """Width and height, if they are given: some tools write 0."""
    if size is None:
        return None
    width, height = (number(size.findtext(side) or "") for side in ("width", "height"))
    known = [side for side in (width, height) if side is not None and math.isfinite(side) and side > 0]
    return (known[0], known[1]) if len(known) == 2 else None
