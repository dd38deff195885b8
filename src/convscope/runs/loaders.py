"""Load a data source as arrays for training, or as ``data.json`` of a run lists it."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.bundle import Preprocessing
from convscope.datasets import (
    DEFAULT_KIND,
    INPUT_KINDS,
    Batches,
    BatchSettings,
    Dataset,
    InputSettings,
    Leak,
    Skipped,
    Splits,
    Store,
    Summary,
    build_store,
    conflict_note,
    drop_unreadable,
    summarise,
)
from convscope.datasets.inputs.registry import parse_preprocessing
from convscope.datasets.label_conflicts import label_conflicts
from convscope.datasets.split import split
from convscope.errors import ConfigError, DataError
from convscope.layouts import Columns, open_data
from convscope.layouts.tables.table import TABLE
from convscope.layouts.tables.table_folder import TABLE_FOLDER
from convscope.layouts.texts.text_table import TEXT_TABLE
from convscope.progress import Progress
from convscope.runs.events import DataLoaded
from convscope.runs.folder import RunFolder
from convscope.runs.pixel_settings import cut_notes, read_with
from convscope.runs.recipe import DataSettings

SPLITS = ("train", "validation", "test")
MASKS_COUNTED = 1000  # at least, of the masks whose pixels the summary counts
LEAKS_SHOWN = 5  # in the summary; data.json has all
CHANGED = "files or labels have changed since the run started, so the result may differ"


@dataclass(frozen=True, eq=False)
class PreparedData:
    """Decoded images with their splits; image i of the data set is row ``store_index[i]`` of the store."""

    dataset: Dataset
    store: Store
    store_index: NDArray[np.int64]
    split: NDArray[np.str_]
    preprocessing: Preprocessing
    leaks: tuple[Leak, ...]
    duplicates: int
    notes: tuple[str, ...] = ()
    masks: NDArray[np.uint8] | None = None
    """(rows of the store, H, W) class indices, of data with masks."""
    seed: int = 0
    """Of the splits that are cut."""

    def rows(self, split: str) -> NDArray[np.int64]:
        """Return the indices of the images of a split."""
        return np.flatnonzero(self.split == split)

    def batches(self, split: str, settings: BatchSettings) -> Batches:
        """Return the batches of a split."""
        return Batches(self.store.pixels, self.targets(), self.store_index[self.rows(split)], settings)

    def targets(self) -> NDArray[Any]:
        """Return one target per row of the store: a mask, or the target in the coordinates of the network's input."""
        if self.masks is not None:
            return self.masks
        in_view = self.dataset.kind.in_view(self.dataset, self.preprocessing.size)
        targets = np.zeros((len(self.store.pixels), *in_view.shape[1:]), in_view.dtype)
        targets[self.store_index] = in_view
        return targets

    def loaded_event(self, task: str) -> DataLoaded:
        """Return the event that reports the data before training."""
        size, channels = self.preprocessing.size, self.preprocessing.channels
        skipped, location = self.dataset.skipped, self.store.location
        return DataLoaded(self.summary(), skipped, task, self.seed, size, channels, location)

    def summary(self) -> Summary:
        """Return the summary of the data, with notes on duplicates and leaks."""
        sample = self.store_index[:: max(1, len(self.store_index) // MASKS_COUNTED)]
        decoded = None if self.masks is None else self.masks[sample]
        summary = summarise(self.dataset, self.split, decoded)
        return replace(summary, notes=(*summary.notes, *self._notes()))

    def _notes(self) -> list[str]:
        notes = list(self.notes)
        if self.duplicates:
            one, several = INPUT_KINDS[self.dataset.input_kind].nouns
            copies = (
                f"{one} is a copy or near copy of another"
                if self.duplicates == 1
                else f"{several} are copies or near copies of others"
            )
            where = "the data's own splits separate some" if self.leaks else "they stay in the same split"
            notes.append(f"{self.duplicates:,} {copies}; {where}")
        if self.leaks:
            leaks = "1 leak" if len(self.leaks) == 1 else f"{len(self.leaks):,} leaks"
            shown = "; ".join(f"{leak.first} and {leak.second} ({leak.why})" for leak in self.leaks[:LEAKS_SHOWN])
            more = f" and {len(self.leaks) - LEAKS_SHOWN} more in data.json" if len(self.leaks) > LEAKS_SHOWN else ""
            notes.append(
                f"{leaks} between the data's own splits, which inflate{'' if len(self.leaks) > 1 else 's'} the scores: "
                f"{shown}{more}"
            )
        return notes


def open_source(
    settings: DataSettings, target_kind: str | None = None, inputs: InputSettings = InputSettings()  # noqa: B008
) -> Dataset:  # fmt: skip
    """Open a data source without decoding images.

    Args:
        settings: the source, and how to read it.
        target_kind: the kind of targets; None: detected.
        inputs: how files that are not images become inputs.

    Raises:
        DataError: as for `open_data`.
        ConfigError: columns are named but the data are not a table.
    """
    ignore = None if settings.ignore < 0 else settings.ignore
    names = {use: getattr(settings, f"{use}_column") for use in ("image", "text", "label", "split", "group")}
    columns = {use: name for use, name in names.items() if name}
    dataset = open_data(
        settings.source,
        columns=Columns(**columns),
        target_kind=target_kind,
        ignore=ignore,
        layout=settings.layout or None,
        file_kind=inputs.kind,
    )
    if columns and dataset.layout not in (TABLE.name, TABLE_FOLDER.name, TEXT_TABLE.name):
        use, name = next(iter(columns.items()))
        raise ConfigError(f"data.{use}_column is {name!r}, but {dataset.source} is not a table; remove it")
    return read_with(dataset, settings, inputs)


def prepare(
    found: Dataset,
    settings: DataSettings,
    seed: int,
    on_progress: Progress | None = None,
    given: Preprocessing | None = None,
) -> PreparedData:
    """Decode the images, skip unreadable files, find duplicates, and split the data.

    Args:
        found: the data set, not decoded.
        settings: size, channels and split fractions.
        seed: of the split.
        on_progress: called with (images decoded, number of images).
        given: the preprocessing of a network; None: from the training examples.

    Raises:
        DataError: too few images are readable to train on.
    """
    found = replace(found, channels=settings.channels)
    store = build_store(found, settings.size, on_progress=on_progress)
    masks, unreadable = found.kind.decode(found, settings.size)
    unreadable |= store.unreadable
    dataset = drop_unreadable(found, unreadable)
    store_index = np.array([row for row in range(len(found)) if row not in unreadable], np.int64)
    kind = INPUT_KINDS[found.input_kind]
    duplicates = kind.find_duplicates(store.pixels, store_index)
    assignment = assign_splits(dataset, duplicates.groups if settings.near_duplicates else None, settings, seed)
    train = store_index[assignment.split == "train"]
    preprocessing = given or kind.from_data(found, settings.size, store.pixels, train)
    store = replace(store, pixels=preprocessing.in_own_numbers(found, store.pixels))
    conflicts = label_conflicts(dataset, duplicates)
    if conflicts:
        dataset = replace(dataset, notes=(conflict_note(dataset, conflicts), *dataset.notes))
    copies = len(duplicates.groups) - len(np.unique(duplicates.groups))
    return PreparedData(
        dataset, store, store_index, assignment.split, preprocessing, assignment.leaks, copies,
        cut_notes(dataset, settings), masks, seed,
    )  # fmt: skip


def assign_splits(dataset: Dataset, groups: NDArray[np.int64] | None, settings: DataSettings, seed: int) -> Splits:
    """Split the data by the settings' fractions; see `datasets.split`.

    Raises:
        DataError: no image is left for validation.
    """
    fractions = (1 - settings.validation - settings.test, settings.validation, settings.test)
    assignment = split(dataset, groups, seed, fractions)
    if not (assignment.split == "validation").any():
        raise DataError(
            f"{dataset.source}: {len(dataset)} images in {len(dataset.classes)} classes leave none for validation, "
            "because each class has one image or all images belong to one group; "
            f"{'; '.join(cut_notes(dataset, settings)) or 'add images'}"
        )
    return assignment


def look(found: Dataset, settings: DataSettings, seed: int, task: str) -> DataLoaded:
    """Return the event that reports the data without decoding them, so without near duplicates and damaged pixels.

    Raises:
        DataError: no image is left for validation.
    """
    assignment = assign_splits(found, None, settings, seed)
    summary = summarise(replace(found, channels=settings.channels), assignment.split)
    summary = replace(summary, notes=(*summary.notes, *cut_notes(found, settings)))
    return DataLoaded(summary, found.skipped, task, seed, settings.size, settings.channels, None)


def reload(
    folder: RunFolder,
    splits: tuple[str, ...] = SPLITS,
    on_progress: Progress | None = None,
    size: tuple[int, ...] | None = None,
) -> PreparedData:
    """Load a run's images as ``data.json`` lists them; files added to the source since are ignored.

    Args:
        folder: the run.
        splits: the splits to decode.
        on_progress: called with (images decoded, number of images).
        size: (H, W) to decode at; by default the run's.

    Raises:
        DataError: the source or images of the run are missing.
    """
    content, recipe = folder.data(), folder.recipe()
    settings, size = recipe.data, size or recipe.data.size
    found = open_source(settings, content.get("target_kind", DEFAULT_KIND), recipe.input)
    row_of = {name: i for i, name in enumerate(found.names)}
    listed = [(name, split) for split in splits for name in content["splits"][split]]
    missing = [name for name, _ in listed if name not in row_of]
    if missing:
        raise _missing_images(found, missing)
    order = sorted((row_of[name], split) for name, split in listed)
    preprocessing = parse_preprocessing(content["preprocessing"])
    dataset = _as_recorded(found.subset(np.array([i for i, _ in order])), content, preprocessing)
    store = build_store(dataset, size, on_progress=on_progress)
    store = replace(store, pixels=preprocessing.in_own_numbers(dataset, store.pixels))
    masks, unreadable = dataset.kind.decode(dataset, size)
    unreadable |= store.unreadable
    if unreadable:
        row, why = next(iter(unreadable.items()))
        raise DataError(f"{found.source}: {dataset.names[row]} could be decoded when the run started: {why}")
    changed = splits == SPLITS and dataset.fingerprint() != content["fingerprint"]
    notes = (CHANGED,) if changed else ()
    leaks = tuple(Leak(k["first"], k["second"], tuple(k["splits"]), k["why"]) for k in content["leaks"])
    split = np.array([split for _, split in order], dtype="<U10")
    return PreparedData(
        dataset, store, store.readable, split, preprocessing, leaks, content["duplicates"], notes, masks,
        recipe.seed,
    )  # fmt: skip


def _missing_images(found: Dataset, missing: list[str]) -> DataError:
    """Return the error for images of a run that are gone or cannot be read any more."""
    unreadable = {one.name: one.why for one in found.skipped if one.name in missing}
    if unreadable:
        name = min(unreadable)
        return DataError(f"{found.source}: {name} could be decoded when the run started: {unreadable[name]}")
    return DataError(
        f"{found.source}: {len(missing):,} of the run's images are missing, such as {min(missing)}; "
        "restore them or train again"
    )


def _as_recorded(dataset: Dataset, content: dict[str, Any], preprocessing: Preprocessing) -> Dataset:
    """Return the data set as the run used it: the order of the classes, the channels, and the skipped files."""
    classes = tuple(content["classes"])
    return replace(
        preprocessing.read_as(dataset),
        targets=dataset.kind.restore(dataset, classes),
        classes=classes,
        skipped=tuple(Skipped(s["name"], s["why"]) for s in content["summary"]["skipped"]),
        notes=tuple(content["notes"]),
    )
