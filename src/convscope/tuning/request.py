"""What the user asks of a search."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from convscope.durations import parse_seconds
from convscope.errors import ConfigError

DEFAULT_BUDGET = 600.0


@dataclass(frozen=True)
class SearchRequest:
    """The limits of a search, and the ranges that the user gives.

    Attributes:
        budget: seconds of the whole search; None: not limited.
        trials: number of networks to try; None: as many as there is time for.
        jobs: processes.
        ranges: by setting, like {"model.options.width": "16:256"}.
    """

    budget: float | None = None
    trials: int | None = None
    jobs: int = 1
    ranges: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, budget: float | str | None, trials: int | None, jobs: int, ranges: Mapping[str, str], source: str
    ) -> "SearchRequest":
        """Check what the user gives; without a limit, the budget is 10 minutes.

        Args:
            budget: seconds, or like "10m".
            trials: number of networks.
            jobs: processes.
            ranges: by setting.
            source: where the budget was given, for messages.

        Raises:
            ConfigError: a value is invalid.
        """
        try:
            seconds = parse_seconds(budget) if isinstance(budget, str) else budget
        except ValueError as error:
            raise ConfigError(f"{source}: {budget!r} is not a duration; {error}") from None
        if seconds is not None and seconds <= 0:
            raise ConfigError(f"{source}: {budget} leaves no time; give a duration like 10m")
        for name, number in (("trials", trials), ("jobs", jobs)):
            if number is not None and number < 1:
                raise ConfigError(f"{name}: {number} is too few; give at least 1")
        if seconds is None and trials is None:
            seconds = DEFAULT_BUDGET
        return cls(seconds, trials, jobs, ranges)
