"""Mask folders: images and their mask files, in folders of their own or side by side."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from convscope.datasets.builder import DatasetBuilder, ListedFile
from convscope.datasets.dataset import Dataset, Skipped, split_of
from convscope.datasets.listing import visible_folders
from convscope.datasets.targets.masks import MASKS
from convscope.errors import DataError
from convscope.layouts.folders.split_files import with_listed_splits
from convscope.layouts.layout import Layout, ReadSettings, Recognised, Source, confidence_of_share
from convscope.layouts.masks.folder_roles import role_of
from convscope.layouts.masks.names import FILES, NamesFile, read_names
from convscope.layouts.masks.pairs import Pairs, may_have_masks, pair_files
from convscope.layouts.masks.reading import MaskedImage, add_masked_images

_STRAY = 0.1  # share of images with masks below which masks are taken for stray files
_EACH = 2  # images, on average, of a folder that may be a class
_NAMES_DEPTH = 2  # folders below DATA in which a file of class names is searched
_Folders = Sequence[tuple[Path, list[str]]]


def read_masks(path: Path, ignore: int | None = None) -> Dataset:
    """Images and their masks, at any depth; see `pairs.pair_files` for their folders and names.

    Grey values, palette indices or colours are the classes; names come from a file, see `names`. Several masks
    of an image, one per object, are joined.

    Args:
        path: a folder.
        ignore: the value of unlabelled pixels, such as 255 in Pascal VOC; None: detected.

    Raises:
        DataError: there is no pair of image and mask, or the masks have no valid classes.
    """
    builder = DatasetBuilder(str(path.absolute()), MASK_FOLDERS.name, target_kind=MASKS.name)
    if not path.is_dir():
        raise DataError(f"{builder.source}: no such folder; check the path")
    folders = list(visible_folders(path))
    pairs = pair_files(path, folders)
    error = _pair_error(path, pairs)
    if error:
        raise DataError(f"{builder.source}: {error}")
    for files, why in ((pairs.lone_images, "has no mask of its name"), (pairs.lone_masks, "has no image of its name")):
        builder.skipped += [Skipped(file.relative_to(path).as_posix(), why) for file in files]
    builder.notes += _notes(path, pairs)
    splits = _voc_splits(path)
    images = []
    for image, masks in pairs.masks.items():
        inside = image.relative_to(path)
        split_name = splits.get(image.stem) or _split_in_path(inside.parts[:-1])
        labels = tuple(pairs.labels[mask] for mask in masks if mask in pairs.labels)
        images.append(MaskedImage(ListedFile(image, inside.as_posix(), "", split_name), tuple(masks), labels))
    listed = _names_file(folders, path)
    if listed is not None and _are_of_folders(listed, images):
        builder.notes.append(f"{listed.file} names folders of the images, and so no classes of the masks")
        listed = None
    add_masked_images(builder, images, listed, ignore)
    return with_listed_splits(Source(path), builder).build()


def _pair_error(path: Path, pairs: Pairs) -> str:
    """Why images and masks cannot be paired; empty if they can."""
    images, masks = pairs.lone_images, pairs.lone_masks
    if not pairs.masks and images and masks:
        first, second = (files[0].relative_to(path).as_posix() for files in (images, masks))
        return (
            f"none of the {len(masks):,} masks has the name of one of the {len(images):,} images; the first are "
            f"{second} and {first}; give a mask the name of its image"
        )
    if not pairs.masks:
        return "no image has a mask of its name; put them in folders images and masks"
    for image, some in pairs.masks.items():
        places = sorted({mask.parent.relative_to(path).as_posix() for mask in some})
        if len(places) > 1 and not all(mask in pairs.labels for mask in some):
            name = image.relative_to(path).as_posix()
            return f"{name} has masks in {places[0]} and in {places[1]}; move one of these folders elsewhere"
    return _channels_error(path, pairs)


def _channels_error(path: Path, pairs: Pairs) -> str:
    """Why images cannot be used that are in several files, one per channel, as nnU-Net writes them; or empty."""
    paired = {image.with_name(image.name.replace("_0000.", "_0001.")): image for image in pairs.masks}
    second = next((image for image in pairs.lone_images if image in paired), None)
    if second is None or second == paired[second]:
        return ""
    first = paired[second].relative_to(path).as_posix()
    return (
        f"{first} and {second.name} are channels of one image in several files, which are not joined; save each image "
        "as one TIFF or .npy file with all channels, or remove the others than _0000"
    )


def _notes(path: Path, pairs: Pairs) -> list[str]:
    """A note on class folders whose images have their masks beside them, or in folders inside."""
    inside = [image.relative_to(path).parts for image in pairs.masks]
    tops = Counter(parts[0] for parts in inside if len(parts) > 1)
    classes = [name for name in sorted(tops) if not split_of(name) and role_of(name)[0] is None]
    if len(classes) < 2 or sum(tops[name] for name in classes) < _EACH * len(classes):
        return []
    shown = ", ".join(classes[:3]) + (", ..." if len(classes) > 3 else "")
    return [
        f"the images have masks beside them, which are learnt, and not the folders {shown}; --layout folder learns the "
        "folders from the images alone"
    ]


def _names_file(folders: _Folders, path: Path) -> NamesFile | None:
    """The class names of the highest folder that has any."""
    for place, names in sorted(folders, key=lambda one: len(one[0].parts)):
        if len(place.relative_to(path).parts) <= _NAMES_DEPTH and not set(names).isdisjoint(FILES):
            return read_names(place)
    return None


def _are_of_folders(listed: NamesFile, images: Sequence[MaskedImage]) -> bool:
    """Whether most names of a file, perhaps after a number, are those of the images' folders."""
    folders = {image.listed.path.parent.name for image in images}
    return 2 * sum(name in folders or name.partition(" ")[2] in folders for name in listed.names) > len(listed.names)


def _voc_splits(path: Path) -> dict[str, str]:
    """Stem -> split from ImageSets/Segmentation/train.txt and similar files."""
    found: dict[str, str] = {}
    for file in sorted((path / "ImageSets" / "Segmentation").glob("*.txt")):
        split_name = split_of(file.stem)
        if split_name:
            lines = file.read_text("utf-8", errors="replace").splitlines()
            found.update({line.split()[0]: split_name for line in lines if line.strip()})
    return found


def _split_in_path(folders: Sequence[str]) -> str:
    words = (word for folder in folders for word in (folder, *role_of(folder)[1]))
    return next((split_name for split_name in map(split_of, words) if split_name), "")


def _recognise(source: Source, settings: ReadSettings) -> Recognised | None:
    if not source.path.is_dir():
        return None
    if settings.target_kind == MASKS.name:
        return Recognised(MASK_FOLDERS.name, 1.0, "masks were requested")
    if settings.target_kind is not None or not may_have_masks(source.path, source.folders):
        return None
    pairs = pair_files(source.path, source.folders)
    paired, images = len(pairs.masks), len(pairs.masks) + len(pairs.lone_images)
    if paired and (pairs.has_folders or paired > _STRAY * images):
        because = f"{paired:,} of {images:,} images have a mask of the same name"
        return Recognised(MASK_FOLDERS.name, confidence_of_share(paired, images), because)
    if pairs.has_folders and pairs.lone_masks:
        return Recognised(MASK_FOLDERS.name, 0.9, "it has folders of images and of masks")
    return None


MASK_FOLDERS = Layout(
    "masks",
    "images and masks of the same names",
    _recognise,
    lambda source, settings: read_masks(source.path, settings.ignore),
)
