"""A smaller input size for pretrained networks where a time budget does not allow the size of pretraining."""

import time
from copy import deepcopy

import torch
from torch import nn

from convscope.modules import channels_last
from convscope.pipeline.end_seconds import slowness
from convscope.pipeline.network_choice import END_SECONDS, SMALL_SIDE
from convscope.runs.overrides import Overrides
from convscope.runs.recipe import Recipe
from convscope.training import precision_context, train_mode

SCALES = (0.75, 0.5)  # of the side
MULTIPLE = 16  # sides are rounded to it
SHARE = 0.8  # of the budget, for the features
ENOUGH = 0.5  # of the training images; with fewer, a smaller size loses less than fewer images do
MEASURED_IMAGES = 4


def smaller_size(
    recipe: Recipe, model: nn.Module, images: tuple[int, int], device: torch.device, spent: float = 0.0
) -> Overrides | None:
    """Return a smaller input size if the budget does not allow the features that are needed; None if it does.

    They are those of half of the training images and of all validation images.

    Args:
        recipe: with a budget, and the input size of pretraining.
        model: the network.
        images: numbers of training and validation images.
        device: the device for training.
        spent: seconds of the budget that are used.
    """
    if not recipe.train.budget or max(recipe.data.size) <= SMALL_SIDE or len(recipe.data.size) != 2:
        return None
    height, width = recipe.data.size
    training, validation = images
    needed = (ENOUGH * training + validation) * forward_seconds(recipe, model, device)
    affordable = SHARE * (recipe.train.budget - spent - END_SECONDS * max(1.0, slowness()))
    if needed <= affordable:
        return None
    scale = next((one for one in SCALES if needed * one**2 <= affordable), SCALES[-1])
    size = tuple(max(MULTIPLE, MULTIPLE * round(scale * side / MULTIPLE)) for side in (height, width))
    many = f"{training + validation:,} images at {height} x {width}"
    why = f"chosen for the budget: {many} would take too long on this machine"
    return Overrides.of({"data": {"size": size}}, why)


def forward_seconds(recipe: Recipe, model: nn.Module, device: torch.device) -> float:
    """Measure the seconds of a forward pass of one image, from the second of two batches."""
    network = channels_last(deepcopy(model), device).to(device)
    x = torch.zeros(MEASURED_IMAGES, recipe.data.channels, *recipe.data.size, device=device)
    seconds = 0.0
    with train_mode(network, training=False), torch.no_grad(), precision_context(recipe.train.precision, device)():
        for _ in range(2):
            started = time.perf_counter()
            network(x).float().sum().item()  # waits for a GPU
            seconds = time.perf_counter() - started
    return seconds / MEASURED_IMAGES
