"""Mask folders: images and masks, which are PNG files of class values or colours."""

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.builder import DatasetBuilder, ListedFile, looks_like_image, visible_files
from convscope.datasets.dataset import Dataset, Skipped, split_of
from convscope.datasets.inputs.opening import open_image, quiet_pillow
from convscope.datasets.layouts.layout import Layout, ReadSettings, Recognised, Source, confidence_of_share
from convscope.datasets.store.resources import usable_cores
from convscope.datasets.targets.mask_files import IGNORE, Palette, mask_codes
from convscope.datasets.targets.masks import MASKS
from convscope.errors import DataError

MOST = 64  # classes; a file with more values is not a mask
_IMAGES = ("images", "image", "imgs", "img", "jpegimages", "photos", "inputs", "camerargb")
_MASKS = (
    "masks",
    "annotations",
    "segmentationclass",
    "segmentations",
    "labels",
    "gt",
    "groundtruth",
    "cameraseg",
    "annot",
)
_ENDS = re.compile(r"[-_](mask|masks|seg|segmentation|gt|label|labels|l)$", re.IGNORECASE)


def read_masks(path: Path, ignore: int | None = None) -> Dataset:
    """Images and their masks, from folders called images and masks (also JPEGImages and SegmentationClass, train and
    trainannot ...), at any depth; a mask has its image's name, also with a suffix such as _mask.

    Masks are PNG files whose grey values, palette indices or colours are the classes; names come from a file
    classes.txt, one per line in the order of the values.

    Args:
        path: a folder.
        ignore: the value of unlabelled pixels, such as 255 in Pascal VOC.

    Raises:
        DataError: there is no pair of image and mask, or the masks have no valid classes.
    """
    listing = DatasetBuilder(str(path.absolute()), MASK_FOLDERS.name, target_kind=MASKS.name)
    if not path.is_dir():
        raise DataError(f"{listing.source}: no such folder; check the path")
    pairs, unpaired = _paired(path)
    if not pairs:
        raise DataError(f"{listing.source}: no image has a mask of its name; put them in folders images and masks")
    listing.skipped += [Skipped(file.relative_to(path).as_posix(), "has no mask of its name") for file in unpaired]
    codes = _codes([mask for _, mask in pairs])
    found = sorted({int(code) for some in codes if isinstance(some, _Codes) for code in some.values} - {ignore})
    names, palette = _class_names(path, listing, found, ignore)
    splits = _voc_splits(path)
    for (image, mask), some in zip(pairs, codes, strict=True):
        name = image.relative_to(path).as_posix()
        if isinstance(some, str):
            listing.skipped.append(Skipped(name, f"its mask {mask.name} {some}"))
            continue
        unknown = [code for code in some.values if code not in palette.values and code != ignore]
        if unknown:
            why = f"its mask {mask.name} has the value {unknown[0]}, and there are {len(names)} classes"
            listing.skipped.append(Skipped(name, why))
            continue
        present = np.isin(np.array(palette.values), some.values).astype(np.float32)
        split_name = splits.get(image.stem) or _split_in_path(image.relative_to(path).parts[:-1])
        listing.files.append(ListedFile(image, name, "", split_name, value=present, mask=mask, mask_size=some.size))
    if not listing.files:
        first = listing.skipped[0]
        raise DataError(f"{listing.source}: no mask can be used; the first, {first.name}: {first.why}")
    listing.names, listing.palette = names, palette
    return listing.build()


@dataclass(frozen=True, eq=False)
class _Codes:
    values: NDArray[np.int64]
    size: tuple[int, int]


def _paired(path: Path) -> tuple[list[tuple[Path, Path]], list[Path]]:
    """(image, mask) pairs, and images without a mask."""
    images: dict[tuple[str, ...], Path] = {}
    masks: dict[tuple[str, ...], Path] = {}
    for file in visible_files(path):
        if not looks_like_image(file):
            continue
        *folders, _ = file.relative_to(path).parts
        lower = [folder.lower() for folder in folders]
        is_mask = _is_mask_folder(lower)
        rest = tuple(word.removesuffix("annot") for word in lower if word not in (*_MASKS, *_IMAGES))
        stem = _ENDS.sub("", file.stem) if is_mask else file.stem
        (masks if is_mask else images)[*rest, stem] = file
    if not masks:
        return [], list(images.values())
    return (
        [(image, masks[key]) for key, image in images.items() if key in masks],
        [image for key, image in images.items() if key not in masks],
    )


