"""The search space: parameters in order of importance, and how values become settings of the recipe."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from convscope.errors import ConfigError
from convscope.runs.overrides import nest
from convscope.training.optimisers import DEFAULT_RATES
from convscope.tuning.parameter import Parameter, Value

RATE = "optimiser.rate"
"""A factor of the optimiser's usual learning rate, so that one parameter fits all optimisers."""
ELEMENT = re.compile(r"(.+)\[(\d+)\]")
UNITS = "model.options.widths"
HIDDEN = "hidden layers"
"""How many hidden fully connected layers the head has; not a setting, the units of the layers are."""
STAGES = "stages"
"""The number of stages, which is the length of the list of filters."""
FILTERS = (4, 1024)  # per layer, of which 64 or 128 are a good start
START = 64


@dataclass(frozen=True)
class Space:
    """Parameters to search, and settings that all trials share.

    Attributes:
        parameters: in the order in which they matter.
        fixed: settings by dotted name, such as the network's name.
    """

    parameters: tuple[Parameter, ...]
    fixed: Mapping[str, Any]

    def __getitem__(self, name: str) -> Parameter:
        """Return a parameter by its name."""
        return next(one for one in self.parameters if one.name == name)

    def __contains__(self, name: object) -> bool:
        """Whether there is a parameter of that name."""
        return any(one.name == name for one in self.parameters)

    def start(self) -> dict[str, Value]:
        """Return the first values to try, of all parameters that have such a value."""
        values: dict[str, Value] = {}
        for one in self.parameters:
            if one.applies(values):
                values[one.name] = one.at(0.5) if one.start is None else one.start
        return values

    def sample(self, random: np.random.Generator) -> dict[str, Value]:
        """Return values drawn uniformly."""
        values: dict[str, Value] = {}
        for one in self.parameters:
            if one.applies(values):
                values[one.name] = one.at(float(random.random()))
        return values

    def settings(self, values: Mapping[str, Value]) -> dict[str, Any]:
        """Return the nested settings of the recipe for these values."""
        return nest(self.dotted(values))

    def dotted(self, values: Mapping[str, Value]) -> dict[str, Any]:
        """Return the settings by dotted name; numbers of one list are joined."""
        settings: dict[str, Any] = dict(self.fixed)
        lists: dict[str, dict[int, Value]] = {}
        for name, value in values.items():
            if match := ELEMENT.fullmatch(name):
                lists.setdefault(match[1], {})[int(match[2])] = value
            elif name not in (HIDDEN, STAGES, RATE):
                settings[name] = value
        for name, numbers in lists.items():
            settings[name] = [numbers[index] for index in sorted(numbers)]
        if RATE in values:
            optimiser = settings.get("optimiser.name", "sgd")
            settings["optimiser.learning_rate"] = float(f"{float(values[RATE]) * DEFAULT_RATES[optimiser]:.6g}")
        if values.get(HIDDEN) == 0:
            settings[UNITS] = []
        return settings

    def narrowed(self, given: Sequence[Parameter]) -> "Space":
        """Return the space with these ranges and lists instead of its own; those of other settings are added first.

        A parameter without a range stays as it was.
        """
        chosen = {one.name: one for one in given}
        own = [replace(chosen.pop(one.name), when=one.when, label=one.label, start=_start(one, given)) if one.name in chosen else one for one in self.parameters]  # fmt: skip  # noqa: E501
        fixed = {name: value for name, value in self.fixed.items() if name not in chosen}
        return Space((*chosen.values(), *own), fixed)

    def first(self, count: int, kept: Sequence[str] = ()) -> "Space":
        """Return the space with its first `count` parameters, and those named in `kept`, which the user gave."""
        names = [one.name for one in self.parameters][:count]
        whole = {*names, *kept}
        for one in self.parameters:  # what a conditional parameter depends on
            if one.name in whole and one.when:
                whole.add(one.when[0])
        return Space(tuple(one for one in self.parameters if one.name in whole), self.fixed)


def _start(own: Parameter, given: Sequence[Parameter]) -> Value | None:
    chosen = next(one for one in given if one.name == own.name)
    return own.start if own.start is not None and chosen.contains(own.start) else None


