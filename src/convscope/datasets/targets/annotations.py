"""Annotated images of any format -> one class and box per image."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from convscope.datasets.builder import DatasetBuilder, ListedFile
from convscope.datasets.dataset import Dataset, Skipped
from convscope.datasets.inputs.headers import Header, read_headers
from convscope.datasets.targets.annotated_size import Box, Drawing, Extent, drawing_of, to_upright
from convscope.datasets.targets.boxes import BOXES, box_error
from convscope.errors import DataError

SEVERAL = (
    "show several objects, of which the largest is used; convscope crop makes an image of each; "
    "use a detector to find all of them"
)
_SHOWN = 3  # names in a note
_BEYOND = 2.0  # pixels that a box may extend beyond its image unnoticed: tools round, and VOC counts from 1


@dataclass
class AnnotatedImage:
    """One image and its objects: (label, xyxy in pixels of the annotated picture)."""

    path: Path
    name: str
    split: str = ""
    objects: list[tuple[str, Box]] = field(default_factory=list)
    group: str = ""
    declared: Extent | None = None
    """Width and height of the annotated picture; None: boxes are in pixels of the upright file."""
    shares: bool = False
    """Whether the boxes are shares of the width and height."""
    problems: list[str] = field(default_factory=list)
    """Why objects of the image cannot be used."""
    without: str = "has no box"
    """Why the image has no object, if it has none."""


def largest_objects(
    source: str, layout: str, images: Iterable[AnnotatedImage], skipped: Iterable[Skipped], notes: Iterable[str] = ()
) -> Dataset:
    """The dataset of each image's largest object.

    Boxes are converted to the upright file by the size that the annotation gives; entries of the same file are merged.
    Objects without a valid box or label are omitted and counted in a note; images without any are added to `skipped`
    with the reason.

    Raises:
        DataError: no image has a valid box.
    """
    listing = DatasetBuilder(source, layout, target_kind=BOXES.name, skipped=list(skipped), notes=list(notes))
    entries = sorted(images, key=lambda image: image.name)
    paths = list(dict.fromkeys(entry.path for entry in entries))
    headers = dict(zip(paths, read_headers(paths), strict=True))
    used = _merged(_on_upright(entries, headers, listing), listing)
    for image in used:
        if not image.objects:
            listing.skipped.append(Skipped(image.name, image.problems[0] if image.problems else image.without))
            continue
        label, box = max(image.objects, key=lambda found: _area(found[1]))
        listing.files.append(
            ListedFile(image.path, image.name, label, image.split, image.group, value=box, objects=tuple(image.objects))
        )
    if not listing.files:
        raise DataError(f"{source}: no image with a box{_reason(listing.skipped)}")
    listing.notes += _object_notes([image for image in used if image.objects], headers)
    listing.notes += _never_largest(used, {listed.label for listed in listing.files})
    listing.headers = headers
    return listing.build()


def _never_largest(images: Iterable[AnnotatedImage], learned: set[str]) -> list[str]:
    names = sorted({label for image in images for label, _ in image.objects} - learned)
    if not names:
        return []
    shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
    one = len(names) == 1
    subject = f"the class {shown} is" if one else f"{len(names)} classes are"
    return [f"{subject} never the largest object of an image, and so not learned{'' if one else f': {shown}'}"]


def examples(count: int, nouns: tuple[str, str], predicate: tuple[str, str], first: str) -> str:
    """A note on `count` things, with the first as an example; empty if there are none.

    >>> examples(2, ("box", "boxes"), ("is skipped", "are skipped"), "a.jpg")
    '2 boxes are skipped; the first, a.jpg'
    """
    return f"{count:,} {nouns[count > 1]} {predicate[count > 1]}; the first, {first}" if count else ""


def _on_upright(
    entries: list[AnnotatedImage], headers: Mapping[Path, Header | str], listing: DatasetBuilder
) -> list[AnnotatedImage]:
    """The entries with valid boxes in pixels of the upright file; entries of unreadable or other files are skipped."""
    found: list[tuple[AnnotatedImage, Header, Drawing]] = []
    for entry in entries:
        header = headers[entry.path]
        drawing = header if isinstance(header, str) else drawing_of(header, entry.declared)
        if isinstance(header, str) or isinstance(drawing, str):
            listing.skipped.append(Skipped(entry.name, str(drawing)))
        else:
            found.append((entry, header, drawing))
    sure = Counter(drawing.stored for _, header, drawing in found if drawing.certain and header.orientation != 1)
    if sure[True] and not sure[False]:  # one tool drew them all: the certain images decide for the others
        found = [(entry, header, _as_stored(header, drawing)) for entry, header, drawing in found]
    listing.notes += _size_notes(found, bool(sure[True]) != bool(sure[False]))
    return [_converted(entry, header, drawing) for entry, header, drawing in found]


def _as_stored(header: Header, drawing: Drawing) -> Drawing:
    return drawing if drawing.certain or header.orientation == 1 else replace(drawing, stored=True)


def _converted(entry: AnnotatedImage, header: Header, drawing: Drawing) -> AnnotatedImage:
    size, objects, problems = (header.height, header.width), [], list(entry.problems)
    for label, box in entry.objects:
        x1, y1, x2, y2 = box
        if entry.shares:
            box = x1 * drawing.size[0], y1 * drawing.size[1], x2 * drawing.size[0], y2 * drawing.size[1]
        drawn = (round(drawing.size[1]), round(drawing.size[0]))
        why = box_error(box, drawn) if label.strip() else "has a box without a label"
        box = to_upright(box, drawing, header) if not why else box
        why = why or box_error(box, size)
        if why:
            problems.append(why)
        else:
            objects.append((label.strip(), box))
    return replace(entry, objects=objects, problems=problems)


def _merged(entries: list[AnnotatedImage], listing: DatasetBuilder) -> list[AnnotatedImage]:
    """One entry per file; equal objects once. A file in two splits is skipped."""
    by_path: dict[Path, list[AnnotatedImage]] = {}
    for entry in entries:
        by_path.setdefault(entry.path, []).append(entry)
    several = [same[0].name for same in by_path.values() if len(same) > 1]
    note = examples(len(several), ("image is", "images are"), ("annotated more than once", "annotated more than once"),
                    several[0] if several else "")  # fmt: skip
    listing.notes += [f"{note}; the objects are merged, equal ones once"] if note else []
    merged = []
    for same in by_path.values():
        splits = sorted({entry.split for entry in same if entry.split})
        if len(splits) > 1:
            listing.skipped.append(Skipped(same[0].name, f"is listed in {' and in '.join(splits)}"))
            continue
        objects = list(dict.fromkeys(found for entry in same for found in entry.objects))
        problems = [why for entry in same for why in entry.problems]
        merged.append(replace(same[0], split="".join(splits), objects=objects, problems=problems))
    return merged


def _size_notes(found: list[tuple[AnnotatedImage, Header, Drawing]], decided: bool) -> list[str]:
    """What was decided about EXIF orientations and sizes."""
    turned = [entry.name for entry, header, drawing in found if drawing.stored and entry.objects]
    unsure = [entry.name for entry, _, drawing in found if not drawing.certain and entry.objects and not decided]
    scaled = [(entry, header) for entry, header, drawing in found if drawing.scaled and entry.objects]
    notes = []
    if turned:
        stored = "stored turned (EXIF), with boxes drawn on the stored pixels"
        notes.append(f"{_images(turned)} {stored}; the boxes are turned with the image")
    if unsure:
        notes.append(
            f"{_images(unsure)} stored turned (EXIF), and the annotation does not show whether it was drawn on the "
            "upright image, which is assumed; compare the boxes on a sheet"
        )
    if scaled:
        entry, header = scaled[0]
        width, height = entry.declared or (0, 0)
        notes.append(
            f"{_images([entry.name for entry, _ in scaled])} resized after annotation, by the sizes: "
            f"{height:g} x {width:g} annotated, {header.height} x {header.width} now; the boxes are scaled"
        )
    return notes


def _images(names: list[str]) -> str:
    return f"{len(names):,} images (first {names[0]}) are" if len(names) > 1 else f"1 image ({names[0]}) is"


def _object_notes(images: list[AnnotatedImage], headers: Mapping[Path, Header | str]) -> list[str]:
    """Counts of images with several objects, of skipped objects and of clipped boxes."""
    multiple = sum(len(image.objects) > 1 for image in images)
    notes = [f"{multiple:,} of {len(images):,} images {SEVERAL}"] if multiple else []
    wrong = [(image.name, why) for image in images for why in image.problems]
    if wrong:
        note = examples(len(wrong), ("object", "objects"), ("is skipped", "are skipped"), f"in {wrong[0][0]}")
        notes.append(f"{note}: {wrong[0][1]}")
    beyond = [image.name for image in images if any(_is_beyond(box, headers[image.path]) for _, box in image.objects)]
    if beyond:
        notes.append(f"{_images(beyond)} annotated with boxes beyond the border, which are clipped")
    return notes


def _is_beyond(box: Box, header: Header | str) -> bool:
    if isinstance(header, str):
        return False
    return min(box[:2]) < -_BEYOND or box[2] > header.width + _BEYOND or box[3] > header.height + _BEYOND


def _reason(skipped: list[Skipped]) -> str:
    """The most frequent reason, with its first image."""
    if not skipped:
        return ""
    often = Counter(one.why for one in skipped).most_common(1)[0]
    first = next(one for one in skipped if one.why == often[0]) if often[1] > 1 else skipped[0]
    return f"; the first, {first.name}: {first.why}"


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
