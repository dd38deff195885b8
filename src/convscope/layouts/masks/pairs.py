"""Which files are masks, and of which images: by folders, by words in names, and by both in one folder."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from convscope.datasets.dataset import split_of
from convscope.datasets.inputs.opening import ENDINGS
from convscope.datasets.listing import ending
from convscope.layouts.masks.folder_roles import OTHER_FOLDERS, role_of
from convscope.layouts.masks.named_classes import (
    NamedFile,
    folder_classes,
    match_by_class,
    may_be_named_beside,
    named_beside,
)
from convscope.layouts.masks.survey import MOST, MaskSurvey, survey

_MASK_WORDS = frozenset(
    (
        "mask", "masks", "seg", "segmentation", "segmented", "gt", "groundtruth", "annotation", "label", "labels", "l",
        "gtfine", "gtcoarse", "labelids", "labeltrainids",
    )
)  # fmt: skip
_BESIDE_WORDS = _MASK_WORDS - {"l", "label", "labels"}  # in one folder, where the others name too many things
_IMAGE_WORDS = frozenset(("img", "image", "im", "sat", "photo", "input", "rgb", "original", "leftimg8bit"))
_SET_WORDS = frozenset(("train", "training", "val", "validation", "test", "testing"))
_MANUAL_WORDS = frozenset(("manual", "manual1"))
_CITYSCAPES = re.compile(r"_gt(Fine|Coarse)_(color|instanceIds|instanceTrainIds)\.")  # drawn from _labelIds
_BESIDE = re.compile("|".join(sorted(_BESIDE_WORDS)), re.IGNORECASE)
_JPEGS = (".jpg", ".jpeg")
_SAMPLE = 8  # PNG files beside JPEG files of the same name that are read to see whether they are masks
_BEFORE_DIGIT = re.compile(rf"^({'|'.join(sorted(_MASK_WORDS | _IMAGE_WORDS))})(?=\d)", re.IGNORECASE)
_BETWEEN_WORDS = re.compile(r"[\W_]+")

_FIRST_CHANNEL = "0000"

Key = tuple[str, ...]


@dataclass
class Pairs:
    """Images and their masks."""

    masks: dict[Path, list[Path]] = field(default_factory=dict)
    """Image -> its masks, several if there is one per object."""
    lone_images: list[Path] = field(default_factory=list)
    lone_masks: list[Path] = field(default_factory=list)
    has_folders: bool = False
    """Whether there are folders called images and masks side by side, both with images."""
    beside: int = 0
    """Number of masks that lie in the folders of their images."""
    labels: dict[Path, str] = field(default_factory=dict)
    """Mask -> the class of its object, if the names of files or folders say it."""


def pair_files(root: Path, folders: Iterable[tuple[Path, list[str]]]) -> Pairs:
    """Pair images with masks.

    A mask lies in a folder such as masks or SegmentationClass, or beside its image with a word such as _mask in its
    name, or as a PNG of few values beside a JPEG of the same name. It has its image's name, apart from such words and
    the zeros of numbers; with a number after the name, or in a folder of the image's name, it is the mask of one of
    several objects, with another word that of an object of this class, as in a folder per class.

    Args:
        root: the folder of all files.
        folders: each folder with the names of its files.
    """
    images: list[NamedFile] = []
    masks: list[NamedFile] = []
    siblings: dict[Path, set[tuple[bool | None, Key]]] = defaultdict(set)
    beside: dict[Path, Path] = {}
    labels: dict[Path, str] = {}
    for place, names in folders:
        parts = place.relative_to(root).parts
        paths = [place / name for name in names if ending(name) in ENDINGS and not _CITYSCAPES.search(name)]
        if not paths or any(folder.lower() in OTHER_FOLDERS for folder in parts):
            continue
        where = [role_of(folder) for folder in parts]
        for depth, role in enumerate(where):
            siblings[Path(*parts[:depth])].add(role)
        rest = tuple(word for _, words in where for word in words)
        files = [NamedFile(path, rest, unicodedata.normalize("NFC", path.stem)) for path in paths]
        if any(role is True for role, _ in where):
            masks += files
            continue
        here = _beside(files)
        if not here and may_be_named_beside([path.name for path in paths]):
            named = named_beside(files, _MASK_WORDS)
            here = {mask: one.image for mask, one in named.items()}
            labels |= {mask: one.label for mask, one in named.items()}
        beside |= here
        images += [file for file in files if file.path not in here]
    pairs = Pairs(has_folders=any(_has_both(found) for found in siblings.values()), beside=len(beside), labels=labels)
    by_name = _match(images, masks, _STEPS)
    unpaired = [mask for mask in masks if mask.path not in by_name]
    if pairs.has_folders and unpaired:
        by_name |= _match_further(images, unpaired, labels, alone=len(unpaired) == len(masks))
    matched = {**beside, **by_name}
    for mask, image in sorted(matched.items()):
        pairs.masks.setdefault(image, []).append(mask)
    pairs.masks = {image: _one_per_stem(some) for image, some in pairs.masks.items()}
    pairs.lone_images = [file.path for file in images if file.path not in pairs.masks]
    pairs.lone_masks = [file.path for file in masks if file.path not in matched]
    return pairs


def _match_further(
    images: Sequence[NamedFile], masks: Sequence[NamedFile], labels: dict[Path, str], alone: bool
) -> dict[Path, Path]:
    """Match masks in any folder, and if all of them are still `alone`, those named for a class; adds to `labels`."""
    matched = _match(images, masks, (_ANYWHERE,))
    file_of = {file.path: file for file in (*images, *masks)}
    labels |= folder_classes({file_of[mask]: file_of[image] for mask, image in matched.items()})
    if alone and not matched:
        named = match_by_class(images, masks, _MASK_WORDS)
        matched = {mask: one.image for mask, one in named.items()}
        labels |= {mask: one.label for mask, one in named.items()}
    return matched


def may_have_masks(root: Path, folders: Iterable[tuple[Path, list[str]]]) -> bool:
    """Whether names of folders or files suggest masks: a fast look before `pair_files`."""
    for place, names in folders:
        if any(role_of(folder)[0] for folder in place.relative_to(root).parts):
            return True
        if _BESIDE.search("\n".join(names)) or _in_two_formats(names) or may_be_named_beside(names):
            return True
    return False


def masks_of_folder(folder: Path, names: Sequence[str]) -> dict[str, str]:
    """Mask -> image for the files of one folder of which some are the masks of others."""
    if not _BESIDE.search("\n".join(names)) and not _in_two_formats(names):
        return {}
    paths = [folder / name for name in names if ending(name) in ENDINGS]
    found = _beside([NamedFile(path, (), unicodedata.normalize("NFC", path.stem)) for path in paths])
    return {mask.name: image.name for mask, image in found.items()}


def _one_per_stem(masks: Sequence[Path]) -> list[Path]:
    """Without the JPEG copies of masks."""
    exact = {mask.with_suffix("") for mask in masks if ending(mask.name) not in _JPEGS}
    return [mask for mask in masks if ending(mask.name) not in _JPEGS or mask.with_suffix("") not in exact]


def _has_both(siblings: set[tuple[bool | None, Key]]) -> bool:
    """Whether folders of masks and of images lie side by side, such as images and masks, or train and train_masks."""
    masks = [words for role, words in siblings if role is True]
    return bool(masks) and any(
        role is False or (words and words in masks) for role, words in siblings if role is not True
    )


def _beside(files: Sequence[NamedFile]) -> dict[Path, Path]:
    """Mask -> image among the files of a folder: X_mask.png or mask_X.png beside X.jpg, or X.png beside it."""
    masks = [file for file in files if _BESIDE.search(file.path.name) and _BESIDE_WORDS & set(_tokens(file.stem))]
    named = {file.path for file in masks}
    found = _match([file for file in files if file.path not in named], masks, _STEPS[:-2]) if masks else {}
    rest = [file.path for file in files if file.path not in found]
    return found | _png_masks(rest)


def _png_masks(paths: Sequence[Path]) -> dict[Path, Path]:
    """PNG -> JPEG of the same name in a folder, if at least half of the JPEGs have one, and these are masks."""
    by_name = _in_two_formats([path.name for path in paths])
    folder = paths[0].parent if paths else Path()
    jpegs = sum(ending(path.name) in _JPEGS for path in paths)
    if not by_name or 2 * len(by_name) < jpegs:
        return {}
    pairs = {folder / png: folder / jpeg for png, jpeg in by_name.items()}
    sample = list(pairs)[:: max(1, len(pairs) // _SAMPLE)]
    return pairs if all(isinstance(one, MaskSurvey) and len(one.counts) <= MOST for one in survey(sample)) else {}


def _in_two_formats(names: Sequence[str]) -> dict[str, str]:
    """PNG -> JPEG of the same stem."""
    pngs = [name for name in names if ending(name) == ".png"]
    if not pngs or len(pngs) == len(names):
        return {}
    stems = {name.rpartition(".")[0]: name for name in names if ending(name) in _JPEGS}
    return {name: stems[stem] for name in pngs if (stem := name.rpartition(".")[0]) in stems}


def _tokens(stem: str) -> Key:
    spaced = _BEFORE_DIGIT.sub(r"\1_", stem.lower())
    return tuple(word for word in _BETWEEN_WORDS.split(spaced) if word)


def name_without_roles(stem: str) -> str:
    """A file's name without the words that say that it is an image or a mask.

    >>> name_without_roles("ISIC_0000003_segmentation")
    'isic 0000003'
    """
    return " ".join(word for word in _tokens(stem) if word not in _MASK_WORDS | _IMAGE_WORDS) or stem.lower()


def _without(words: frozenset[str]) -> Callable[[NamedFile], Key]:
    def key(file: NamedFile) -> Key:
        tokens = tuple(word for word in _tokens(file.stem) if word not in words)
        return (*file.folders, "", *tokens) if tokens else ()

    return key


def _numbers(file: NamedFile) -> Key:
    tokens = [word for word in _tokens(file.stem) if word not in _MASK_WORDS | _IMAGE_WORDS]
    plain = (word.lstrip("0") or "0" if word.isascii() and word.isdigit() else word for word in tokens)
    return (*file.folders, "", *plain) if tokens else ()


def _one_fewer(words: frozenset[str]) -> Callable[[NamedFile], Key]:
    """Without the number of an object at the end."""

    def key(file: NamedFile) -> Key:
        tokens = _without(words)(file)
        return tokens[:-1] if len(tokens) > len(file.folders) + 2 and tokens[-1].isdigit() else ()

    return key


def _without_channel(file: NamedFile) -> Key:
    """Without the number of the first channel at the end, as nnU-Net calls images: case_0000."""
    tokens = _tokens(file.stem)
    return (*file.folders, "", *tokens[:-1]) if tokens[1:] and tokens[-1] == _FIRST_CHANNEL else ()


def _anywhere(words: frozenset[str]) -> Callable[[NamedFile], Key]:
    """The name without the folders, apart from splits."""
    return lambda file: (*filter(split_of, file.folders), "", *_without(words)(file)[len(file.folders) + 1 :])


_ANYWHERE = (_anywhere(_IMAGE_WORDS), _anywhere(_MASK_WORDS | _IMAGE_WORDS))
"""The last resort where images and masks lie in folders of their own: folders between may differ."""

_Steps = tuple[tuple[Callable[[NamedFile], Key], Callable[[NamedFile], Key]], ...]

_STEPS: _Steps = (
    (lambda file: (*file.folders, file.stem), lambda file: (*file.folders, file.stem)),
    (_without(frozenset()), _without(_MASK_WORDS)),
    (_without(_IMAGE_WORDS), _without(_MASK_WORDS | _IMAGE_WORDS)),
    (_numbers, _numbers),
    (_without_channel, _without(frozenset())),
    (_without(_IMAGE_WORDS | _SET_WORDS), _without(_MASK_WORDS | _IMAGE_WORDS | _MANUAL_WORDS)),
    (_without(frozenset()), _one_fewer(_MASK_WORDS)),
    (_without(_IMAGE_WORDS), _one_fewer(_MASK_WORDS | _IMAGE_WORDS)),
    (lambda file: (*file.folders, file.stem.lower()), lambda file: file.folders),
    (lambda file: file.folders, lambda file: file.folders),
)
"""Keys of images and masks that are compared, one pair after the other, for the masks that have no image yet."""


def _match(images: Sequence[NamedFile], masks: Sequence[NamedFile], steps: _Steps) -> dict[Path, Path]:
    """Mask -> image."""
    found: dict[Path, Path] = {}
    for image_key, mask_key in steps if masks else ():
        by_key: dict[Key, list[Path]] = defaultdict(list)
        for image in images:
            by_key[image_key(image)].append(image.path)
        for mask in masks:
            key = mask_key(mask)
            if key and mask.path not in found and len(by_key.get(key, ())) == 1:
                found[mask.path] = by_key[key][0]
    return found
