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
from convscope.layouts.masks.survey import MOST, MaskSurvey, survey

IMAGE_FOLDERS = frozenset(
    (
        "images", "image", "imgs", "img", "jpegimages", "photos", "pictures", "inputs", "input", "camerargb", "rgb",
        "leftimg8bit", "imagestr", "imagests", "originals", "originalimages", "imgdir", "imagedir",
    )
)  # fmt: skip
MASK_FOLDERS = frozenset(
    (
        "masks", "mask", "annotations", "annotation", "annot", "segmentationclass", "segmentationclassaug",
        "segmentationclasspng", "segmentations", "segmentation", "labels", "label", "labelstr", "gt", "groundtruth",
        "groundtruths", "cameraseg", "gtfine", "trimaps", "ann", "anns", "anno", "annots", "anndir", "annotationdir",
        "maskdir", "labeldir", "gtdir", "gts", "segmasks", "maskimages", "manual", "1stmanual", "semantic",
    )
)  # fmt: skip
_OTHER_FOLDERS = frozenset(
    (
        "segmentationobject", "segmentationobjectpng", "segmentationobjectvisualization",
        "segmentationclassvisualization", "2nd_manual", "semantic_rgb", "instance", "instances",
    )
)  # fmt: skip
"""Masks of objects, of a second person, and drawings, beside those of classes."""
_FORMATS = frozenset(("png", "jpg", "jpeg", "tif", "tiff", "bmp"))
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


@dataclass(frozen=True)
class _File:
    path: Path
    folders: Key
    """The folders of the file without those that say what is image and what is mask."""
    stem: str


def pair_files(root: Path, folders: Iterable[tuple[Path, list[str]]]) -> Pairs:
    """Pair images with masks.

    A mask lies in a folder such as masks or SegmentationClass, or beside its image with a word such as _mask in its
    name, or as a PNG of few values beside a JPEG of the same name. It has its image's name, apart from such words and
    the zeros of numbers; with a number after the name, or in a folder of the image's name, it is the mask of one of
    several objects.

    Args:
        root: the folder of all files.
        folders: each folder with the names of its files.
    """
    images: list[_File] = []
    masks: list[_File] = []
    siblings: dict[Path, set[tuple[bool | None, Key]]] = defaultdict(set)
    beside: dict[Path, Path] = {}
    for place, names in folders:
        parts = place.relative_to(root).parts
        paths = [place / name for name in names if ending(name) in ENDINGS and not _CITYSCAPES.search(name)]
        if not paths or any(folder.lower() in _OTHER_FOLDERS for folder in parts):
            continue
        where = [role_of(folder) for folder in parts]
        for depth, role in enumerate(where):
            siblings[Path(*parts[:depth])].add(role)
        rest = tuple(word for _, words in where for word in words)
        files = [_File(path, rest, unicodedata.normalize("NFC", path.stem)) for path in paths]
        if any(role is True for role, _ in where):
            masks += files
            continue
        here = _beside(files)
        beside |= here
        images += [file for file in files if file.path not in here]
    pairs = Pairs(has_folders=any(_has_both(found) for found in siblings.values()), beside=len(beside))
    matched = {**beside, **_match(images, masks, (*_STEPS, _ANYWHERE) if pairs.has_folders else _STEPS)}
    for mask, image in sorted(matched.items()):
        pairs.masks.setdefault(image, []).append(mask)
    pairs.masks = {image: _one_per_stem(some) for image, some in pairs.masks.items()}
    pairs.lone_images = [file.path for file in images if file.path not in pairs.masks]
    pairs.lone_masks = [file.path for file in masks if file.path not in matched]
    return pairs


def may_have_masks(root: Path, folders: Iterable[tuple[Path, list[str]]]) -> bool:
    """Whether names of folders or files suggest masks: a fast look before `pair_files`."""
    for place, names in folders:
        if any(role_of(folder)[0] for folder in place.relative_to(root).parts):
            return True
        if _BESIDE.search("\n".join(names)) or _in_two_formats(names):
            return True
    return False


