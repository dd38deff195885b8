"""Set up a search: read the data, choose the network, its parameters and the rungs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from convscope.datasets import TARGET_KINDS, Dataset
from convscope.devices import default_threads, requested_device, use_cores
from convscope.errors import ConfigError
from convscope.pipeline.build import data_fingerprint
from convscope.pipeline.network import task_for
from convscope.pipeline.network_choice import SMALL_SIDE, Candidates, measured_rate
from convscope.pipeline.resolve import draft_recipe, resolve_recipe
from convscope.progress import Progress
from convscope.runs.loaders import PreparedData, open_source, prepare
from convscope.runs.overrides import Overrides, lay, leaves
from convscope.runs.parse import check_overrides
from convscope.runs.recipe import AUTO, SCRATCH, Recipe
from convscope.tasks import Task
from convscope.tuning.default_space import parameters_for
from convscope.tuning.parameter import Parameter, parse_parameter
from convscope.tuning.plan import CHOSEN, SearchPlan
from convscope.tuning.refusal import network_size
from convscope.tuning.request import SearchRequest
from convscope.tuning.rungs import Rungs, epochs_per_trial, rungs_for
from convscope.tuning.space import Space
from convscope.tuning.subset import with_share

SMALL_MODEL = "plain"
"""The network that is searched where images are small: all its numbers are options."""
SHARED = ("data", "task", "transfer", "seed")
SHARED_TRAIN = tuple(f"train.{name}" for name in ("epochs", "budget", "device", "threads", "find_lr", "probes"))
"""Settings that all trials share, which cannot be searched."""
FILE = " line "  # in the source of a setting that was read from a file
FEWEST_PARAMETERS, TRIALS_PER_PARAMETER = 6, 5
EVALUATION = 1.2  # of the time of the training steps, with evaluation and checkpoint
EPOCH_OVERHEAD = 0.1  # seconds of an epoch, whatever the network
MEASURED_BUDGET = 1e6  # seconds, of which measuring the speed may take a share: steps of whole batches are timed


@dataclass(frozen=True, eq=False)
class SearchSetup:
    """A plan with the data that it needs.

    `prepared` are all images, `trial_data` those of the trials.
    """

    plan: SearchPlan
    prepared: PreparedData
    trial_data: PreparedData
    task: Task


def check_request(overrides: Overrides, ranges: Sequence[str]) -> None:
    """Check settings before the data are read.

    Raises:
        ConfigError: a setting is invalid, or cannot be searched.
    """
    requested = check_overrides(overrides)
    if requested.transfer.checkpoint not in ("", AUTO, SCRATCH):
        source = overrides.source("transfer.checkpoint")
        raise ConfigError(
            f"{source}: convscope tune searches networks that are trained from scratch, but transfer.checkpoint is "
            f"{requested.transfer.checkpoint!r}; remove it"
        )
    if requested.train.budget:
        raise ConfigError(f"{overrides.source('train.budget')}: the trials share the budget; give --budget instead")
    for name in ranges:
        if name.split(".")[0] in SHARED or name in SHARED_TRAIN:
            raise ConfigError(f"--search {name}: all trials share this setting; fix it with --set {name}=VALUE")


def set_up(
    overrides: Overrides, request: SearchRequest, search_seconds: float | None, on_progress: Progress | None
) -> SearchSetup:
    """Return the plan of a new search.

    Args:
        overrides: the user's settings, with the data source.
        request: limits and ranges.
        search_seconds: for the trials; None: not limited.
        on_progress: called with (images decoded, number of images).

    Raises:
        ConvscopeError: a setting is invalid, or the data cannot be read.
    """
    check_request(overrides, list(request.ranges))
    given = [parse_parameter(name, text, "--search") for name, text in request.ranges.items()]
    requested = check_overrides(overrides)
    device = requested_device(requested.train.device)
    found = open_source(requested.data, requested.task_class.target_kind if "task" in overrides else None)
    started = lay(_start(overrides, found), Overrides.of({"transfer": {"checkpoint": ""}}, "from scratch"))
    draft = draft_recipe(started, found, device)
    prepared = prepare(found, draft.recipe.data, draft.recipe.seed, on_progress)
    resolved = resolve_recipe(draft, prepared, device)
    task = task_for(resolved.recipe, prepared.dataset, prepared.dataset.targets[prepared.rows("train")])
    space = _space(resolved.recipe, overrides, given)
    threads = requested.train.threads or max(1, default_threads() // request.jobs)
    plan = SearchPlan(
        resolved.recipe, resolved.sources, overrides, space, Rungs((1,), 1.0, float("inf")), draft.recipe.seed,
        threads, (1, 1.0),
    )  # fmt: skip
    first = _first_network(plan, task, len(prepared.rows("train")), device)
    rungs = rungs_for(first[1], len(prepared.rows("train")), search_seconds, request.jobs)
    trials = request.trials
    if search_seconds is not None:
        seconds = epochs_per_trial(rungs.epochs) * rungs.share * first[1]
        trials = min(trials or 10**6, int(search_seconds * request.jobs / seconds))
    count = max(FEWEST_PARAMETERS, (trials or 0) // TRIALS_PER_PARAMETER)
    space = space.first(count, [one.name for one in space.parameters if _named(one, given)])
    plan = SearchPlan(
        resolved.recipe, resolved.sources, overrides, space, rungs, draft.recipe.seed, threads,
        (first[0], first[1] * rungs.share),
    )  # fmt: skip
    return SearchSetup(plan, prepared, trial_data(prepared, plan), task)


def restore(plan: SearchPlan, fingerprint: str, on_progress: Progress | None) -> SearchSetup:
    """Return the data of a search that goes on.

    Raises:
        ConfigError: the data changed since it started.
    """
    recipe = plan.base
    found = open_source(recipe.data, recipe.task_class.target_kind)
    prepared = prepare(found, recipe.data, recipe.seed, on_progress)
    if data_fingerprint(prepared) != fingerprint:
        raise ConfigError(
            f"{found.source}: the data changed since the search started, so its scores cannot be compared with new "
            "ones; start a new search"
        )
    task = task_for(recipe, prepared.dataset, prepared.dataset.targets[prepared.rows("train")])
    return SearchSetup(plan, prepared, trial_data(prepared, plan), task)


def trial_data(prepared: PreparedData, plan: SearchPlan) -> PreparedData:
    """Return the images that the trials of a plan are trained and scored on."""
    return with_share(prepared, plan.rungs.share, plan.seed)


def _start(overrides: Overrides, found: Dataset) -> Overrides:
    """Return the settings with the network to search, where the user does not name one."""
    spatial = TARGET_KINDS[found.target_kind].spatial
    small = float(np.median(found.sizes)) <= SMALL_SIDE or found.sizes.shape[1] == 1
    if not small or spatial or overrides.names("model.name"):
        return overrides
    return overrides.over(Overrides.of({"model": {"name": SMALL_MODEL}}, CHOSEN))


def _space(recipe: Recipe, overrides: Overrides, given: list[Parameter]) -> Space:
    """Return the default parameters with the user's ranges, without those that the user sets by a flag or an argument.

    The settings of a file describe the first network; they are searched like others.
    """
    own_ranges = {one.name for one in given}
    try:
        parameters = parameters_for(recipe.model.name, min(recipe.data.size), recipe.train.batch, recipe.optimiser.name)
    except ConfigError:
        if not given:
            raise
        parameters = ()
    set_by_hand = (name for name in leaves(overrides) if FILE not in overrides.source(name))
    names = [name for name in set_by_hand if name not in own_ranges]
    return Space(parameters).without(names).narrowed(given)


def _named(one: Parameter, given: list[Parameter]) -> bool:
    return any(one.name == new.name or one.name.startswith(f"{new.name}[") for new in given)


def _first_network(plan: SearchPlan, task: Task, images: int, device: torch.device) -> tuple[int, float]:
    """Return the MACs of the first network, and the seconds that an epoch of it should take, by measuring its speed."""
    recipe, _ = plan.recipe(plan.space.start(), task)
    size = network_size(recipe, task)
    use_cores(plan.threads)
    timed = recipe.model_copy(update={"train": recipe.train.model_copy(update={"budget": MEASURED_BUDGET})})
    rate = measured_rate(Candidates(timed, task), {}, device)
    return size.macs, EPOCH_OVERHEAD + EVALUATION * images * size.macs / rate