def parameters_for(name: str, side: int, batch: int) -> tuple[Parameter, ...]:
    """Return the parameters of a network and its training: filters and units first, then rate, layers and the others.

    Args:
        name: the network.
        side: the smaller side of the input, in pixels, which limits the number of stages.
        batch: the default batch size.

    Raises:
        ConfigError: the network has no option for its width.
    """
    rate, *rest = _training(batch)
    return (*_filters(name, side), *_units(), rate, *_layers(name), *_components(), *rest)


def _filters(name: str, side: int) -> tuple[Parameter, ...]:
    low, high = FILTERS
    if name == "plain":
        deepest = max(2, min(5, int(np.log2(max(side, 4))) - 1))
        number = Parameter(STAGES, "int", 2, deepest, start=min(3, deepest), label="stages")
        filters = [
            Parameter(
                f"model.options.filters[{index}]", "int", low, high, log=True, start=START,
                when=(STAGES, tuple(range(index + 1, deepest + 1))) if index > 1 else None, label=f"filters{index + 1}",
            )
            for index in range(deepest)
        ]  # fmt: skip
        return (*filters[:2], number, *filters[2:]) if deepest > 2 else tuple(filters)
    lists = {"lenet": ("filters", 2), "airbench": ("stages", 3)}
    if name in lists:
        option, length = lists[name]
        return tuple(
            Parameter(f"model.options.{option}[{i}]", "int", low, high, log=True, start=START, label=f"filters{i + 1}")
            for i in range(length)
        )
    if "resnet" in name or name.startswith(("vgg", "unet", "segnet", "full_resolution")):
        return (Parameter("model.options.width", "int", low, 256, log=True, start=32, label="filters"),)
    if name.startswith(("mobilenet", "efficientnet")):
        return (Parameter("model.options.multiplier", "float", 0.25, 1.5, start=1.0, label="filters x"),)
    raise ConfigError(
        f"model.name is {name}, whose width cannot be searched; choose plain, lenet, airbench, a resnet or a vgg, "
        "or give the parameters with --search NAME=LOW:HIGH"
    )


def _units() -> tuple[Parameter, ...]:
    low, high = FILTERS
    return (
        Parameter(HIDDEN, "int", 0, 2, start=1, label="hidden layers"),
        Parameter(f"{UNITS}[0]", "int", low, high, log=True, start=START, when=(HIDDEN, (1, 2)), label="units1"),
        Parameter(f"{UNITS}[1]", "int", low, high, log=True, start=START, when=(HIDDEN, (2,)), label="units2"),
    )


def _layers(name: str) -> tuple[Parameter, ...]:
    if name != "plain":
        return ()
    return (
        Parameter("model.options.depth", "int", 1, 3, start=1, label="layers per stage"),
        Parameter("model.options.kernel", "choice", choices=(3, 5, 7), start=3, label="kernel"),
    )


def _components() -> tuple[Parameter, ...]:
    return (
        Parameter(
            "model.options.activation", "choice", choices=("relu", "gelu", "leaky:0.1", "tanh"), start="relu",
            label="activation",
        ),
        Parameter("model.options.norm", "choice", choices=("batch", "none"), start="batch", label="norm"),
        Parameter("model.options.dropout", "float", 0.0, 0.5, start=0.0, label="dropout"),
    )  # fmt: skip


def _training(batch: int) -> tuple[Parameter, ...]:
    batches = tuple(sorted({max(8, batch // 2), batch, 2 * batch}))
    return (
        Parameter(RATE, "float", 0.1, 10.0, log=True, start=1.0, label="rate x"),
        Parameter("optimiser.name", "choice", choices=("muon", "adamw", "sgd"), start="muon", label="optimiser"),
        Parameter("optimiser.weight_decay", "float", 1e-5, 0.1, log=True, start=0.01, label="weight decay"),
        Parameter("train.batch", "choice", choices=batches, start=batch, label="batch"),
    )


def resolution_parameter(size: tuple[int, int], spatial: bool) -> tuple[Parameter, ...]:
    """Return the input side as a parameter, where images are square and larger than 64 pixels.

    Args:
        size: (H, W) of the input by default.
        spatial: whether the targets have positions, such as masks; then there is none.
    """
    if size[0] != size[1] or size[0] <= 64 or spatial:
        return ()
    sides = tuple(16 * round(size[0] * scale / 16) for scale in (0.5, 0.75, 1.0))
    return (Parameter("data.size", "choice", choices=sides, start=sides[-1], label="resolution"),)
