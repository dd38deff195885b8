"""Resolve the user's settings to a complete recipe, with defaults chosen in two stages.

`draft_recipe` chooses the settings needed for decoding, `resolve_recipe` the others from the decoded images. Every
value keeps its source.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

import torch
from torch import nn

from convscope.bundle import check_tta
from convscope.datasets import INPUT_KINDS, TARGET_KINDS, Dataset
from convscope.errors import ConfigError, ModelError
from convscope.layouts.builtin import BUILTIN
from convscope.models import TOKEN_MODELS
from convscope.pipeline.defaults import (
    FROM_DATA,
    FROM_NETWORK,
    augmentation_for,
    embedding_for,
    images_needed,
    length_for,
    more_epochs_for,
    muon_for,
    network_for,
    optimiser_for,
    size_for,
    task_settings,
)
from convscope.pipeline.input_size import smaller_size
from convscope.pipeline.network import matching_weights, task_for, with_network_defaults
from convscope.pipeline.network_choice import (
    SMALL_SIDE,
    Candidates,
    Options,
    affordable_macs,
    candidate_options,
    largest_affordable,
    measured_rate,
)
from convscope.pipeline.start_choice import choose_start, without_download
from convscope.pipeline.transfer_plan import load_pretrained, plan_transfer
from convscope.runs.loaders import PreparedData
from convscope.runs.overrides import Overrides, lay, leaves
from convscope.runs.parse import parse_recipe
from convscope.runs.pixel_settings import images_only
from convscope.runs.pretrained import PretrainedSource
from convscope.runs.recipe import Recipe
from convscope.tasks import TASKS, Task

SMOOTHING = "label_smoothing"  # the option of the loss of tasks with one class per image


@dataclass(frozen=True, eq=False)
class Draft:
    """The settings determined before decoding; `candidates` contains the network, which is known to build."""

    overrides: Overrides
    recipe: Recipe
    origin: PretrainedSource | None
    candidates: Candidates


@dataclass(frozen=True, eq=False)
class Resolved:
    """A complete recipe, and the source of each setting by its dotted name.

    `plan_reason` is the reason for the fine-tuning plan; "" without pretrained weights.
    """

    recipe: Recipe
    sources: Mapping[str, str]
    plan_reason: str = ""

    def changed(self, recipe: Recipe, source: str) -> "Resolved":
        """Return a copy with another recipe; the values that differ have the source `source`."""
        before, after = (leaves(one.model_dump()) for one in (self.recipe, recipe))
        differing = {name: source for name, value in after.items() if before.get(name) != value}
        return replace(self, recipe=recipe, sources={**self.sources, **differing})


def draft_recipe(overrides: Overrides, found: Dataset, device: torch.device, spent: float = 0.0) -> Draft:
    """Choose task, network and input size, and validate the settings before decoding.

    Args:
        overrides: the user's settings.
        found: the data, not decoded.
        device: the device for training.
        spent: seconds of the budget that are used.

    Raises:
        ConfigError: a setting is incompatible with the task or with others.
        ModelError: the network cannot be built, or pretrained weights do not match it.
    """
    requested = overrides
    overrides, origin = _data_overrides(overrides, found, device)
    draft = _checked(overrides, found, origin)
    if not origin or "size" in requested.get("data", {}):
        return draft
    smaller = smaller_size(draft.recipe, draft.candidates({}), _images(draft.recipe, found), device, spent)
    with suppress(ModelError, ConfigError):  # networks whose head fits one input size only
        draft = _checked(smaller.over(overrides), found, origin) if smaller else draft
    return draft


def _images(recipe: Recipe, found: Dataset) -> tuple[int, int]:
    """Return the numbers of training and validation images, of which some may be cut later."""
    uncut = int((found.splits == "").sum())
    validation = round(recipe.data.validation * uncut)
    training = uncut - validation - round(recipe.data.test * uncut)
    return training + int((found.splits == "train").sum()), validation + int((found.splits == "validation").sum())


def data_settings(overrides: Overrides, found: Dataset, device: torch.device) -> tuple[Overrides, Recipe]:
    """Return the settings that reading the data needs, as `draft_recipe`, without building a network from scratch.

    Raises:
        ConfigError: a setting is invalid.
        ModelError: pretrained weights do not match the network.
    """
    overrides = without_download(choose_start(overrides, found)).overrides
    if overrides["transfer"]["checkpoint"]:
        draft = draft_recipe(overrides, found, device)
        return draft.overrides, draft.recipe
    overrides, _ = _data_overrides(overrides, found, device)
    return overrides, parse_recipe(overrides)


def _data_overrides(
    overrides: Overrides, found: Dataset, device: torch.device
) -> tuple[Overrides, PretrainedSource | None]:
    """Return the settings with task, network and input size chosen, and the pretrained weights."""
    task_name = task_of_target_kind(found.target_kind)
    overrides = overrides.over(Overrides.of({"task": task_name}, f"{FROM_DATA}: its targets are {found.target_kind}"))
    origin = load_pretrained(overrides)
    if origin:
        images_only(found.input_kind, "transfer.checkpoint", found.source)
        below, above = origin.settings(found)
        overrides = lay(below, overrides, above)
    else:
        overrides = overrides.over(network_for(found, TASKS[overrides["task"]], overrides))
    name = overrides.get("model", {}).get("name", Recipe().model.name)
    overrides = overrides.over(size_for(found, device, name))
    return Overrides.of({"data": {"source": found.source}}, overrides.source("data.source")).over(overrides), origin


def _checked(overrides: Overrides, found: Dataset, origin: PretrainedSource | None) -> Draft:
    """Return the draft of these settings, checked by building the network."""
    recipe = parse_recipe(overrides)
    task = task_for(recipe, found, found.targets)
    _check_shape(recipe, found)
    _check_together(recipe, task, found.input_kind)
    _check_tokens(recipe, found)
    candidates = Candidates(recipe, task)
    model = candidates({})
    if origin:
        matching_weights(model, origin, recipe.transfer.replace_fc)
    return Draft(overrides, recipe, origin, candidates)


def resolve_recipe(draft: Draft, prepared: PreparedData, device: torch.device) -> Resolved:
    """Choose the other settings from the decoded images: options of the network, training, augmentation, fine-tuning.

    Without a budget they depend only on the data, so the same command gives the same recipe on every machine. With a
    budget, the machine's speed is measured, and the widest network is chosen that has time for half the default number
    of epochs (more for photographs, see `defaults.images_needed`).
    """
    if draft.origin:
        chosen, why = plan_transfer(draft.overrides, prepared, draft.recipe, draft.candidates({}))
    else:
        chosen, why = _from_scratch(draft, prepared, device), ""
    overrides = draft.overrides.over(chosen)
    recipe = parse_recipe(overrides)
    sources = {
        name: overrides.source(name) if overrides.names(name) else "default" for name in leaves(recipe.model_dump())
    }
    task = task_for(recipe, prepared.dataset, prepared.dataset.targets)
    return Resolved(recipe, sources, why).changed(with_network_defaults(recipe, task), f"{FROM_NETWORK}: its default")


def _from_scratch(draft: Draft, prepared: PreparedData, device: torch.device) -> Overrides:
    """Return the settings for training from scratch; later layers take precedence."""
    recipe, images = draft.recipe, len(prepared.rows("train"))
    candidates = draft.candidates.for_task(task_for(recipe, prepared.dataset, prepared.dataset.targets))
    quick = recipe.model.name == "airbench"
    options, why = _network_options(candidates, prepared, device)
    model: nn.Module = candidates(options)
    length = length_for(images, quick)
    smooths = quick and SMOOTHING in recipe.task_class.options.model_fields
    smoothing = {"loss": {SMOOTHING: 0.2}} if smooths else {}
    return lay(
        Overrides.of({"model": {"options": options}}, why),
        Overrides.of({"model": {"options": prepared.preprocessing.network_options}}, FROM_DATA),
        _augmentation(prepared),
        length,
        more_epochs_for(candidates.macs(options), images),
        optimiser_for(model, length["train"]["batch"]),
        embedding_for(model, length["train"]["epochs"]),
        task_settings(recipe.task_class),
        muon_for(model),
        Overrides.of(smoothing, f"{FROM_NETWORK}: airbench"),
    )


def _network_options(candidates: Candidates, prepared: PreparedData, device: torch.device) -> tuple[Options, str]:
    """Return the options of the largest network that the time allows, and the reason."""
    recipe, images = candidates.recipe, len(prepared.rows("train"))
    choices = candidate_options(recipe.model.name, recipe.data.size, INPUT_KINDS[prepared.dataset.input_kind].widest)
    if not choices:
        return {}, ""
    needed = images_needed(images, max(recipe.data.size) > SMALL_SIDE, bool(recipe.train.budget))
    builtin = prepared.dataset.layout == BUILTIN.name
    affordable = affordable_macs(
        recipe.train.budget, builtin, device.type, lambda: measured_rate(candidates, choices[-1], device)
    )
    options = largest_affordable(choices, candidates.macs, needed, affordable)
    within = f"{recipe.train.budget:g} s on this machine" if recipe.train.budget else "the default time"
    return options, f"{FROM_NETWORK}: the largest that can train on {needed:,} images in {within}"


def _augmentation(prepared: PreparedData) -> Overrides:
    rows = prepared.store_index[prepared.rows("train")]
    return augmentation_for(prepared.dataset, prepared.store.pixels, rows)


def task_of_target_kind(target_kind: str) -> str:
    """Return the first task with this kind of targets."""
    return next(name for name, task in TASKS.items() if task.target_kind == target_kind)


def _check_shape(recipe: Recipe, found: Dataset) -> None:
    """Raise an error for an input size or a number of channels that the data cannot have."""
    kind = INPUT_KINDS[found.input_kind]
    if len(recipe.data.size) != len(kind.sides):
        shown, one = list(recipe.data.size), " and ".join(kind.sides)
        raise ConfigError(
            f"data.size is {shown}, but {found.source} holds {kind.nouns[1]}; give {one}, like {[64] * len(kind.sides)}"
        )
    if not kind.converts_channels and recipe.data.channels != found.channels:
        raise ConfigError(
            f"data.channels is {recipe.data.channels}, but {found.source} holds {kind.nouns[1]} of {found.channels}; "
            "remove it"
        )


def _check_tokens(recipe: Recipe, found: Dataset) -> None:
    """Raise an error for a network that embeds tokens where there are none, and the other way round."""
    kind, name = INPUT_KINDS[found.input_kind], recipe.model.name
    if kind.codes and name not in TOKEN_MODELS:
        raise ConfigError(
            f"model.name is {name!r}, but {found.source} holds {kind.nouns[1]}, which need a network that embeds "
            f"tokens; choose {' or '.join(TOKEN_MODELS)}"
        )
    if name in TOKEN_MODELS and not kind.codes:
        raise ConfigError(f"model.name is {name!r}, but {found.source} holds {kind.nouns[1]}; choose another network")


def _check_together(recipe: Recipe, task: Task, input_kind: str) -> None:
    """Raise an error for settings that are incompatible with the task or with each other."""
    recipe.augment.chosen(input_kind)
    if recipe.augment.mix != "none" and not task.supports_mixup:
        raise ConfigError(f"augment.mix is {recipe.augment.mix!r}, which the task {task.name} cannot use; remove it")
    if recipe.augment.mix != "none" and INPUT_KINDS[input_kind].codes:
        raise ConfigError(f"augment.mix is {recipe.augment.mix!r}, which mixes values, not tokens; remove it")
    if recipe.train.tta_views != "auto":
        check_tta(task.target_kind, recipe.train.tta_views, len(recipe.data.size))
    if recipe.train.compile == "graphs" and recipe.step.micro_batch:
        raise ConfigError(
            "train.compile is 'graphs', and CUDA graphs cannot add up the gradients of a step.micro_batch; "
            "set train.compile to 'always', or remove step.micro_batch"
        )
    if recipe.train.processes > 1 and (recipe.train.compile in ("always", "graphs") or recipe.train.cuda_graph):
        name = "train.cuda_graph" if recipe.train.cuda_graph else "train.compile"
        raise ConfigError(
            f"train.processes is {recipe.train.processes}, and steps that exchange data cannot be compiled or "
            f"recorded; remove {name}, or set train.processes to 1"
        )
    if recipe.train.balanced_batches and not TARGET_KINDS[task.target_kind].single_class:
        raise ConfigError(f"train.balanced_batches needs one class per image, not {task.target_kind}; remove it")
