"""Settings chosen from the data, the machine and the budget, for whatever the user did not say.

What each default gave, and on what, stands in ``docs/benchmarks/recipes.md``.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from convscope.data import TARGET_KINDS, Dataset, may_mirror
from convscope.models.summary.summarize import summarize
from convscope.modules import channels_last
from convscope.pipeline.network import network, task_for
from convscope.runs.loaders import PreparedData
from convscope.runs.overrides import Overrides, merge, nest, override
from convscope.runs.recipe import Recipe
from convscope.tasks import Task
from convscope.training import muon_parameters, precision_context, seconds_per_step

SMALL_SIDE = 64  # images up to here are seen at the size that they have
MADE_FOR = {"lenet": (32, 32)}  # digits of 8 x 8, two seeds: 99.2 % at 32 x 32, 98.1 % padded as they are
PHOTO_SIDE = {"cpu": 128, "cuda": 224}
VIEWS = 16_000  # images that pass in a run, augmented anew each time, as long as that makes 10 to 100 epochs
EPOCHS = (10, 100)
PHOTO_EPOCHS, PHOTO_VIEWS = 40, 48_000  # of which a network must have time for the fewer within a budget
SHALLOW = 6  # layers with weights that SGD trains at its usual rate without norms
DEEP = {"optimiser": {"name": "adamw", "learning_rate": 0.0003, "weight_decay": 0.01}}  # for more of them
WIDTHS = (64, 48, 32, 24, 16)  # of the first stage; below 16 a CPU gains hardly any speed
MANY = 5_000  # images from which batches are so large that muon's own arithmetic counts for little
SMALLEST_QUICK = 24  # side from which three halvings leave something to look at
QUICK = (  # options of airbench, dearest first: the paper's, a narrower one, and two whose first layer halves the sides
    {"stages": (64, 256, 256)},
    {"stages": (64, 192, 192)},
    {"stages": (128, 192, 256), "patch": 4, "stride": 2, "filters": 64},
    {"stages": (96, 128, 128), "patch": 4, "stride": 2, "filters": 64},
)
PATIENCE_SECONDS = 300.0  # how long a run without a budget may take on the two cores that RATE was measured on
DEMONSTRATION_SECONDS = 30.0  # the same of what comes with the package, which is there to be seen at once
RATE = {"cpu": 3e10, "cuda": 3e12}  # forward multiplications per second of training, assumed where none is measured
MUON = {  # for networks whose convolutions have norms behind them
    "optimiser": {
        "name": "muon",
        "learning_rate": 0.12,
        "momentum": 0.6,
        "other_rate": 0.003,
        "weight_decay": 0.01,
    },
    "schedule": {"name": "linear"},
}
END_SECONDS = 10.0  # of a budget, for reading files and for the report


def size_for(found: Dataset, device: torch.device, model: str) -> dict[str, Any]:
    """Size and channels: small images as they are, larger ones brought to a square that the machine can bear.

    A network that was made for one size gets images of that size.
    """
    if model in MADE_FOR:
        return {"data": {"size": MADE_FOR[model], "channels": found.channels}}
    height, width = np.median(found.sizes, axis=0).astype(int).tolist()
    side = min(height, width)
    same = bool((found.sizes == found.sizes[0]).all())
    largest = min(side, PHOTO_SIDE[device.type])
    size = (height, width) if side <= SMALL_SIDE and same else (largest,) * 2
    if found.kind.spatial and side > SMALL_SIDE:  # what is cut off cannot be found: keep their shape
        size = tuple(16 * max(1, round(length * largest / side / 16)) for length in (height, width))
    return {"data": {"size": size, "channels": found.channels}}


def defaults_for(prepared: PreparedData, draft: Recipe, device: torch.device) -> dict[str, Any]:
    """Network, batch, epochs, optimiser and augmentation.

    Without a budget all follows from the data alone, so that the same command does the same everywhere. With one, the
    machine's speed is measured, and the network is as wide as leaves time for half the usual number of epochs, or for
    more where it is to learn from photographs.
    """
    images = len(prepared.rows("train"))
    photographs = max(prepared.preprocessing.size) > SMALL_SIDE
    views = images_needed(images, photographs, bool(draft.train.budget))
    quick = draft.model.name == "airbench"
    batch = int(np.clip(2 ** round(np.log2(max(images, 1) / 20)), 16, 512 if quick else 128))
    options: dict[str, Any] = {}
    if draft.model.name in ("resnet18", "resnet34"):
        bearable = [{"width": width} for width in WIDTHS if width <= 2 * min(prepared.preprocessing.size)]
        options = largest_affordable(bearable or [{"width": WIDTHS[-1]}], prepared, draft, device, views)
    if quick:
        options = largest_affordable(QUICK, prepared, draft, device, views)
    chosen = {
        "model": {"options": options},
        "augment": augmentation_for(
            prepared.dataset.target_kind, prepared.store.pixels, prepared.store_index[prepared.rows("train")]
        ),
        "train": {"epochs": usual_epochs(images), "batch": batch},
    }
    model = _network(prepared, draft, options)
    chosen = override(
        {**chosen, **(DEEP if deep_without_norms(model) else sgd(batch))}, nest(draft.task_class.default_settings)
    )
    chosen = override(chosen, MUON) if any(True for _ in muon_parameters(model)) else chosen
    return merge(chosen, {"loss": {"label_smoothing": 0.2}}) if quick else chosen


def usual_epochs(images: int) -> int:
    """Of a run without a budget on so many training images."""
    return int(np.clip(VIEWS // max(images, 1), *EPOCHS))


def images_needed(images: int, photographs: bool, budget: bool) -> int:
    """How many images must pass: the usual epochs', and within a budget half of them.

    From photographs too few epochs teach too little, however wide the network: a budget has to have time for 40, or for
    48,000 images, whichever are fewer.
    """
    usual = images * usual_epochs(images)
    if not budget:
        return usual
    return max(usual // 2, min(PHOTO_EPOCHS * images, PHOTO_VIEWS)) if photographs else usual // 2


def sgd(batch: int) -> dict[str, Any]:
    """For networks of a few layers: SGD with Nesterov's momentum."""
    return {
        "optimiser": {
            "name": "sgd",
            "learning_rate": 0.1 * (batch / 64) ** 0.5,
            "momentum": 0.9,
            "nesterov": True,
            "weight_decay": 5e-4,
        }
    }


