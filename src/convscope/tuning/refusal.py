"""Refuse a network by arithmetic, before a trial is spent on it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from convscope.durations import format_seconds
from convscope.errors import ModelError
from convscope.models.summary.summarize import summarize
from convscope.pipeline.network import network
from convscope.runs.recipe import Recipe
from convscope.tasks import Task
from convscope.tuning.epoch_time import epoch_seconds
from convscope.tuning.parameter import Value
from convscope.tuning.plan import SearchPlan
from convscope.tuning.study import Study

BYTES = 16  # of each parameter in training: weight, gradient, and two numbers of the optimiser
LARGEST_SHARE = 0.5  # of the machine's memory


class TooSlowError(ModelError):
    """There is no time for an epoch of a network."""


@dataclass(frozen=True)
class NetworkSize:
    """Number of parameters, and MACs of a forward pass of one image."""

    num_parameters: int
    macs: int


def network_size(recipe: Recipe, task: Task) -> NetworkSize:
    """Return the size of a network, which is built without memory for its parameters.

    Raises:
        ModelError: it cannot be built, or does not accept the input size.
    """
    with torch.device("meta"):
        model = network(recipe, task)
    summary = summarize(model, (recipe.data.channels, *recipe.data.size))
    return NetworkSize(summary.num_parameters, summary.macs)


def check_network(
    plan: SearchPlan, study: Study, values: Mapping[str, Value], task: Task, seconds_left: float
) -> NetworkSize:
    """Return the size of the network with these values, if the search can train it.

    Args:
        plan: of the search.
        study: the search so far.
        values: of the parameters.
        task: of the data.
        seconds_left: until the search ends.

    Raises:
        TooSlowError: an epoch takes too long.
        ConvscopeError: it is invalid, was proposed before, or is too large.
    """
    active = plan.space.active(values)
    for one in study.trials.values():
        if plan.space.active(one.values) == active:
            raise ModelError(f"as trial {one.number}")
    recipe, _ = plan.recipe(values, task)
    size = network_size(recipe, task)
    check_memory(size.num_parameters, machine_memory())
    seconds = epoch_seconds(size.macs, study.trials.values(), plan.first)
    longest = min(plan.rungs.epoch_seconds, seconds_left)
    if seconds > longest:
        raise TooSlowError(
            f"an epoch would take about {format_seconds(seconds)}, and there is time for epochs of "
            f"{format_seconds(max(longest, 0.0))}"
        )
    return size


def check_memory(num_parameters: int, memory: float) -> None:
    """Raise an error for a network whose parameters take too much of `memory` bytes.

    Raises:
        ModelError: they do.
    """
    if num_parameters * BYTES > LARGEST_SHARE * memory:
        raise ModelError(
            f"training {num_parameters:,} parameters takes {num_parameters * BYTES / 2**30:.1f} GiB, more than half of "
            f"the machine's {memory / 2**30:.1f} GiB"
        )


def machine_memory() -> float:
    """Return the bytes of the machine's memory; infinite where the system does not say."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (ValueError, OSError, AttributeError):
        return float("inf")
