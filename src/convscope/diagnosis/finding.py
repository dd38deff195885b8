"""A finding: what is wrong, where, how far, and the one change to make."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from convscope.files import to_plain


@dataclass(frozen=True)
class Change:
    """The one change that a finding proposes: `text` says it; `settings` or `files` make it, where one of them can.

    `settings` are those of the recipe by dotted name, for a new training; `files` are images of the data by name.
    """

    text: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        kind: the name of the check, which is also that of its card in docs/diagnose/.
        severity: in [0, 1]; by it findings are sorted. Causes are above their consequences.
        where: the layer, class, file, split or setting.
        said: one sentence with the figure in it.
        figure: the figure behind the finding.
        threshold: the value from which the figure counts as wrong; None where a finding is certain.
        change: what to do.
        images: names of the images that show it.
        series: numbers to plot, such as the gradient norm by layer.
    """

    kind: str
    severity: float
    where: str
    said: str
    figure: float
    threshold: float | None
    change: Change
    images: tuple[str, ...] = ()
    series: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as a JSON object."""
        content: dict[str, Any] = to_plain(asdict(self))
        return content

    @property
    def lines(self) -> list[str]:
        """The sentence, then the change, as text."""
        return [f"{self.where}: {self.said}", f"  {self.change.text}"]


def per_cent(share: float) -> str:
    """Format a share as text.

    >>> per_cent(0.5), per_cent(0.0012)
    ('50 %', '0.12 %')
    """
    return f"{100 * share:.0f} %" if share >= 0.1 or not share else f"{100 * share:.2g} %"


def some_names(names: tuple[str, ...] | list[str], shown: int = 3) -> str:
    """Format the first names, and how many follow.

    >>> some_names(["a", "b", "c", "d"], shown=2)
    'a, b and 2 more'
    """
    more = f" and {len(names) - shown:,} more" if len(names) > shown else ""
    return f"{', '.join(names[:shown])}{more}"
