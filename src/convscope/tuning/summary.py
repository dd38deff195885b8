"""What a search found: the table of the best networks, and sentences on what the figures mean."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from convscope.durations import format_seconds
from convscope.energy import two_digits
from convscope.runs.folder import RunFolder
from convscope.tasks import TASKS, Task
from convscope.tuning.folder import DEFAULT, WINNER, SearchFolder
from convscope.tuning.importance import Importance, sentence
from convscope.tuning.parameter import Value, as_text
from convscope.tuning.plan import SearchPlan
from convscope.tuning.selection_bias import NestedEstimate
from convscope.tuning.space import ELEMENT, FILTERS, HIDDEN, STAGES, UNITS, Space
from convscope.tuning.study import Study, Trial

SHOWN = 10  # rows of the table
LISTED = {FILTERS: "filters", "model.options.stages": "filters"}
"""Lists that the table shows as one column, like 64/96/128."""
IMPLIED = (HIDDEN, STAGES)
"""Parameters that the table does not show: they are the lengths of lists that it does show."""


@dataclass(frozen=True, eq=False)
class SearchSummary:
    """A search, read from its folder.

    Attributes:
        folder: of the search.
        study: all trials.
        plan: of the search.
        task_class: of the data.
        importances: of the parameters, the greatest first; empty below 20 trials.
        nested: the estimate of the best trial's score on new images; None where the task has none.
    """

    folder: SearchFolder
    study: Study
    plan: SearchPlan
    task_class: type[Task]
    importances: tuple[Importance, ...]
    nested: NestedEstimate | None

    @classmethod
    def read(cls, folder: SearchFolder) -> "SearchSummary":
        """Return the summary of the search in a folder."""
        study = Study(folder.log().refresh())
        plan = SearchPlan.from_json(study.header["plan"])
        analysis = study.analysis
        nested = analysis.get("nested")
        return cls(
            folder, study, plan, TASKS[plan.base.task],
            tuple(Importance(**one) for one in analysis.get("importances", ())),
            NestedEstimate(**nested) if nested else None,
        )  # fmt: skip

    def headings(self) -> tuple[str, ...]:
        """Return the headings of the table: filters and units first, then the other parameters, score and time."""
        return (
            "trial",
            *columns(self.plan.space),
            "parameters",
            "epochs",
            f"validation {self.task_class.primary}",
            "time",
            "energy",
        )

    def rows(self, most: int = SHOWN) -> list[tuple[str, ...]]:
        """Return the best trials, the best first."""
        return [self._row(one) for one in self.study.ranked()[:most]]

    def _row(self, one: Trial) -> tuple[str, ...]:
        assert one.result is not None  # it is ranked
        cells = cells_of(self.plan.space, one.values)
        shown = [cells.get(name, "") for name in columns(self.plan.space)]
        score = self.task_class.format_score(one.result.score)
        return (
            str(one.number), *shown, f"{one.num_parameters:,}", str(one.result.epochs), score,
            format_seconds(one.seconds), self._energy(one.number),
        )  # fmt: skip

    def _energy(self, number: int) -> str:
        """Return the energy of a trial, "" where its record is gone."""
        trial = RunFolder(self.folder.trial(number))
        energy = trial.environment().get("energy") if trial.environment_file.exists() else None
        return f"{two_digits(energy['wh'])} Wh" if energy else ""

    def sentences(self) -> list[str]:
        """Return what the search found, one sentence each."""
        found = (self._trials(), self._winner(), self._default(), self._flattery(), self._rival(), self._mattered())
        return [one for one in (*found, self._test()) if one]

    def _trials(self) -> str:
        study, epochs = self.study, self.plan.rungs.epochs
        counts = [len(study.reached.get(rung, ())) for rung in range(len(epochs))]
        reached = ", ".join(f"{count} to epoch {epoch}" for count, epoch in zip(counts, epochs, strict=True))
        stopped = sum(bool(one.stopped) for one in study.trials.values())
        more = f"; {stopped} stopped, because they did not learn" if stopped else ""
        share = self.plan.rungs.share
        images = f" on {100 * share:.0f} % of the training images" if share < 1 else ""
        count = len(study.trials)
        tried = "1 network was" if count == 1 else f"{count} networks were"
        return f"{tried} tried{images}: {reached} were trained{more}."

    def _winner(self) -> str:
        number, training = self.study.winner, self.study.trainings.get(WINNER)
        if number is None or training is None:
            return ""
        cells = cells_of(self.plan.space, self.study.trials[number].values)
        values = ", ".join(f"{name} {value}" for name, value in cells.items())
        reached = f"its validation {self.task_class.primary} is {self.task_class.format_score(training.score)}"
        epochs = f"{training.epochs} epoch{'s' * (training.epochs != 1)} in {format_seconds(training.seconds)}"
        if training.instead_of:
            return (
                f"The winner is trial {number} ({values}), with the weights of the trial, because "
                f"{training.instead_of}: {epochs}, and {reached}."
            )
        return f"The winner is trial {number} ({values}). Trained in full, {epochs}, {reached}."

    def _default(self) -> str:
        training = self.study.trainings.get(DEFAULT)
        if training is None:
            return ""
        name = RunFolder(self.folder.default).recipe().model.name
        return (
            f"The default recipe ({name}, {training.num_parameters:,} parameters), with as much time for its training "
            f"as the winner, reaches {self.task_class.format_score(training.score)}: {training.epochs} epochs in "
            f"{format_seconds(training.seconds)}."
        )

    def _flattery(self) -> str:
        nested, score = self.nested, self.task_class.format_score
        if nested is None:
            return ""
        return (
            f"Choosing among {nested.trials} trials by {nested.images:,} validation images flatters the best one: "
            f"{score(nested.chosen)} as a trial, {score(nested.estimate)} by a nested estimate (95 % interval "
            f"{score(nested.low)} to {score(nested.high)}), a difference of {score(nested.flattery)}. "
            "The winner's score above is flattered in the same way."
        )

    def _rival(self) -> str:
        first = {one.number: one.results[0].first for one in self.study.completed() if 0 in one.results}
        if not first:
            return ""
        rival = max(first, key=lambda number: (first[number], -number))
        result = self.study.trials[rival].result
        assert result is not None  # it completed a rung
        return (
            f"Keeping only the best network after one epoch would have chosen trial {rival}, which reached "
            f"{self.task_class.format_score(result.score)} in {result.epochs} epochs, and have spent "
            f"{format_seconds(self._first_epochs())} on choosing it, where this search spent "
            f"{format_seconds(sum(one.seconds for one in self.study.trials.values()))}."
        )

    def _first_epochs(self) -> float:
        return sum(one.results[0].seconds / one.results[0].epochs for one in self.study.completed() if 0 in one.results)

    def _mattered(self) -> str:
        rung_trials = max((len(one) for one in self.study.reached.values()), default=0)
        return sentence(self.importances, rung_trials)

    def _test(self) -> str:
        if WINNER not in self.study.trainings:
            return ""
        return (
            "The test images were not used: a score that no choice flatters is that of "
            f"convscope evaluate {self.folder.winner} --split test"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "folder": str(self.folder.path),
            "primary": self.task_class.primary,
            "winner": self.study.winner,
            "trainings": {what: vars(one) for what, one in self.study.trainings.items()},
            "trials": [trial_fields(one, self.plan.space) for one in self.study.ranked()],
            "importances": [vars(one) for one in self.importances],
            "nested": vars(self.nested) if self.nested else None,
            "sentences": self.sentences(),
        }


def trial_fields(one: Trial, space: Space) -> dict[str, Any]:
    """Return a trial as plain data."""
    result = one.result
    return {
        "number": one.number,
        "values": space.active(one.values),
        "num_parameters": one.num_parameters,
        "macs": one.macs,
        "epochs": result.epochs if result else 0,
        "score": result.score if result else None,
        "loss": result.loss if result else None,
        "seconds": round(one.seconds, 3),
        "stopped": one.stopped,
    }


def columns(space: Space) -> list[str]:
    """Return the names of the columns for the parameters of a space."""
    names = dict.fromkeys(_column(one.name, one.title) for one in space.parameters if one.name not in IMPLIED)
    return list(names)


def cells_of(space: Space, values: Mapping[str, Value]) -> dict[str, str]:
    """Return the values that apply as text, by column."""
    cells: dict[str, str] = {}
    for name, value in space.active(values).items():
        if name in IMPLIED:
            continue
        column = _column(name, space[name].title)
        before = f"{cells[column]}/" if column in cells else ""
        cells[column] = before + as_text(value)
    return cells


def _column(name: str, title: str) -> str:
    match = ELEMENT.fullmatch(name)
    if match is None or match[1] == UNITS:
        return title
    return LISTED.get(match[1], match[1].rpartition(".")[2])
