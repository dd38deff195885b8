"""What a recipe makes of a task and a network, and which trained weights fit it."""

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
    """The recipe's task for these training targets of a data set."""
    return recipe.task_class.from_data(TaskContext(dataset.classes, targets, recipe.data.size), recipe.loss)


def architecture(recipe: Recipe, task: Task) -> Architecture:
    """The recipe's network, as the task needs it, with the options that the images' size chooses."""
    name, options = task.network(recipe.model.name, recipe.model.options)
    return resolve(name, task.outputs, recipe.data.channels, recipe.data.size, options)


def network(recipe: Recipe, task: Task) -> nn.Module:
    """The recipe's network with new weights and the task's head.

    Raises:
        ModelError: it cannot be built, or cannot take images of this size.
    """
    made = task.attach_head(check_size(build(architecture(recipe, task)), recipe.data.size))
    if recipe.model.init:
        initialise(made, recipe.model.init)
    return made


def with_network_defaults(recipe: Recipe, task: Task) -> Recipe:
    """The same recipe with nothing left open that its network and its optimiser decide."""
    name, _ = task.network(recipe.model.name, recipe.model.options)
    model = recipe.model.model_copy(update={"name": name, "options": architecture(recipe, task).options})
    optimiser = recipe.optimiser.model_copy(update={"learning_rate": recipe.optimiser.rate})
    return recipe.model_copy(update={"model": model, "optimiser": optimiser})


def matching_weights(model: nn.Module, origin: PretrainedSource, replaced: int) -> dict[str, torch.Tensor]:
    """The trained weights that fit a network, but for its last `replaced` layers; nothing is changed.

    Raises:
        ModelError: they are another network's.
        ConfigError: a layer that is to be kept has another shape in the weights.
    """
    new = new_layers(model, replaced)
    fits, loaded = match_state(model, origin.state, origin.provenance["source"], new)  # type: ignore[arg-type]
    lost = [
        name for name in loaded.not_loaded if name.startswith(("stem.", "head.")) and name.rpartition(".")[0] not in new
    ]
    if lost:
        layer = lost[0].rpartition(".")[0]
        if layer.startswith("stem."):
            raise ConfigError(
                f"{origin.provenance['source']}: its {layer} does not fit the network's; "
                "remove model.options and data.channels"
            )
        raise ConfigError(
            f"transfer.replace_fc is {replaced}, but {origin.provenance['source']} has no weights that fit {layer}; "
            f"set it to {replaced + 1} or more"
        )
    return fits
