"""All findings about data or a run, worst first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from convscope.diagnosis.finding import Finding

MOST_SHOWN = 5
RECORD_FORMAT = 1


@dataclass(frozen=True, repr=False)
class Diagnosis:
    """The findings about `subject`, a data source or a run's folder, worst first.

    `groups` are the groups of checks that ran: data, learning, mistakes.
    """

    subject: str
    groups: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def shown(self) -> tuple[Finding, ...]:
        """The findings to show: the worst five."""
        return self.findings[:MOST_SHOWN]

    def to_dict(self) -> dict[str, Any]:
        """Return all findings as a JSON object."""
        return {
            "format": RECORD_FORMAT,
            "subject": self.subject,
            "checks": list(self.groups),
            "findings": [finding.to_dict() for finding in self.findings],
        }

    def lines(self) -> list[str]:
        """Return the findings as lines of text; a line in their place where there are none."""
        if not self.findings:
            return [f"{self.subject}: the checks of {', '.join(self.groups)} found nothing wrong"]
        lines = []
        for number, finding in enumerate(self.shown, 1):
            said, change = finding.lines
            lines += [f"{number}. {said}", f"   {change.strip()}  [{finding.kind}]"]
        if more := len(self.findings) - MOST_SHOWN:
            lines += [f"{more} more with --json"] if more > 0 else []
        return lines

    def __repr__(self) -> str:
        """The lines that ``convscope diagnose`` prints."""
        return "\n".join(["Diagnosis", *self.lines()])


def diagnosis_of(subject: str, groups: Sequence[str], run: Callable[[str], list[Finding]]) -> Diagnosis:
    """Run groups of checks and sort what they find: by severity, then in the order of the checks."""
    found = [finding for group in groups for finding in run(group)]
    return Diagnosis(subject, tuple(groups), tuple(sorted(found, key=lambda finding: -finding.severity)))
