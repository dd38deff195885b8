"""Search the network and its training within a time limit."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from convscope.api.run import Run
from convscope.datasets import source_of
from convscope.runs.folder import next_name
from convscope.runs.recipe_file import Settings, as_overrides
from convscope.tables import html_notes, html_table, text_table
from convscope.tuning.folder import SearchFolder
from convscope.tuning.request import SearchRequest
from convscope.tuning.search import continuing, searching
from convscope.tuning.summary import SearchSummary
from convscope.tuning.text import EventText


class Search:
    """A finished search: the table of the best networks, what it found, and the winner as a run.

    Args:
        path: its folder.

    Raises:
        RunError: it is not a search.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.folder = SearchFolder.open(Path(path).expanduser())
        self._summary = SearchSummary.read(self.folder)

    @property
    def path(self) -> Path:
        """The folder of the search."""
        return self.folder.path

    @property
    def winner(self) -> Run:
        """The best network, trained in full."""
        return Run(self.folder.winner)

    @property
    def default(self) -> Run:
        """The default recipe, trained for as long as the winner."""
        return Run(self.folder.default)

    @property
    def headings(self) -> tuple[str, ...]:
        """The columns of the table."""
        return self._summary.headings()

    def rows(self, most: int = 10) -> list[tuple[str, ...]]:
        """The best trials, the best first."""
        return self._summary.rows(most)

    @property
    def sentences(self) -> list[str]:
        """What the search found."""
        return self._summary.sentences()

    @property
    def report(self) -> Path:
        """The report, an HTML page."""
        return self.folder.report

    def to_dict(self) -> dict[str, Any]:
        """All trials and figures as a JSON object."""
        return self._summary.to_dict()

    def __fspath__(self) -> str:
        """The folder of the search."""
        return str(self.path)

    def __repr__(self) -> str:
        """The table, and what the search found."""
        return "\n".join([f"Search({str(self.path)!r})", text_table(self.headings, self.rows()), *self.sentences])

    def _repr_html_(self) -> str:
        return html_table(self.headings, self.rows()) + html_notes(self.sentences)


def tune(
    data: object,
    *,
    budget: float | str | None = None,
    trials: int | None = None,
    search: Mapping[str, str] | None = None,
    settings: Settings | None = None,
    out: str | Path | None = None,
) -> Search:
    """Search the network and its training, print a line per trial, and return the search with its winner.

    Units and filters come first, then layers, kernel, activation, norm, dropout, optimiser, rate, decay and batch, as
    many as there is time for. The test images are not used.

    Args:
        data: as for `cs.train`; or the folder of a search that was stopped, which goes on.
        budget: total wall-clock time, in seconds or like "10m", with the training of the winner in full; by default 10
            minutes, unless `trials` are given.
        trials: number of networks to try; by default as many as there is time for.
        search: ranges of settings, like ``{"model.options.kernel": "3,5"}``.
        settings: of the recipe, which all trials share: ``{"seed": 1}``, nested, or the path of a recipe.toml.
        out: the folder of the search; by default runs/NAME-tune-1, -2 ...

    Raises:
        ConvscopeError: see its subclasses.
    """
    if isinstance(data, str | PathLike) and SearchFolder(Path(data).expanduser()).log_file.exists():
        path = Path(data).expanduser()
        events = continuing(path)
    else:
        source = source_of(data)
        overrides = as_overrides(settings, "tune(..., settings=...)")
        request = SearchRequest.of(budget, trials, 1, search or {}, "tune(..., budget=...)")
        name = source if isinstance(data, str | PathLike) else type(data).__name__
        path = Path(out) if out is not None else next_search(name)
        events = searching(source, path, overrides, request)
    text = EventText()
    for event in events:
        for line in text.lines(event):
            print(line, flush=True)
    return Search(path)


def next_search(source: str) -> Path:
    """Return the first unused ``runs/NAME-tune-1``, ``-2`` ... for a data source."""
    return next_name(f"{Path(source).expanduser().resolve().stem}-tune")
