"""Layered settings: each value keeps the source that set it.

Later layers take precedence: defaults chosen from the data (`convscope.pipeline`), a ``recipe.toml``, ``--set``, flags.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from typing import Any

from convscope.errors import ConfigError

UNNAMED = "settings"  # the source of settings that have none


class Overrides(Mapping[str, Any]):
    """Nested settings, as a mapping, with the source of each value.

    Args:
        values: nested settings.
        sources: the source of each value by its dotted name; a name includes all settings below it.
    """

    def __init__(self, values: Mapping[str, Any], sources: Mapping[str, str]) -> None:
        self._values, self.sources = values, sources

    @classmethod
    def of(cls, values: Mapping[str, Any], source: str) -> "Overrides":
        """Return settings with one source."""
        return cls(values, dict.fromkeys(leaves(values), source))

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        """The settings as a dictionary."""
        return repr(dict(self._values))

    def over(self, below: "Overrides") -> "Overrides":
        """Return others overridden by these settings, as `override` does."""
        values = override(below, self)
        own = leaves(self)
        sources = {name: (self if name in own else below).source(name) for name in leaves(values)}
        return Overrides(values, sources)

    def names(self, dotted: str) -> bool:
        """Whether a setting, or one below it, is set here."""
        return any(f"{name}.".startswith(f"{dotted}.") for name in leaves(self))

    def source(self, dotted: str) -> str:
        """Return the source of a setting; of a table of settings, all its sources, each file once."""
        below = [source for name, source in self.sources.items() if f"{name}.".startswith(f"{dotted}.")]
        while dotted and not below:
            dotted = dotted.rpartition(".")[0]
            below = [self.sources[dotted]] if dotted in self.sources else []
        by_file = {source.partition(" line ")[0]: source for source in reversed(below)}
        return ", ".join(reversed(by_file.values())) or UNNAMED


def lay(*layers: Overrides) -> Overrides:
    """Merge layers; the last takes precedence."""
    return reduce(lambda below, above: above.over(below), layers)


def settings_from_flags(pairs: Iterable[str]) -> Overrides:
    """Parse the values of ``--set``, like ``["optimiser.learning_rate=0.1"]``: TOML, or a string without quotes.

    >>> settings_from_flags(["train.epochs=3", "model.name=lenet"])
    {'train': {'epochs': 3}, 'model': {'name': 'lenet'}}
    """
    settings: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise ConfigError(f"--set {pair}: '=' is missing; write it like --set optimiser.learning_rate=0.1")
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = text
        settings[name.strip()] = value
        sources |= dict.fromkeys(leaves(nest({name.strip(): value})), f"--set {pair}")
    return Overrides(nest(settings), sources)


def settings_from_options(options: Mapping[str, tuple[str, Any]]) -> Overrides:
    """Build settings from options like ``{"--epochs": ("train.epochs", 3)}``; None means not given.

    >>> settings_from_options({"--epochs": ("train.epochs", 3), "--seed": ("seed", None)})
    {'train': {'epochs': 3}}
    """
    given = {option: pair for option, pair in options.items() if pair[1] is not None}
    return Overrides(nest(dict(given.values())), {name: option for option, (name, _) in given.items()})


def nest(dotted: Mapping[str, Any]) -> dict[str, Any]:
    """Nest settings given by dotted names; values of None are omitted.

    >>> nest({"train.epochs": 3, "train.budget": None, "seed": 1})
    {'train': {'epochs': 3}, 'seed': 1}
    """
    settings: dict[str, Any] = {}
    for name, value in dotted.items():
        if value is not None:
            for word in reversed(name.split(".")):
                value = {word: value}
            settings = merge(settings, value)
    return settings


def leaves(settings: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Flatten nested settings to dotted names; an empty table is a value.

    >>> leaves({"train": {"epochs": 3}, "model": {"options": {}}})
    {'train.epochs': 3, 'model.options': {}}
    """
    found: dict[str, Any] = {}
    for name, value in settings.items():
        inside = isinstance(value, Mapping) and value
        found |= leaves(value, f"{before}{name}.") if inside else {f"{before}{name}": value}
    return found


def merge(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Merge nested dictionaries value by value; later layers take precedence."""
    merged: dict[str, Any] = {}
    for layer in layers:
        for name, value in layer.items():
            below = merged.get(name)
            merged[name] = merge(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return merged


def override(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Override settings by others; a section with another name, such as another optimiser, is replaced as a whole.

    >>> override({"optimiser": {"name": "sgd", "momentum": 0.5}}, {"optimiser": {"name": "sgd", "nesterov": True}})
    {'optimiser': {'name': 'sgd', 'momentum': 0.5, 'nesterov': True}}
    >>> override({"optimiser": {"name": "sgd", "momentum": 0.5}}, {"optimiser": {"name": "adam"}})
    {'optimiser': {'name': 'adam'}}
    """
    return merge({section: values for section, values in below.items() if not _replaced(section, values, above)}, above)


def _replaced(section: str, values: Any, above: Mapping[str, Any]) -> bool:
    chosen = above.get(section)
    if not isinstance(values, Mapping) or not isinstance(chosen, Mapping):
        return False
    return "name" in values and chosen.get("name", values["name"]) != values["name"]


def data_source(overrides: Mapping[str, Any]) -> str:
    """Return the data source that settings name.

    Raises:
        ConfigError: they name none.
    """
    data = overrides.get("data")
    source = data.get("source") if isinstance(data, Mapping) else None
    if not source:
        raise ConfigError("data.source is not set; give DATA, as in: convscope train photos")
    return str(source)