def _is_mask_folder(folders: Sequence[str]) -> bool:
    """Whether a path of folders with these names is a mask folder."""
    lower = [folder.lower() for folder in folders]
    return any(word in _MASKS or bool(word.endswith("annot") and split_of(word[:-5])) for word in lower)


def _codes(paths: Sequence[Path]) -> list[_Codes | str]:
    """The values of each mask, or why it cannot be used."""

    def read_codes(path: Path) -> _Codes | str:
        try:
            with open_image(path) as image:
                codes = mask_codes(image)
        except DataError as error:
            return f"cannot be used: {str(error).removeprefix(f'{path}: ')}"
        values = np.unique(codes)
        if len(values) > MOST:
            return f"has {len(values)} values, more than {MOST}: an image, not a mask"
        return _Codes(values, (codes.shape[0], codes.shape[1]))

    with quiet_pillow(), ThreadPoolExecutor(usable_cores(), "convscope-masks") as pool:
        return list(pool.map(read_codes, paths))


def _class_names(
    path: Path, listing: DatasetBuilder, found: list[int], ignore: int | None
) -> tuple[tuple[str, ...], Palette]:
    """Class names and their values."""
    file = next((path / name for name in ("classes.txt", "labels.txt") if (path / name).is_file()), None)
    if file is not None:
        names = tuple(line.strip() for line in file.read_text("utf-8-sig").splitlines() if line.strip())
        values = found if len(found) == len(names) and max(found) >= len(names) else list(range(len(names)))
        return names, Palette(tuple(values), ignore)
    if len(found) < 2:
        content = f"the value {found[0]} only" if found else "no value"
        raise DataError(f"{listing.source}: the masks hold {content}; at least two classes are needed")
    if len(found) > 2 and IGNORE in found:
        listing.notes.append("the mask value 255 is read as a class; if it means unlabelled, set data.ignore to 255")
    names = tuple(f"{value:06x}" if value > IGNORE else str(value) for value in found)
    return names, Palette(tuple(found), ignore)


def _voc_splits(path: Path) -> dict[str, str]:
    """Stem -> split from ImageSets/Segmentation/train.txt and similar files."""
    found: dict[str, str] = {}
    for file in sorted((path / "ImageSets" / "Segmentation").glob("*.txt")):
        split_name = split_of(file.stem)
        if split_name:
            found.update({line.split()[0]: split_name for line in file.read_text().splitlines() if line.strip()})
    return found


def _split_in_path(folders: Sequence[str]) -> str:
    return next((split_name for split_name in map(split_of, folders) if split_name), "")


def _recognise(source: Source, settings: ReadSettings) -> Recognised | None:
    """Image and mask folders, if at least half of the images have a mask; any folder if masks are requested."""
    if MASK_FOLDERS.name in (settings.layout, settings.target_kind) and source.folders:
        return Recognised(MASK_FOLDERS.name, 1.0, "masks were requested")
    if settings.target_kind is not None:
        return None
    if not any(_is_mask_folder(place.relative_to(source.path).parts) for place, _ in source.folders):
        return None
    pairs, unpaired = _paired(source.path)
    if not pairs or len(pairs) < len(unpaired):
        return None
    because = f"{len(pairs):,} of {len(pairs) + len(unpaired):,} images have a mask of the same name"
    return Recognised(MASK_FOLDERS.name, confidence_of_share(len(pairs), len(pairs) + len(unpaired)), because)


MASK_FOLDERS = Layout(
    "masks",
    "folders images and masks with files of the same names",
    _recognise,
    lambda source, settings: read_masks(source.path, settings.ignore),
)
