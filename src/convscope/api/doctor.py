"""The state of the installation: what is there, what is missing for which command, and the caches."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from convscope.installation import (
    Cache,
    Check,
    check_extras,
    check_gpu,
    check_processor,
    check_python,
    check_requirements,
    check_torchvision,
    clear_caches,
    find_caches,
)
from convscope.tables import html_notes, html_table, text_table

HEADINGS = ("check", "state", "found")


@dataclass(frozen=True, repr=False)
class Installation:
    """What is installed on this machine.

    Attributes:
        checks: of Python, processor, GPU, packages, torchvision and extras, in this order.
        caches: the caches, after cleaning.
        cleaned: the caches that were emptied, with what they held.
    """

    checks: tuple[Check, ...]
    caches: tuple[Cache, ...]
    cleaned: tuple[Cache, ...] = ()

    @property
    def problems(self) -> list[Check]:
        """The checks that found what keeps a command from working."""
        return [check for check in self.checks if check.state == "problem"]

    @staticmethod
    def headings() -> tuple[str, ...]:
        """Return the headings of `rows`."""
        return HEADINGS

    def rows(self) -> list[tuple[str, ...]]:
        """Return one row per check and cache, for a table with `headings`."""
        checks: list[tuple[str, ...]] = [(check.name, check.state, check.found) for check in self.checks]
        return checks + [(f"cache {held.name}", "ok", _described(held)) for held in self.caches]

    def remedies(self) -> list[str]:
        """Return one sentence per check that names something to do, problems first."""
        first = sorted(self.checks, key=lambda check: check.state != "problem")
        return [f"{check.name}: {check.remedy}" for check in first if check.remedy]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as one object for JSON."""
        return {
            "ok": not self.problems,
            "checks": [asdict(check) for check in self.checks],
            "caches": [{**asdict(held), "folder": str(held.folder)} for held in self.caches],
            "cleaned": [{"name": held.name, "entries": held.entries, "size": held.size} for held in self.cleaned],
        }

    def __repr__(self) -> str:
        return "\n".join([text_table(HEADINGS, self.rows()), *self.remedies()])

    def _repr_html_(self) -> str:
        return html_table(HEADINGS, self.rows()) + html_notes(self.remedies())


def doctor(*, clean: Sequence[str] = ()) -> Installation:
    """Check the installation: packages, extras with the commands that need them, processor, GPU and caches.

    Args:
        clean: caches to empty: "images" (decoded images, features, unpacked archives), "weights" (downloads).

    Returns:
        The checks and the caches. Nothing is downloaded or installed.

    Raises:
        ConfigError: there is no such cache.
    """
    cleaned = clear_caches(clean)
    checks = [check_python(), check_processor(), check_gpu(), *check_requirements(), check_torchvision()]
    return Installation((*checks, *check_extras()), tuple(find_caches()), tuple(cleaned))


def _described(held: Cache) -> str:
    size = f"{held.size / 1e6:,.1f} MB in {held.entries} entr{'y' if held.entries == 1 else 'ies'}"
    return f"{size} at {held.folder}" + (f"; {held.remedy}" if held.remedy else "")
