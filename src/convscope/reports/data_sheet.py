"""A page of examples of a dataset, as the network gets them: which images are on it, and with what text."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, zip_longest
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from convscope.datasets import (
    INPUT_KINDS,
    SPLITS,
    Batches,
    BatchSettings,
    Dataset,
    build_store,
    shown_channels,
    visible_share,
    visible_window,
)
from convscope.predictions.masks import colors_of
from convscope.printable import printable
from convscope.reports.data_table import counted
from convscope.runs.recipe import AugmentSettings, DataSettings
from convscope.runs.thumbnails import picture
from convscope.tasks import Task

Pixels = NDArray[np.uint8]
Color = tuple[int, int, int]

MOST_CLASSES = 24  # that have a row each; of more, those with the most and the fewest images
MOST_IMAGES = 64  # shown class by class
PER_CLASS = (2, 8)
TOGETHER = 24  # images where they are not shown class by class
AUGMENTED, VARIANTS = 8, 2
CUT_OFF = 0.8  # share of the pixels that the network sees below which the cropping is shown
WINDOWS, WINDOW_SIDE = 8, 128


@dataclass(frozen=True, eq=False)
class Tile:
    """One picture (H, W, 3) with the texts below it: tags of its target, and its name."""

    picture: Pixels
    tags: tuple[str, ...] = ()
    name: str = ""


@dataclass(frozen=True, eq=False)
class SheetSection:
    """Rows of tiles under a heading."""

    title: str
    note: str
    rows: Sequence[Sequence[Tile]]


@dataclass(frozen=True, eq=False)
class DataSheet:
    """A page of examples; the legend names the colours of masks."""

    title: str
    note: str
    legend: Sequence[tuple[str, Color]]
    sections: Sequence[SheetSection]


@dataclass(frozen=True, eq=False)
class SheetSettings:
    """How the examples are read, drawn and augmented; the seed chooses them."""

    task: type[Task]
    data: DataSettings
    augment: AugmentSettings
    seed: int


def build_sheet(dataset: Dataset, settings: SheetSettings) -> DataSheet:
    """Choose, decode and draw the examples; the same data, settings and seed give the same page."""
    dataset = replace(dataset, channels=settings.data.channels)
    groups = _groups(dataset, settings.seed)
    kind = INPUT_KINDS[dataset.input_kind]
    shown, points = " x ".join(map(str, settings.data.size)), "pixels" if len(kind.sides) == 2 else "voxels"
    drawn = _Drawn(dataset, settings, [row for _, _, rows in groups for row in rows])
    by_class = dataset.kind.by_class
    sections = [
        SheetSection(title, note, [[drawn.tile(row, tags=not by_class) for row in rows if row in drawn]])
        for title, note, rows in groups
    ]
    legend = (
        [(_colored(k, name), _color(k)) for k, name in enumerate(dataset.classes)] if dataset.kind.has_masks else []
    )
    return DataSheet(
        _title(dataset.source),
        f"{settings.task.name}, {counted(len(dataset), kind.nouns[0])}; each as the network gets it: {shown} "
        f"{points}, {counted(dataset.channels, 'channel')}; chosen with seed {settings.seed}",
        legend,
        [*sections, *_augmented(drawn, groups), *_cut_off(dataset, settings.data.size)],
    )


Group = tuple[str, str, list[int]]
"""Title, note, and the rows of the images."""


class _Drawn:
    """Decoded examples, drawn on demand."""

    def __init__(self, dataset: Dataset, settings: SheetSettings, rows: Sequence[int]) -> None:
        self.dataset, self.settings = dataset, settings
        chosen = dataset.subset(np.array(rows, np.int64))
        store = build_store(chosen, settings.data.size)
        masks, unreadable = chosen.kind.decode(chosen, settings.data.size)
        self.pixels = store.pixels
        self.targets = chosen.kind.in_view(chosen, settings.data.size) if masks is None else masks
        lost = unreadable | store.unreadable
        self.index = {row: i for i, row in enumerate(rows) if i not in lost}

    def draw(self, values: NDArray[np.generic]) -> Pixels:
        """The picture of an example."""
        kind, chosen = INPUT_KINDS[self.dataset.input_kind], self.dataset.shown_channels
        return kind.draw(shown_channels(values, chosen) if chosen else values)

    def __contains__(self, row: int) -> bool:
        return row in self.index

    def tile(self, row: int, tags: bool) -> Tile:
        """The example with its target drawn on it."""
        index, target = self.index[row], self.targets[self.index[row]]
        words = self.dataset.kind.tags(target, self.dataset.classes) if tags else ()
        drawn = self.settings.task.draw_target(self.draw(self.pixels[index]), target)
        return Tile(drawn, tuple(map(printable, words)), printable(self.dataset.names[row]))

    def augmented(self, rows: Sequence[int], epoch: int) -> list[Tile]:
        """The examples as one epoch of training gets them, with their targets."""
        augment, count = self.settings.augment, self.dataset.channels
        batch = BatchSettings(
            batch=len(rows), mean=(0.0,) * count, std=(1.0,) * count, policy=augment.chosen(self.dataset.input_kind),
            mirror=augment.mirror, input_kind=self.dataset.input_kind, target_kind=self.dataset.target_kind,
            seed=self.settings.seed,
        )  # fmt: skip
        indices = np.array([self.index[row] for row in rows], np.int64)
        x, y = next(iter(Batches(self.pixels, self.targets, indices, batch)(epoch)))
        images = (255 * x).round().clamp(0, 255).byte().numpy()
        draw = self.settings.task.draw_target
        return [Tile(draw(self.draw(image), target)) for image, target in zip(images, y.numpy(), strict=True)]


def _groups(dataset: Dataset, seed: int) -> list[Group]:
    """The images of each class, or one group in which every class, label or range of numbers occurs."""
    strata, count = dataset.strata()
    random = np.random.default_rng(seed)
    members = [random.permutation(np.flatnonzero(strata == index)).tolist() for index in range(count)]
    if not dataset.kind.by_class:
        mixed = [row for row in chain.from_iterable(zip_longest(*members)) if row is not None][:TOGETHER]
        return [("Examples", "", sorted(mixed, key=lambda row: (strata[row], dataset.names[row])))]
    order = [index for index in range(count) if members[index]]
    if len(order) > MOST_CLASSES:
        by_size = sorted(order, key=lambda index: -len(members[index]))
        order = sorted({*by_size[: MOST_CLASSES // 2], *by_size[-MOST_CLASSES // 2 :]})
    each = int(np.clip(MOST_IMAGES // len(order), *PER_CLASS))
    return [(printable(dataset.classes[k]), _numbers(dataset, strata == k), members[k][:each]) for k in order]


def _numbers(dataset: Dataset, rows: NDArray[np.bool_]) -> str:
    given = [f"{(rows & (dataset.splits == split)).sum():,} {split}" for split in SPLITS]
    own = f": {', '.join(part for part in given if not part.startswith('0 '))}" if dataset.splits.any() else ""
    return f"{counted(int(rows.sum()), INPUT_KINDS[dataset.input_kind].nouns[0])}{own}"


def _augmented(drawn: _Drawn, groups: Sequence[Group]) -> list[SheetSection]:
    """The first examples of all groups in turn, and below each its random variants."""
    mixed = chain.from_iterable(zip_longest(*(rows for _, _, rows in groups)))
    rows = [row for row in mixed if row is not None and row in drawn][:AUGMENTED]
    augment = drawn.settings.augment
    if augment.policy == "none" or not rows:
        return []
    flips = "with" if augment.mirror else "without"
    note = f"Policy {augment.policy}, {flips} left-right flips. First row: the images themselves"
    variants = [drawn.augmented(rows, epoch) for epoch in range(VARIANTS)]
    return [SheetSection("Augmented for training", note, [[drawn.tile(row, tags=False) for row in rows], *variants])]


def _cut_off(dataset: Dataset, sides: tuple[int, ...]) -> list[SheetSection]:
    """The images of which most is cropped away, whole, with the part that the network sees; volumes are not cropped."""
    if len(sides) != 2:
        return []
    size = sides[0], sides[1]
    shapes, index = np.unique(dataset.sizes, axis=0, return_inverse=True)
    by_shape = np.array([visible_share((int(h), int(w)), size, dataset.fit) for h, w in shapes])
    shares = by_shape[index.ravel()]
    if shares.min() >= CUT_OFF:
        return []
    rows = np.argsort(shares, kind="stable")[:WINDOWS]
    note = (
        f"The network sees {_percent(np.median(shares))} of the median image and {_percent(shares.min())} of the one "
        f"that loses most; {(shares < CUT_OFF).sum():,} of {len(dataset):,} images lose more than "
        f"{_percent(1 - CUT_OFF)}. Dark: cut off; --set data.fit=pad or stretch keeps all"
    )
    tiles = [
        Tile(_with_window(dataset, row, size), (f"{_percent(shares[row])} visible",), printable(dataset.names[row]))
        for row in rows.tolist()
    ]
    return [SheetSection("Cut off by cropping", note, [tiles])]


def _with_window(dataset: Dataset, row: int, size: tuple[int, int]) -> Pixels:
    """The whole image, dark outside the window that the network sees."""
    whole = picture(dataset, row, most=WINDOW_SIDE).convert("RGB")
    height, width = dataset.sizes[row].tolist()
    scale_x, scale_y = whole.width / width, whole.height / height
    left, top, right, bottom = visible_window((height, width), size, dataset.fit)
    box = (round(left * scale_x), round(top * scale_y), round(right * scale_x) - 1, round(bottom * scale_y) - 1)
    dark = Image.eval(whole, lambda level: level * 2 // 5)
    part = (box[0], box[1], max(box[2], box[0]) + 1, max(box[3], box[1]) + 1)
    dark.paste(whole.crop(part), part[:2])
    ImageDraw.Draw(dark).rectangle((box[0], box[1], part[2] - 1, part[3] - 1), outline=(255, 255, 255))
    return np.asarray(dark)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _title(source: str) -> str:
    path = Path(source)
    return printable(f"{path.parent.name}/{path.name}" if path.suffix and path.parent.name else path.name)


def _colored(index: int, name: str) -> str:
    return printable(name if index else f"{name} (not tinted)")


def _color(index: int) -> Color:
    red, green, blue = colors_of(np.array([index]))[0].tolist() if index else (255, 255, 255)
    return red, green, blue
