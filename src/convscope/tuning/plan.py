"""The plan of a search: data, space, rungs and the settings that all trials share; written to the log and read back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from convscope.pipeline.network import with_network_defaults
from convscope.runs.overrides import Overrides, lay
from convscope.runs.parse import parse_recipe
from convscope.runs.recipe import Recipe
from convscope.tasks import Task
from convscope.tuning.parameter import Parameter, Value
from convscope.tuning.rungs import Rungs
from convscope.tuning.space import Space

SEARCHED = "search"  # the source of a setting that the search chose
CHOSEN = "chosen for the search: all its numbers are options"
"""The source of the network where the user names none and the data are small images or series."""


@dataclass(frozen=True, eq=False)
class SearchPlan:
    """What a search is about.

    Attributes:
        base: the recipe of the first network, whose settings trials share where the space does not change them.
        sources: the source of each of them by its dotted name.
        given: the user's settings.
        space: the parameters.
        rungs: how far trials are trained.
        seed: of the sampler.
        threads: of each trial, so that it goes on to the bit in another process.
        first: MACs of the first network, and the measured seconds of an epoch.
    """

    base: Recipe
    sources: Mapping[str, str]
    given: Overrides
    space: Space
    rungs: Rungs
    seed: int
    threads: int
    first: tuple[int, float]

    def overrides(self, values: Mapping[str, Value]) -> Overrides:
        """Return all settings of a network with these values, with the source of each."""
        base = Overrides(self.base.model_dump(), self.sources)
        return lay(base, self.given, Overrides.of(self.space.settings(values), SEARCHED))

    def recipe(self, values: Mapping[str, Value], task: Task) -> tuple[Recipe, dict[str, str]]:
        """Return the recipe of a trial, and the source of each of its settings.

        Raises:
            ConvscopeError: the values do not fit together.
        """
        trial = {"epochs": self.rungs.epochs[-1], "budget": 0.0, "threads": self.threads, "probes": 0, "tta_views": "1"}
        fixed = {"stop_patience": 0, "keep": "last", "find_lr": False}
        overrides = lay(self.overrides(values), Overrides.of({"train": trial | fixed}, "trial of a search"))
        sources = {name: overrides.source(name) for name in overrides.sources}
        return with_network_defaults(parse_recipe(overrides), task), sources

    def to_json(self) -> dict[str, Any]:
        """Return plain data for the log."""
        return {
            "base": self.base.model_dump(mode="json"),
            "sources": dict(self.sources),
            "given": {"values": dict(self.given), "sources": dict(self.given.sources)},
            "parameters": [one.to_json() for one in self.space.parameters],
            "fixed": dict(self.space.fixed),
            "rungs": {
                "epochs": self.rungs.epochs,
                "share": self.rungs.share,
                "epoch_seconds": self.rungs.epoch_seconds if self.rungs.epoch_seconds < float("inf") else 0,
            },
            "seed": self.seed,
            "threads": self.threads,
            "first": self.first,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "SearchPlan":
        """Return the plan that `to_json` described."""
        rungs, given = content["rungs"], content["given"]
        return cls(
            parse_recipe(Overrides(content["base"], content["sources"])),
            content["sources"],
            Overrides(given["values"], given["sources"]),
            Space(tuple(Parameter.from_json(one) for one in content["parameters"]), content["fixed"]),
            Rungs(tuple(rungs["epochs"]), rungs["share"], rungs["epoch_seconds"] or float("inf")),
            content["seed"],
            content["threads"],
            (content["first"][0], content["first"][1]),
        )
