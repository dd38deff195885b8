"""The look at a data source without training: what is there, and how it is read."""

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from convscope.datasets import INPUT_KINDS, Dataset, build_store, source_of
from convscope.devices import requested_device
from convscope.errors import ConfigError
from convscope.files import atomic_write, to_plain
from convscope.pipeline import augmentation_for, data_settings
from convscope.progress import Progress
from convscope.reports.data_sheet import DataSheet, SheetSettings, build_sheet
from convscope.reports.data_table import class_table, data_rows, remark_rows
from convscope.reports.sheet_page import sheet_page
from convscope.reports.sheet_picture import sheet_picture
from convscope.reports.text import data_lines
from convscope.runs.events import DataLoaded, data_fields
from convscope.runs.loaders import look, open_source, prepare
from convscope.runs.overrides import Overrides, lay, settings_from_options
from convscope.runs.parse import check_overrides, parse_recipe
from convscope.runs.pixel_settings import images_only
from convscope.runs.recipe import AugmentSettings, Recipe
from convscope.runs.recipe_file import Settings, as_overrides
from convscope.tables import html_notes, html_table

FEW_IMAGES, FEW_PIXELS = 2_000, 500_000_000  # of all files together: up to these, decoding takes seconds
PROBED = 200  # images from which the augmentation is chosen


def _png(sheet: DataSheet) -> bytes:
    file = io.BytesIO()
    sheet_picture(sheet).save(file, "PNG", optimize=True)
    return file.getvalue()


SHEETS: dict[str, Callable[[DataSheet], bytes]] = {
    ".png": _png,
    ".html": lambda sheet: sheet_page(sheet).encode(),
}


@dataclass(frozen=True, repr=False, eq=False)
class DataSummary:
    """A data source as training reads it.

    Attributes:
        dataset: the images and their targets.
        recipe: the settings; those of the training are not chosen yet.
        overrides: the settings that are set or chosen, with their sources.
        event: the summary, as `train` reports it.
    """

    dataset: Dataset
    recipe: Recipe
    overrides: Overrides
    event: DataLoaded

    @property
    def notes(self) -> tuple[str, ...]:
        """What was decided for the user, and how to say otherwise."""
        return self.event.summary.notes

    @property
    def skipped(self) -> tuple[tuple[str, str], ...]:
        """Name and reason of each file that cannot be used."""
        return tuple((one.name, one.why) for one in self.event.skipped)

    def to_dict(self) -> dict[str, Any]:
        """The fields that ``convscope data --json`` prints, described in docs/reference/data-json.md."""
        content: dict[str, Any] = to_plain(data_fields(self.event))
        return content

    def sheet(self, file: str | Path) -> Path:
        """Write a page of examples with their targets, as the network gets them; return its path.

        Args:
            file: a picture (.png) or a page (.html).

        Raises:
            ConfigError: another kind of file, or the examples cannot be drawn on it.
        """
        path = Path(file)
        if path.suffix.lower() not in SHEETS:
            raise ConfigError(f"{path}: a sheet is written as {' or '.join(SHEETS)}; choose another name")
        if not INPUT_KINDS[self.dataset.input_kind].sheets:
            images_only(self.dataset.input_kind, "a sheet of examples", self.dataset.source)
        recipe = self.recipe
        sheet = build_sheet(
            self.dataset, SheetSettings(recipe.task_class, recipe.data, self._augmentation(), recipe.seed)
        )
        atomic_write(path, SHEETS[path.suffix.lower()](sheet))
        return path

    def _augmentation(self) -> AugmentSettings:
        """The augmentation of training, chosen from a sample of the images."""
        rows = np.unique(np.linspace(0, len(self.dataset) - 1, PROBED).astype(int))
        recipe = self.recipe
        store = build_store(replace(self.dataset.subset(rows), channels=recipe.data.channels), recipe.data.size)
        defaults = augmentation_for(self.dataset, store.pixels, store.readable)
        return parse_recipe(self.overrides.over(defaults)).augment

    def __repr__(self) -> str:
        """The lines that `train` prints."""
        return "\n".join(["DataSummary", *data_lines(self.to_dict())])

    def _repr_html_(self) -> str:
        fields = self.to_dict()
        headings, *rows = class_table(fields)
        properties = html_table(("property", "value"), data_rows(fields))
        classes = html_table(headings, [row or ("...",) for row in rows])
        return properties + classes + html_notes(f"{name}: {value}" for name, value in remark_rows(fields))


def data(
    source: object,
    *,
    task: str | None = None,
    settings: Settings | None = None,
    pixels: bool | None = None,
    on_progress: Progress | None = None,
) -> DataSummary:
    """Read a data source as training would, and summarise it: images, classes, sizes, splits, skipped files.

    Without `pixels` only the headers of the files are read, which takes a fraction of the time. Copies of an image,
    leaks between the data's own splits and damaged pixels are then not found; splits that are cut may differ by the
    few images that stay together because they are copies.

    Args:
        source: a folder, a table or a built-in name, as for `train`.
        task: the task; by default detected from the data.
        settings: as for `train`; only those of the data and the seed are used.
        pixels: decode the images, and cache them if that took long, so that a training on the same data starts sooner;
            None: if they are few.
        on_progress: called with (images decoded, number of images).

    Raises:
        DataError: there are no such data.
        ConfigError: no such task or setting.
    """
    options = {"data": ("data.source", source_of(source)), "task": ("task", task)}
    overrides = lay(as_overrides(settings, "data(..., settings=...)"), settings_from_options(options))
    requested = check_overrides(overrides)
    target_kind = requested.task_class.target_kind if "task" in overrides else None
    dataset = open_source(requested.data, target_kind, requested.input)
    overrides, recipe = data_settings(overrides, dataset, requested_device(requested.train.device))
    if not (few(dataset) if pixels is None else pixels):
        return DataSummary(dataset, recipe, overrides, look(dataset, recipe.data, recipe.seed, recipe.task))
    prepared = prepare(dataset, recipe.data, recipe.seed, on_progress)
    return DataSummary(dataset, recipe, overrides, prepared.loaded_event(recipe.task))


def few(dataset: Dataset) -> bool:
    """Whether the images of a data set can be decoded in seconds."""
    return len(dataset) <= FEW_IMAGES and int(dataset.sizes.prod(1).sum()) <= FEW_PIXELS
