"""Images with their mask files, added to a dataset: values, classes, sizes and orientation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.builder import DatasetBuilder, ListedFile
from convscope.datasets.class_checks import in_order
from convscope.datasets.dataset import Skipped
from convscope.datasets.targets.mask_files import MaskFile, Palette
from convscope.errors import DataError
from convscope.layouts.folders.set_names import joined
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
    labels: tuple[str, ...] = ()
    """The class of the object in each mask, if names of files or folders say it; else empty."""


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

    def present(self, classes: MaskClasses) -> NDArray[np.float32]:
        """(K,) which classes occur."""
        some = [values for values in self.values if not isinstance(values, str)]
        if not self.image.labels:
            return np.isin(np.array(classes.values), list(frozenset().union(*some))).astype(np.float32)
        there = [label for label, values in zip(self.image.labels, some, strict=True) if classes.values[1] in values]
        names = [classes.names[0] if any(classes.values[0] in values for values in some) else "", *there]
        return np.isin(np.array(classes.names), names).astype(np.float32)


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
    labels = {label for image in images for label in image.labels}
    if len(labels) == 1 and len(classes.values) > len((0, 1)):  # a word that says nothing of the values
        examples = [replace(example, image=replace(example.image, labels=())) for example in examples]
        labels = set()
    classes = _by_label(builder, examples, classes) if labels else _join_objects(builder, examples, classes)
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


def _by_label(builder: DatasetBuilder, examples: Sequence[_Surveyed], classes: MaskClasses) -> MaskClasses:
    """The classes in the names of masks that hold two values, and a background.

    Raises:
        DataError: the masks hold more values.
    """
    labels = in_order({label for example in examples for label in example.image.labels})
    first = next(example.image for example in examples if example.image.labels)
    shown = f"{first.masks[0].name} is {first.labels[0]} of {first.listed.name}"
    if len(classes.values) > len((0, 1)):
        raise DataError(
            f"{builder.source}: names of masks say their classes ({shown}), but they hold {len(classes.values)} "
            "values; save each as background and object, or one mask of all classes for each image"
        )
    builder.notes.append(
        f"the classes {joined(labels)} are read from the names of the masks, such as {shown}; where two overlap, the "
        "later class counts"
    )
    return replace(classes, names=("background", *labels))


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
        indices = tuple(classes.names.index(label) for label in example.image.labels)
        mask = MaskFile(example.image.masks, turn, indices)
        builder.files.append(replace(listed, value=example.present(classes), mask=mask, mask_size=size))
    if turned:
        masks = "mask was" if turned == 1 else "masks were"
        builder.notes.append(
            f"{turned:,} {masks} drawn on the pixels as stored of an image that EXIF turns; they are turned with it"
        )
    if not builder.files:
        first = builder.skipped[0]
        raise DataError(f"{builder.source}: no mask can be used; the first, {first.name}: {first.why}")
