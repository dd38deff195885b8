"""Build the task and the network of a recipe, and match pretrained weights to it."""

from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn

from convscope.datasets import Dataset
from convscope.errors import ConfigError
from convscope.models import Architecture, build, resolve
from convscope.models.input_check import check_size
from convscope.models.pretrained.state_dicts import match_state
from convscope.runs.pretrained import PretrainedSource
from convscope.runs.recipe import Recipe
from convscope.tasks import Task, TaskContext
from convscope.training import initialise, new_layers


def task_for(recipe: Recipe, dataset: Dataset, targets: NDArray[Any]) -> Task:
    """Build the recipe's task for the training targets of a data set."""
    return recipe.task_class.from_data(TaskContext(dataset.classes, targets, recipe.data.size), recipe.loss)


def architecture(recipe: Recipe, task: Task) -> Architecture:
    """Return the recipe's architecture for the task, with all options resolved for the input size."""
    name, options = task.network(recipe.model.name, recipe.model.options)
    return resolve(name, task.outputs, recipe.data.channels, recipe.data.size, options)


def network(recipe: Recipe, task: Task) -> nn.Module:
    """Build the recipe's network with initial weights and the task's head.

    Raises:
        ModelError: it cannot be built, or does not accept this input size.
    """
    model = task.attach_head(check_size(build(architecture(recipe, task)), recipe.data.size))
    if recipe.model.init:
        initialise(model, recipe.model.init)
    return model


def with_network_defaults(recipe: Recipe, task: Task) -> Recipe:
    """Return the recipe with the defaults of its network and its optimiser filled in."""
    name, _ = task.network(recipe.model.name, recipe.model.options)
    model = recipe.model.model_copy(update={"name": name, "options": architecture(recipe, task).options})
    optimiser = recipe.optimiser.model_copy(update={"learning_rate": recipe.optimiser.rate})
    return recipe.model_copy(update={"model": model, "optimiser": optimiser})


def matching_weights(model: nn.Module, origin: PretrainedSource, replaced: int) -> dict[str, torch.Tensor]:
    """Return the pretrained weights that match a network, without its last `replaced` layers; `model` is unchanged.

    Raises:
        ModelError: they are for another network.
        ConfigError: a layer that is not replaced has another shape in the weights.
    """
    new = new_layers(model, replaced)
    matching, loaded = match_state(model, origin.state, origin.provenance["source"], new)  # type: ignore[arg-type]
    unmatched = [
        name for name in loaded.not_loaded if name.startswith(("stem.", "head.")) and name.rpartition(".")[0] not in new
    ]
    if unmatched:
        layer = unmatched[0].rpartition(".")[0]
        if layer.startswith("stem."):
            raise ConfigError(
                f"{origin.provenance['source']}: its {layer} does not fit the network's; "
                "remove model.options and data.channels"
            )
        raise ConfigError(
            f"transfer.replace_fc is {replaced}, but {origin.provenance['source']} has no weights that fit {layer}; "
            f"set it to {replaced + 1} or more"
        )
    return matching
