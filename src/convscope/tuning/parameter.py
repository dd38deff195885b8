"""A parameter of the search space: a setting of the recipe with a range or a list of values."""

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from convscope.errors import ConfigError

Value = int | float | str | bool
Kind = Literal["int", "float", "choice"]


@dataclass(frozen=True)
class Parameter:
    """One setting of the recipe and the values to try.

    Attributes:
        name: the setting, like "train.batch"; "model.options.filters[0]" is the first number of a list.
        kind: whole numbers, real numbers or choices.
        low: the smallest number.
        high: the greatest number.
        log: whether equal ratios, not equal differences, are equally likely.
        choices: the values of a choice.
        start: a good first value, None where there is none.
        when: the parameter applies only where this one, by name, has one of these values.
        label: a short name for tables.
    """

    name: str
    kind: Kind
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    choices: tuple[Value, ...] = ()
    start: Value | None = None
    when: tuple[str, tuple[Value, ...]] | None = None
    label: str = ""

    @property
    def title(self) -> str:
        """The label, or the last part of the name."""
        return self.label or self.name.rpartition(".")[2]

    @property
    def values(self) -> str:
        """The range or the choices as text, as `--search` accepts them."""
        if self.kind == "choice":
            return ",".join(as_text(value) for value in self.choices)
        return f"{as_text(self.low)}:{as_text(self.high)}"

    def applies(self, values: Mapping[str, Value]) -> bool:
        """Whether the parameter has a meaning where others have these values; those that do not apply are absent."""
        return self.when is None or (self.when[0] in values and values[self.when[0]] in self.when[1])

    def contains(self, value: object) -> bool:
        """Whether a value is in the range or among the choices."""
        if self.kind == "choice":
            return value in self.choices
        return isinstance(value, int | float) and not isinstance(value, bool) and self.low <= value <= self.high

    def at(self, fraction: float) -> Value:
        """Return the value at a fraction, from 0 to 1, of the range or of the choices."""
        if self.kind == "choice":
            return self.choices[min(int(fraction * len(self.choices)), len(self.choices) - 1)]
        if self.log:
            number = math.exp(math.log(self.low) + fraction * (math.log(self.high) - math.log(self.low)))
        else:
            number = self.low + fraction * (self.high - self.low)
        return round(number) if self.kind == "int" else number

    def fraction(self, value: Value) -> float:
        """Return the position of a value in the range or among the choices, from 0 to 1."""
        if self.kind == "choice":
            return self.choices.index(value) / max(1, len(self.choices) - 1) if value in self.choices else 0.0
        scale = math.log if self.log else float
        low, high, here = scale(self.low), scale(self.high), scale(float(value))
        return float(np.clip((here - low) / (high - low), 0, 1)) if high > low else 0.0

    def to_json(self) -> dict[str, Any]:
        """Return plain data for the log."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Parameter":
        """Return the parameter that `to_json` described."""
        when = content["when"]
        fixed = {"choices": tuple(content["choices"]), "when": (when[0], tuple(when[1])) if when else None}
        return cls(**{**content, **fixed})


def parse_parameter(name: str, text: str, source: str) -> Parameter:
    """Parse ``LOW:HIGH`` or ``A,B,C``; a range of whole numbers gives whole numbers, one that spans a decade ratios.

    Args:
        name: the setting.
        text: the range or the list.
        source: where it was given, for messages.

    Raises:
        ConfigError: it is neither, or the range is empty.

    >>> parse_parameter("train.batch", "16:256", "--search").log
    True
    """
    if "," in text or ":" not in text:
        choices = tuple(_value(part.strip()) for part in text.split(",") if part.strip())
        if len(choices) < 2:
            raise ConfigError(f"{source}: {name} has one value, {text!r}; give LOW:HIGH or at least two values A,B,C")
        return Parameter(name, "choice", choices=choices)
    low, _, high = text.partition(":")
    first, last = _value(low.strip()), _value(high.strip())
    if not all(isinstance(end, int | float) and not isinstance(end, bool) for end in (first, last)):
        raise ConfigError(f"{source}: {name} is {text!r}, but a range has two numbers; write it like 16:256")
    return between(name, first, last, source)  # type: ignore[arg-type]


def between(name: str, low: float, high: float, source: str) -> Parameter:
    """Return a parameter with a range.

    Raises:
        ConfigError: the range is empty.
    """
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ConfigError(f"{source}: {name} is from {low:g} to {high:g}; give the smaller number first")
    whole = isinstance(low, int) and isinstance(high, int)
    return Parameter(name, "int" if whole else "float", low, high, log=low > 0 and high >= 10 * low)


def as_text(value: object) -> str:
    """Return a value as text, with four significant digits."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _value(text: str) -> Value:
    if text in ("true", "false"):
        return text == "true"
    if re.fullmatch(r"[+-]?\d+", text):
        return int(text)
    try:
        return float(text)
    except ValueError:
        return text