def network_for(found: Dataset, task: type[Task], overrides: Overrides) -> dict[str, Any]:
    """The task's network for many small images, where the user says nothing of one."""
    small = bool(found.sizes.min() >= SMALLEST_QUICK and found.sizes.max() <= SMALL_SIDE)
    if "model" in overrides or not small or not task.small_images_model or len(found) < MANY:
        return {}
    return {"model": {"name": task.small_images_model}}


def augmentation_for(target_kind: str, pixels: NDArray[np.uint8], rows: NDArray[np.int64]) -> dict[str, Any]:
    """Policy and mirroring: small images bear shifts alone, and what has a left and a right is not mirrored.

    Numbers may tell of left and right, and too few images of their sides; such are not mirrored when small and grey.

    Args:
        target_kind: of the targets.
        pixels: (N, C, H, W).
        rows: the training images.
    """
    small = max(pixels.shape[2:]) <= SMALL_SIDE
    alike = may_mirror(pixels, rows)
    guessed = not small or pixels.shape[1] == 3
    mirror = TARGET_KINDS[target_kind].may_mirror and (guessed if alike is None else alike)
    return {"policy": "light" if small else "standard", "mirror": mirror}


def deep_without_norms(model: nn.Module) -> bool:
    """Whether a network has more layers than SGD can begin with, and no norm among them."""
    layers = list(model.modules())
    normed = any("Norm" in type(layer).__name__ for layer in layers)
    return not normed and sum(isinstance(layer, nn.Conv2d | nn.Linear) for layer in layers) > SHALLOW


def largest_affordable(
    choices: Sequence[dict[str, Any]], prepared: PreparedData, draft: Recipe, device: torch.device, images: int
) -> dict[str, Any]:
    """The options, of those that are listed dearest first, that can train on `images` images in the time."""
    shown = prepared.dataset.layout == "builtin"
    seconds, rate = DEMONSTRATION_SECONDS if shown else PATIENCE_SECONDS, RATE[device.type]
    if draft.train.budget:
        seconds = draft.train.budget - END_SECONDS
        rate = measured_rate(prepared, draft, device, choices[-1])
    for options in choices:
        cost = summarize(_network(prepared, draft, options), _shape(prepared)).macs
        if images * cost <= seconds * rate:
            return options
    return choices[-1]


def measured_rate(prepared: PreparedData, draft: Recipe, device: torch.device, options: dict[str, Any]) -> float:
    """Multiplications of the forward pass per second of training on this machine, from the best of three steps."""
    batch = 128 if max(prepared.preprocessing.size) <= SMALL_SIDE else 32
    with torch.random.fork_rng():
        model = channels_last(_network(prepared, draft, options), device).to(device)
        x = torch.rand(batch, *_shape(prepared), device=device)
    context = precision_context(draft.train.precision, device)
    took = seconds_per_step(model, (x, x), lambda output, _: output.square().mean(), context)
    return batch * summarize(model, _shape(prepared)).macs / took


def _shape(prepared: PreparedData) -> tuple[int, int, int]:
    return (prepared.preprocessing.channels, *prepared.preprocessing.size)


def _network(prepared: PreparedData, draft: Recipe, options: dict[str, Any]) -> nn.Module:
    """The network that the user named (or the default one), as the task needs it, with options below the user's."""
    model = draft.model.model_copy(update={"options": {**options, **draft.model.options}})
    task = task_for(draft, prepared.dataset, prepared.dataset.targets)
    return network(draft.model_copy(update={"model": model}), task)
