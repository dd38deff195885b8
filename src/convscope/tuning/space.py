"""The search space: parameters in order of importance, and how their values become settings of the recipe."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from convscope.runs.overrides import nest
from convscope.training.optimisers import DEFAULT_RATES
from convscope.tuning.parameter import Parameter, Value

RATE, LEARNING_RATE = "optimiser.rate", "optimiser.learning_rate"
"""`RATE` is a factor of the optimiser's usual learning rate, so that one range fits all optimisers."""
HIDDEN, UNITS = "hidden layers", "model.options.widths"
"""How many hidden fully connected layers the head has; it is the length of the list of their units."""
STAGES, FILTERS = "stages", "model.options.filters"
"""The number of stages, which is the length of the list of filters."""
SMALLER = 0.7  # of the way from the start of a range
ELEMENT = re.compile(r"(.+)\[(\d+)\]")
SETS = {RATE: LEARNING_RATE, HIDDEN: UNITS, STAGES: FILTERS}
"""The settings that parameters which are no settings themselves change."""


@dataclass(frozen=True)
class Space:
    """Parameters to search, and settings that all trials share.

    Attributes:
        parameters: in the order in which they matter; one that depends on another comes after it.
        fixed: settings by dotted name, such as the network's name.
    """

    parameters: tuple[Parameter, ...]
    fixed: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Parameter:
        """Return a parameter by its name."""
        return next(one for one in self.parameters if one.name == name)

    def __contains__(self, name: object) -> bool:
        """Whether there is a parameter of that name."""
        return any(one.name == name for one in self.parameters)

    def start(self) -> dict[str, Value]:
        """Return the first values to try: the usual ones, else the middle of the range."""
        return {one.name: one.at(0.5) if one.start is None else one.start for one in self.parameters}

    def sample(self, random: np.random.Generator) -> dict[str, Value]:
        """Return values of all parameters, drawn uniformly."""
        return {one.name: one.at(float(random.random())) for one in self.parameters}

    def smaller(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """Return the values with all whole numbers, such as filters, nearer to the start of their range."""
        return {
            one.name: one.at(SMALLER * one.fraction(values[one.name])) if one.kind == "int" else values[one.name]
            for one in self.parameters
        }

    def active(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """Return the values of the parameters that apply, in their order."""
        chosen: dict[str, Value] = {}
        for one in self.parameters:
            if one.name in values and one.applies(chosen):
                chosen[one.name] = values[one.name]
        return chosen

    def settings(self, values: Mapping[str, Value]) -> dict[str, Any]:
        """Return the nested settings of the recipe for these values."""
        return nest(self.dotted(values))

    def dotted(self, values: Mapping[str, Value]) -> dict[str, Any]:
        """Return the settings by dotted name; numbers of one list are joined."""
        active = self.active(values)
        settings: dict[str, Any] = dict(self.fixed)
        lists: dict[str, dict[int, Value]] = {UNITS: {}} if HIDDEN in active else {}
        for name, value in active.items():
            if match := ELEMENT.fullmatch(name):
                lists.setdefault(match[1], {})[int(match[2])] = value
            elif name not in SETS:
                settings[name] = value
        settings |= {name: [numbers[index] for index in sorted(numbers)] for name, numbers in lists.items()}
        optimiser = settings.get("optimiser.name")
        if RATE in active and optimiser:
            rate = float(active[RATE]) * DEFAULT_RATES[str(optimiser)]
            settings[LEARNING_RATE] = float(f"{rate:.4g}")
        if optimiser == "sgd":
            settings.setdefault("optimiser.nesterov", True)
        return settings

    def narrowed(self, given: Sequence[Parameter]) -> "Space":
        """Return the space with these ranges instead of its own; those of other settings are added first.

        A range given for a list, like the filters, replaces that of each of its numbers.
        """
        own, used = [], set()
        for one in self.parameters:
            chosen = next((new for new in given if new.name in (one.name, _list_of(one))), None)
            if chosen is None:
                own.append(one)
                continue
            used.add(chosen.name)
            start = one.start if one.start is not None and chosen.contains(one.start) else None
            own.append(replace(chosen, name=one.name, when=one.when, label=one.label, start=start))
        added = tuple(new for new in given if new.name not in used)
        replaced = {new.name for new in given}
        kept = (one for one in own if not (one.name == RATE and LEARNING_RATE in replaced))
        return Space((*added, *kept), {name: value for name, value in self.fixed.items() if name not in replaced})

    def without(self, names: Sequence[str]) -> "Space":
        """Return the space without the parameters that would change these settings, which the user sets."""
        gone = {one.name for one in self.parameters if any(_inside(_setting_of(one), name) for name in names)}
        kept = tuple(one for one in self.parameters if one.name not in gone and not (one.when and one.when[0] in gone))
        return Space(kept, {name: value for name, value in self.fixed.items() if name not in names})

    def first(self, count: int, kept: Sequence[str] = ()) -> "Space":
        """Return the space with its first `count` parameters, and those named in `kept`; others have their start.

        Numbers that belong to one list count as one parameter.
        """
        groups = list(dict.fromkeys(_list_of(one) for one in self.parameters))[:count]
        whole = {one.name for one in self.parameters if _list_of(one) in groups} | set(kept)
        whole |= {one.when[0] for one in self.parameters if one.name in whole and one.when}
        chosen = tuple(one for one in self.parameters if one.name in whole)
        start = {one.name: one.start for one in self.parameters if one.name not in whole and one.start is not None}
        usual = {name: value for name, value in start.items() if name not in SETS and not ELEMENT.fullmatch(name)}
        return Space(chosen, {**usual, **self.fixed})


def _list_of(one: Parameter) -> str:
    match = ELEMENT.fullmatch(one.name)
    return match[1] if match else one.name


def _setting_of(one: Parameter) -> str:
    return SETS.get(one.name, _list_of(one))


def _inside(name: str, other: str) -> bool:
    return f"{name}.".startswith(f"{other}.")
