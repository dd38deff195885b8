"""Images with their mask files, added to a dataset: values, classes, sizes and orientation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from convscope.datasets.builder import DatasetBuilder, ListedFile
from convscope.datasets.dataset import Skipped
from convscope.datasets.targets.mask_files import MaskFile, Palette
from convscope.errors import DataError
from convscope.layouts.masks.classes import MaskClasses, choose_classes
from convscope.layouts.masks.coding import choose_coding, without_object_numbers
from convscope.layouts.masks.names import NamesFile
from convscope.layouts.masks.survey import MaskSurvey, survey
from convscope.layouts.masks.turns import MaskSize, find_turns


@dataclass(frozen=True)
class MaskedImage:
    """An image and its masks: one, or one per object."""

    listed: ListedFile
    masks: tuple[Path, ...]


@dataclass(frozen=True)
class _Surveyed:
    image: MaskedImage
    surveys: tuple[MaskSurvey | str, ...]
    values: tuple[frozenset[int] | str, ...]

    def error(self, classes: MaskClasses) -> str:
        """Why the masks cannot be used; empty if they can."""
        for mask, values in zip(self.image.masks, self.values, strict=True):
            if isinstance(values, str):
                return f"its mask {mask.name} {values}"
            unknown = sorted(values - {*classes.values, classes.ignore})
            if unknown:
                return f"its mask {mask.name} has the value {unknown[0]}, and there are {len(classes.names)} classes"
        sizes = {one.size for one in self.surveys if isinstance(one, MaskSurvey)}
        return "its masks differ in size" if len(sizes) > 1 else ""

    @property
    def size(self) -> MaskSize:
        """The size of masks without an error."""
        first = self.surveys[0]
        return MaskSize(first.size, first.turned) if isinstance(first, MaskSurvey) else MaskSize((0, 0), turned=False)

    @property
    def present(self) -> frozenset[int]:
        """The values that occur."""
        return frozenset(value for values in self.values if not isinstance(values, str) for value in values)


def add_masked_images(
    builder: DatasetBuilder, images: Sequence[MaskedImage], listed: NamesFile | None = None, ignore: int | None = None
) -> None:
    """Add the files, classes and notes of images with masks to a builder; those that cannot be used are skipped.

    Args:
        builder: of a dataset whose kind of target is masks.
        images: images and their masks.
        listed: names of the classes, if a file has them.
        ignore: the value of unlabelled pixels; None: detected.

    Raises:
        DataError: no mask can be used, or the masks have no valid classes.
    """
    files = sorted({mask for image in images for mask in image.masks})
    surveys = survey(files)
    try:
        coding = choose_coding(surveys)
        coding = without_object_numbers(coding) if listed is None else coding
        found = dict(zip(files, zip(surveys, coding.values, strict=True), strict=True))
        examples = [_Surveyed(image, *zip(*(found[mask] for mask in image.masks), strict=True)) for image in images]
        if not coding.found:
            first = examples[0]
            name, why = first.image.listed.name, first.error(MaskClasses((), ()))
            raise DataError(f"no mask can be used; the first, {name}: {why}")
        classes = choose_classes(coding, listed, ignore)
    except DataError as error:
        raise DataError(f"{builder.source}: {error}") from error
    builder.notes += [*coding.notes, *classes.notes]
    classes = _join_objects(builder, examples, classes)
    _add_usable(builder, examples, classes)
    builder.names = classes.names
    aliases = tuple(sorted(coding.aliases.items()))
    builder.palette = Palette(classes.values, classes.ignore, aliases, coding.by_colour)


def _join_objects(builder: DatasetBuilder, examples: Sequence[_Surveyed], classes: MaskClasses) -> MaskClasses:
    """Say that several masks of an image are joined; background and object, if they hold one value beside 0."""
    several = [example.image for example in examples if len(example.image.masks) > 1]
    if not several:
        return classes
    first = several[0]
    count = "image has" if len(several) == 1 else "images have"
    shown = " and ".join(mask.name for mask in first.masks[:2])
    builder.notes.append(
        f"{len(several):,} {count} several masks, one per object, such as {shown} of {first.listed.name}; "
        "they are joined to one mask"
    )
    if len(classes.values) == 2 and classes.names == tuple(map(str, classes.values)) and classes.values[0] == 0:
        return replace(classes, names=("background", "object"))
    return classes


def _add_usable(builder: DatasetBuilder, examples: Sequence[_Surveyed], classes: MaskClasses) -> None:
    usable = []
    for example in examples:
        error = example.error(classes)
        if error:
            builder.skipped.append(Skipped(example.image.listed.name, error))
        else:
            usable.append(example)
    turns = find_turns([example.image.listed.path for example in usable], [example.size for example in usable])
    turned = 0
    for example, turn in zip(usable, turns, strict=True):
        listed, (height, width) = example.image.listed, example.size.size
        if isinstance(turn, str):
            builder.skipped.append(Skipped(listed.name, turn))
            continue
        turned += turn != 1
        size = (width, height) if turn >= 5 else (height, width)
        present = np.isin(np.array(classes.values), list(example.present)).astype(np.float32)
        mask = MaskFile(example.image.masks, turn)
        builder.files.append(replace(listed, value=present, mask=mask, mask_size=size))
    if turned:
        masks = "mask was" if turned == 1 else "masks were"
        builder.notes.append(
            f"{turned:,} {masks} drawn on the pixels as stored of an image that EXIF turns; they are turned with it"
        )
    if not builder.files:
        first = builder.skipped[0]
        raise DataError(f"{builder.source}: no mask can be used; the first, {first.name}: {first.why}")
