"""Make the change that a finding proposes, train again, and compare."""

from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from convscope.api.diagnose import diagnose
from convscope.diagnosis.diagnosis import Diagnosis
from convscope.diagnosis.finding import Finding
from convscope.errors import RunError
from convscope.pipeline import training
from convscope.runs.events import Event
from convscope.runs.folder import RunFolder
from convscope.runs.overrides import Overrides, lay, nest
from convscope.runs.predictions import SplitPredictions, load_predictions
from convscope.runs.recipe_file import as_overrides
from convscope.tasks import Interval


@dataclass(frozen=True)
class Fix:
    """A change and what came of it.

    Attributes:
        run: the folder of the new run.
        finding: whose change was made.
        before: the primary validation score of the run; None if its training failed.
        after: that of the new run.
        gain: the difference with its 95 % interval, on the same images; None where it has none.
        primary: the name of the score.
    """

    run: Path
    finding: Finding
    before: float | None
    after: float
    gain: Interval | None
    primary: str

    @property
    def helped(self) -> bool | None:
        """Whether the score is higher beyond chance; None where the interval contains 0 or there is none."""
        if self.before is None:
            return True
        if self.gain is None or self.gain.low <= 0 <= self.gain.high:
            return None
        return self.gain.low > 0

    def to_dict(self) -> dict[str, Any]:
        """Return the fix as a JSON object."""
        interval = None if self.gain is None else [self.gain.low, self.gain.high]
        return {
            "run": str(self.run), "kind": self.finding.kind, "settings": dict(self.finding.change.settings),
            "primary": self.primary, "before": self.before, "after": self.after, "gain_interval": interval,
            "helped": self.helped,
        }  # fmt: skip

    def lines(self) -> list[str]:
        """Return what was changed, the scores, and whether it helped, as text."""
        settings = " ".join(f"--set {name}={_as_flag(value)}" for name, value in self.finding.change.settings.items())
        verdict = {True: "it helped", False: "it did harm", None: "the difference may be chance"}[self.helped]
        if self.before is None:
            scores = f"validation {self.primary} {self.after:.4f}, where training had failed"
        else:
            scores = f"validation {self.primary} {self.before:.4f} before, {self.after:.4f} after"
        if self.gain is not None:
            scores += f" (95 % interval of the gain {self.gain.low:+.4f} to {self.gain.high:+.4f})"
        return [f"fix of {self.finding.kind}: {settings}", f"{scores}: {verdict}", f"run: {self.run}"]


def fix(
    run: str | PathLike[str],
    *,
    kind: str | None = None,
    diagnosis: Diagnosis | None = None,
    out: str | Path | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> Fix:
    """Make the change of the worst finding that has settings, train again, and compare the validation scores.

    The new run has the recipe of the old one but for these settings, and the same split. Nothing is changed in the
    old run or in the data: changes of files are yours to make.

    Args:
        run: a run or its folder.
        kind: of the finding to fix; by default the worst one.
        diagnosis: of the run, if it is known already.
        out: the new run's folder; by default RUN-fix-1, -2 ...
        on_event: called with the events of the training.

    Raises:
        RunError: no such finding, or none whose change is a setting.
    """
    folder = RunFolder.open(Path(run).expanduser())
    found = (diagnosis or diagnose(folder.path)).findings
    wanted = [one for one in found if one.change.settings and kind in (None, one.kind)]
    if not wanted:
        kinds = ", ".join(one.kind for one in found) or "nothing"
        raise RunError(
            f"{folder.path}: no finding{f' {kind}' if kind else ''} that a setting can fix (found: {kinds}); "
            "make the change that convscope diagnose proposes"
        )
    finding = wanted[0]
    changed = Overrides.of(nest(dict(finding.change.settings)), f"fix of {finding.kind}")
    path = Path(out) if out is not None else _next_path(folder.path)
    for event in training(folder.data()["source"], path, lay(as_overrides(folder.recipe_file), changed)):
        if on_event:
            on_event(event)
    return _compared(folder, RunFolder.open(path), finding)


def _compared(old: RunFolder, new: RunFolder, finding: Finding) -> Fix:
    primary = new.recipe().task_class.primary
    after = load_predictions(new, "validation")
    before: SplitPredictions | None = load_predictions(old, "validation") if old.has_predictions("validation") else None
    gain = None
    if before is not None and before.names == after.names:
        gain = after.task.paired_gain(before.meter, after.meter)
    score = None if before is None else before.meter.scores()[primary]
    return Fix(new.path, finding, score, after.meter.scores()[primary], gain, primary)


def _next_path(run: Path) -> Path:
    number = 1
    while (path := run.with_name(f"{run.name}-fix-{number}")).exists():
        number += 1
    return path


def _as_flag(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
