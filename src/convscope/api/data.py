"""The look at a data source without training: what is there, and how it is read."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convscope.datasets import Dataset
from convscope.devices import requested_device
from convscope.files import to_plain
from convscope.pipeline import draft_recipe
from convscope.pipeline.resolve import Draft
from convscope.progress import Progress
from convscope.reports.data_table import class_table, data_rows, remark_rows
from convscope.reports.text import data_lines
from convscope.runs.events import DataLoaded, data_fields
from convscope.runs.loaders import look, open_source, prepare
from convscope.runs.overrides import lay, settings_from_options
from convscope.runs.parse import check_overrides
from convscope.runs.recipe_file import Settings, as_overrides
from convscope.tables import html_notes, html_table

FEW_IMAGES, FEW_PIXELS = 2_000, 500_000_000  # of all files together: up to these, decoding takes seconds


@dataclass(frozen=True, repr=False, eq=False)
class DataSummary:
    """A data source as training reads it.

    Attributes:
        dataset: the images and their targets.
        draft: the settings of the data, and the network that they are read for.
        event: the summary, as `train` reports it.
    """

    dataset: Dataset
    draft: Draft
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
    source: str | Path,
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
    options = {"data": ("data.source", str(source)), "task": ("task", task)}
    overrides = lay(as_overrides(settings, "data(..., settings=...)"), settings_from_options(options))
    requested = check_overrides(overrides)
    dataset = open_source(requested.data, requested.task_class.target_kind if "task" in overrides else None)
    draft = draft_recipe(overrides, dataset, requested_device(requested.train.device))
    recipe = draft.recipe
    if not (few(dataset) if pixels is None else pixels):
        return DataSummary(dataset, draft, look(dataset, recipe.data, recipe.seed, recipe.task))
    prepared = prepare(dataset, recipe.data, recipe.seed, on_progress)
    prepared = draft.origin.with_normalisation(prepared) if draft.origin else prepared
    return DataSummary(dataset, draft, prepared.loaded_event(recipe.task))


def few(dataset: Dataset) -> bool:
    """Whether the images of a data set can be decoded in seconds."""
    return len(dataset) <= FEW_IMAGES and int(dataset.sizes.prod(1).sum()) <= FEW_PIXELS
