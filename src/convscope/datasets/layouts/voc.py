"""Pascal VOC: one XML file per image, with the image's name and its objects' boxes."""

from pathlib import Path
from xml.etree import ElementTree

from convscope.datasets.builder import visible_files
from convscope.datasets.dataset import Dataset, Skipped, split_of
from convscope.datasets.layouts.layout import Layout, ReadSettings, Recognised, Source, confidence_of_share
from convscope.datasets.layouts.path_lookup import PathLookup
from convscope.datasets.targets.annotations import AnnotatedImage, largest_objects
from convscope.datasets.targets.boxes import BOXES
from convscope.errors import DataError

LARGEST = 10_000_000  # bytes of an annotation; typical ones have a few kilobytes


def read_voc(path: Path) -> Dataset:
    """Images with the boxes of their XML files; the split is read from ImageSets/Main or ImageSets, if present.

    Coordinates are pixels. VOC counts from 1, most tools from 0; the difference of one pixel is ignored.

    Raises:
        DataError: there is no valid annotation.
    """
    source = str(path.absolute())
    lookup, splits = PathLookup(path.absolute()), _splits(path)
    images: list[AnnotatedImage] = []
    skipped: list[Skipped] = []
    for file in visible_files(path.absolute()):
        if file.suffix.lower() != ".xml":
            continue
        name = file.relative_to(path.absolute()).as_posix()
        try:
            image = _read(file, name, lookup)
        except DataError as error:
            skipped.append(Skipped(name, str(error)))
            continue
        image.split = splits.get(image.path.stem, "")
        images.append(image)
    return largest_objects(source, VOC.name, images, skipped)


def parse_xml(text: bytes) -> ElementTree.Element:
    """Parse XML safely: document types and entities, which could read other files or exhaust memory, are rejected.

    Raises:
        DataError: the text declares them, or is not XML.
    """
    if len(text) > LARGEST:
        raise DataError(f"has {len(text):,} bytes, more than an annotation can have")
    plain = text.replace(b"\0", b"").upper()  # also in UTF-16
    if b"<!DOCTYPE" in plain or b"<!ENTITY" in plain:
        raise DataError("declares a document type or entities, which could be an attack; remove the declaration")
    try:
        return ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise DataError(f"is not XML: {error}") from None


def _read(file: Path, name: str, lookup: PathLookup) -> AnnotatedImage:
    root = parse_xml(file.read_bytes())
    file_name = (root.findtext("filename") or "").strip() or file.stem
    image = resolve_image(lookup, file_name)
    if isinstance(image, str):
        image = resolve_image(lookup, file.stem)
    if isinstance(image, str):
        raise DataError(f"names the image {file_name}: {image}")
    objects = []
    for element in root.iter("object"):
        box = element.find("bndbox")
        sides = ("xmin", "ymin", "xmax", "ymax")
        try:
            corners = [float((box.findtext(side) if box is not None else None) or "") for side in sides]
        except ValueError:
            raise DataError(f"{name}: an object without numbers in xmin, ymin, xmax and ymax") from None
        objects.append(((element.findtext("name") or ""), (corners[0], corners[1], corners[2], corners[3])))
    return AnnotatedImage(image, lookup.name(image), objects=objects)


def resolve_image(lookup: PathLookup, file_name: str) -> Path | str:
    """The image that an annotation names, or why it cannot be used: it must be inside the data folder."""
    if ".." in Path(file_name.replace("\\", "/")).parts:
        return "leaves the data folder"
    found = lookup.find(
        file_name.replace("\\", "/").rsplit("/", 1)[-1] if Path(file_name).is_absolute() else file_name, ""
    )
    if isinstance(found, Path) and not found.resolve().is_relative_to(lookup.folder.resolve()):
        return "is outside the data folder"
    return found


def _splits(path: Path) -> dict[str, str]:
    """Image's stem -> split."""
    found: dict[str, str] = {}
    for folder in (path / "ImageSets", path / "ImageSets" / "Main"):
        for file in sorted(folder.glob("*.txt")):
            split = split_of(file.stem)
            if split:
                found.update({line.split()[0]: split for line in file.read_text().splitlines() if line.strip()})
    return found


def _recognise(source: Source, settings: ReadSettings) -> Recognised | None:
    if settings.target_kind not in (None, BOXES.name):
        return None
    files = source.files(".xml")
    if not files:
        return None
    because = f"it contains {len(files):,} XML files beside {source.images:,} images"
    return Recognised(VOC.name, confidence_of_share(len(files), source.images), because)


VOC = Layout(
    "voc", "an XML file with <annotation> per image", _recognise, lambda source, _settings: read_voc(source.path)
)