def masks_of_folder(folder: Path, names: Sequence[str]) -> dict[str, str]:
    """Mask -> image for the files of one folder of which some are the masks of others."""
    if not _BESIDE.search("\n".join(names)) and not _in_two_formats(names):
        return {}
    paths = [folder / name for name in names if ending(name) in ENDINGS]
    found = _beside([_File(path, (), unicodedata.normalize("NFC", path.stem)) for path in paths])
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


def role_of(folder: str) -> tuple[bool | None, Key]:
    """Whether files in a folder of this name are masks (True) or images (False); None if neither; and its other words.

    A name of several words says so by its last one, if another is a split.

    >>> role_of("train_masks"), role_of("no_mask"), role_of("trainannot")
    ((True, ('train',)), (None, ('no_mask',)), (True, ('train',)))
    >>> role_of("ISIC2018_Task1-2_Training_Input"), role_of("image_2")
    ((False, ('training',)), (False, ()))
    """
    lower = unicodedata.normalize("NFC", folder).lower()
    joined = _BETWEEN_WORDS.sub("", lower)
    if joined in MASK_FOLDERS or joined in IMAGE_FOLDERS:
        return joined in MASK_FOLDERS, ()
    if lower.endswith("annot") and split_of(lower[:-5]):
        return True, (lower[:-5],)
    words = [word for word in _BETWEEN_WORDS.split(lower) if word]
    named = [word for word in words if word in MASK_FOLDERS or word in IMAGE_FOLDERS]
    others = tuple(word for word in words if word not in (*named, *_FORMATS) and not word.isdecimal())
    splits = tuple(filter(split_of, others))
    if named and (not others or (splits and (len(others) == 1 or words[-1] in named))):
        return any(word in MASK_FOLDERS for word in named), splits
    return None, (lower,)


def _beside(files: Sequence[_File]) -> dict[Path, Path]:
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


def _without(words: frozenset[str]) -> Callable[[_File], Key]:
    def key(file: _File) -> Key:
        tokens = tuple(word for word in _tokens(file.stem) if word not in words)
        return (*file.folders, "", *tokens) if tokens else ()

    return key


def _numbers(file: _File) -> Key:
    tokens = [word for word in _tokens(file.stem) if word not in _MASK_WORDS | _IMAGE_WORDS]
    plain = (word.lstrip("0") or "0" if word.isascii() and word.isdigit() else word for word in tokens)
    return (*file.folders, "", *plain) if tokens else ()


def _one_fewer(words: frozenset[str]) -> Callable[[_File], Key]:
    """Without the number of an object at the end."""

    def key(file: _File) -> Key:
        tokens = _without(words)(file)
        return tokens[:-1] if len(tokens) > len(file.folders) + 2 and tokens[-1].isdigit() else ()

    return key


def _anywhere(words: frozenset[str]) -> Callable[[_File], Key]:
    """The name without the folders, apart from splits."""
    return lambda file: (*filter(split_of, file.folders), "", *_without(words)(file)[len(file.folders) + 1 :])


_ANYWHERE = (_anywhere(_IMAGE_WORDS), _anywhere(_MASK_WORDS | _IMAGE_WORDS))
"""The last resort where images and masks lie in folders of their own: folders between may differ."""

_Steps = tuple[tuple[Callable[[_File], Key], Callable[[_File], Key]], ...]

_STEPS: _Steps = (
    (lambda file: (*file.folders, file.stem), lambda file: (*file.folders, file.stem)),
    (_without(frozenset()), _without(_MASK_WORDS)),
    (_without(_IMAGE_WORDS), _without(_MASK_WORDS | _IMAGE_WORDS)),
    (_numbers, _numbers),
    (_without(_IMAGE_WORDS | _SET_WORDS), _without(_MASK_WORDS | _IMAGE_WORDS | _MANUAL_WORDS)),
    (_without(frozenset()), _one_fewer(_MASK_WORDS)),
    (_without(_IMAGE_WORDS), _one_fewer(_MASK_WORDS | _IMAGE_WORDS)),
    (lambda file: (*file.folders, file.stem.lower()), lambda file: file.folders),
    (lambda file: file.folders, lambda file: file.folders),
)
"""Keys of images and masks that are compared, one pair after the other, for the masks that have no image yet."""


def _match(images: Sequence[_File], masks: Sequence[_File], steps: _Steps) -> dict[Path, Path]:
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
