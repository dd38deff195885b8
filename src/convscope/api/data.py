"""Summary of a data source, without training."""

from dataclasses import asdict, dataclass
from typing import Any

from convscope.datasets import Skipped, Summary, source_of
from convscope.devices import requested_device
from convscope.files import to_plain
from convscope.pipeline import draft_recipe
from convscope.progress import Progress
from convscope.reports.text import dataset_rows
from convscope.runs.events import DataLoaded
from convscope.runs.loaders import open_source, prepare
from convscope.runs.overrides import lay, settings_from_options
from convscope.runs.parse import check_overrides
from convscope.runs.recipe_file import Settings, as_overrides
from convscope.tables import html_table, text_table


@dataclass(frozen=True, repr=False)
class DataSummary:
    """A data source as training sees it.

    Attributes:
        summary: numbers of images and classes, sizes, the split, and notes on what is unusual.
        skipped: the files that cannot be used, each with the reason.
        store_location: where the decoded pixels are stored.
    """

    summary: Summary
    skipped: tuple[Skipped, ...]
    store_location: str

    @property
    def rows(self) -> list[tuple[str, str]]:
        """Names and values, as ``convscope train`` prints them."""
        return dataset_rows(DataLoaded(self.summary, self.skipped, self.store_location))

    def to_dict(self) -> dict[str, Any]:
        """The summary and the skipped files as plain data."""
        content: dict[str, Any] = to_plain(asdict(self))
        return content

    def __repr__(self) -> str:
        """One line per property."""
        return f"DataSummary\n{text_table(('property', 'value'), self.rows)}"

    def _repr_html_(self) -> str:
        return html_table(("property", "value"), self.rows)


def data(
    source: object,
    *,
    task: str | None = None,
    settings: Settings | None = None,
    on_progress: Progress | None = None,
) -> DataSummary:
    """Read a data source as training would, and summarise it: images, classes, sizes, splits, skipped files.

    The pixels are decoded and cached, so a training on the same data starts sooner.

    Args:
        source: a folder, a table or a built-in name, as for `train`.
        task: the task; by default detected from the data.
        settings: as for `train`; only those of the data and the seed are used.
        on_progress: called with (images decoded, number of images).

    Raises:
        DataError: there are no such data.
        ConfigError: no such task or setting.
    """
    options = {"data": ("data.source", source_of(source)), "task": ("task", task)}
    overrides = lay(as_overrides(settings, "data(..., settings=...)"), settings_from_options(options))
    requested = check_overrides(overrides)
    dataset = open_source(requested.data, requested.task_class.target_kind if "task" in overrides else None)
    draft = draft_recipe(overrides, dataset, requested_device(requested.train.device))
    prepared = prepare(dataset, draft.recipe.data, draft.recipe.seed, on_progress)
    event = (draft.origin.with_normalisation(prepared) if draft.origin else prepared).loaded_event()
    return DataSummary(event.summary, event.skipped, event.store_location)
