"""Defaults chosen from the data and the network, each with the reason.

The measurements behind each default are in ``docs/benchmarks/recipes.md``.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from convscope.datasets import INPUT_KINDS, TARGET_KINDS, Dataset, may_mirror
from convscope.datasets.inputs.image_input import IMAGE
from convscope.pipeline.network_choice import SMALL_SIDE
from convscope.runs.overrides import Overrides, nest
from convscope.tasks import Task
from convscope.training import muon_parameters

MADE_FOR = {"lenet": (32, 32)}  # digits of 8 x 8, two seeds: 99.2 % resized to 32 x 32, 98.1 % padded
PHOTO_SIDE = {"cpu": 128, "cuda": 224}
VIEWS = 16_000  # augmented images per run, where that makes 10 to 100 epochs
CHEAP, CHEAP_VIEWS = 1e6, 60_000  # multiplications per image up to which a network trains on so many images
EPOCHS = (10, 100)
PHOTO_EPOCHS, PHOTO_VIEWS = 40, 48_000  # the smaller of the two must fit in a budget
SHALLOW = 6  # layers with parameters that SGD trains at the default rate without normalisation
DEEP = {"optimiser": {"name": "adamw", "learning_rate": 0.0003, "weight_decay": 0.01}}  # for more layers
EMBEDDING = {"name": "adamw", "learning_rate": 0.003, "weight_decay": 0.01}
AVERAGE = 0.99  # of the weights of embeddings
MANY = 5_000  # images from which batches are so large that the overhead of muon is small
SMALLEST_QUICK = 24  # input side that allows three halvings
MUON = {  # for networks with normalisation after convolutions
    "optimiser": {
        "name": "muon",
        "learning_rate": 0.12,
        "momentum": 0.6,
        "other_rate": 0.003,
        "weight_decay": 0.01,
    },
    "schedule": {"name": "linear"},
}
ELONGATED = 1.5
"""Ratio of the sides from which images that are not cropped keep their aspect ratio."""
FROM_DATA, FROM_NETWORK = "chosen from the data", "chosen for the network"


def size_for(found: Dataset, device: torch.device, model: str) -> Overrides:
    """Choose input size and channels: small images keep their size, larger ones are resized to a square.

    Networks that were designed for one size get that size.
    """
    usual = INPUT_KINDS[found.input_kind].usual_size(found)
    if usual is not None:
        chosen = {"data": {"size": usual[0], "channels": found.channels}}
        return Overrides.of(chosen, f"{FROM_DATA}: {usual[1]}")
    kind = {1: "in grey", 3: "in colour"}.get(found.channels, f"of {found.channels} channels")
    channels = Overrides.of({"data": {"channels": found.channels}}, f"{FROM_DATA}: images {kind}")
    if model in MADE_FOR:
        made_for = {"data": {"size": MADE_FOR[model]}}
        return Overrides.of(made_for, f"{FROM_NETWORK}: {model} was made for this size").over(channels)
    height, width = np.median(found.sizes, axis=0).astype(int).tolist()
    side = min(height, width)
    same = bool((found.sizes == found.sizes[0]).all())
    largest = min(side, PHOTO_SIDE[device.type])
    size = (height, width) if side <= SMALL_SIDE and same else (largest,) * 2
    # Without cropping, an area as large as that of the square keeps what would be lost of elongated images.
    if found.fit != "crop" and (largest, largest) == size and max(height, width) >= ELONGATED * side:
        scale = min(1.0, (PHOTO_SIDE[device.type] ** 2 / (height * width)) ** 0.5)
        size = tuple(max(16, 16 * round(scale * length / 16)) for length in (height, width))
    # Cropped objects cannot be detected, so images with masks and boxes keep their aspect ratio.
    if found.kind.spatial and side > SMALL_SIDE:
        size = tuple(16 * max(1, round(length * largest / side / 16)) for length in (height, width))
    why = f"images of {height} x {width} pixels{'' if same else ', the median'}"
    return Overrides.of({"data": {"size": size}}, f"{FROM_DATA}: {why}").over(channels)


def network_for(found: Dataset, task: type[Task], overrides: Overrides) -> Overrides:
    """Choose the network of inputs that are not images; for many small images the task's, unless options are set."""
    if found.input_kind != IMAGE:
        kind = INPUT_KINDS[found.input_kind]
        chosen = {"model": {"name": kind.network}} if kind.network else {}
        return Overrides.of(chosen, f"{FROM_DATA}: {kind.nouns[1]}")
    small = bool(found.sizes.min() >= SMALLEST_QUICK and found.sizes.max() <= SMALL_SIDE)
    chosen = {"model": {"name": task.small_images_model}}
    if "model" in overrides or not small or not task.small_images_model or len(found) < MANY:
        chosen = {}
    return Overrides.of(chosen, f"{FROM_DATA}: {len(found):,} images of at most {SMALL_SIDE} pixels")


def length_for(images: int, quick: bool) -> Overrides:
    """Choose epochs and batch size by the number of training images; `quick` networks use larger batches."""
    batch = int(np.clip(2 ** round(np.log2(max(images, 1) / 20)), 16, 512 if quick else 128))
    chosen = {"train": {"epochs": usual_epochs(images), "batch": batch}}
    return Overrides.of(chosen, f"{FROM_DATA}: {images:,} training images")


def usual_epochs(images: int) -> int:
    """Return the default number of epochs for a number of training images."""
    return int(np.clip(VIEWS // max(images, 1), *EPOCHS))


def more_epochs_for(macs: float, images: int) -> Overrides:
    """Choose more epochs for networks of at most `CHEAP` multiplications per image, whose epochs take no time."""
    epochs = int(np.clip(CHEAP_VIEWS // max(images, 1), *EPOCHS))
    chosen: dict[str, Any] = {"train": {"epochs": epochs}} if macs <= CHEAP else {}
    return Overrides.of(chosen, f"{FROM_NETWORK}: {macs:,.0f} multiplications per image, so an epoch is short")


def images_needed(images: int, photographs: bool, budget: bool) -> int:
    """Return how many images training must process: those of the default epochs, and within a budget half of them.

    On photographs, too few epochs underfit regardless of width: a budget must allow 40 epochs or 48,000 images,
    whichever is less.
    """
    usual = images * usual_epochs(images)
    if not budget:
        return usual
    return max(usual // 2, min(PHOTO_EPOCHS * images, PHOTO_VIEWS)) if photographs else usual // 2


def optimiser_for(model: nn.Module, batch: int) -> Overrides:
    """Choose SGD with Nesterov momentum, or AdamW for deep networks without normalisation."""
    if deep_without_norms(model):
        return Overrides.of(DEEP, f"{FROM_NETWORK}: more than {SHALLOW} layers without normalisation")
    chosen = {
        "name": "sgd",
        "learning_rate": 0.1 * (batch / 64) ** 0.5,
        "momentum": 0.9,
        "nesterov": True,
        "weight_decay": 5e-4,
    }
    return Overrides.of({"optimiser": chosen}, f"{FROM_NETWORK}: at most {SHALLOW} layers, or normalisation")


def muon_for(model: nn.Module) -> Overrides:
    """Choose Muon for networks with normalisation after convolutions, else nothing."""
    chosen: dict[str, Any] = MUON if any(True for _ in muon_parameters(model)) else {}
    return Overrides.of(chosen, f"{FROM_NETWORK}: convolutions with normalisation")


def embedding_for(model: nn.Module, epochs: int) -> Overrides:
    """Choose AdamW, half of the usual epochs and averaged weights for networks with an embedding, else nothing."""
    if not any(isinstance(layer, nn.Embedding) for layer in model.modules()):
        return Overrides.of({}, "")
    chosen = {"optimiser": EMBEDDING, "train": {"epochs": max(1, epochs // 2), "average": AVERAGE}}
    return Overrides.of(chosen, f"{FROM_NETWORK}: an embedding, whose rows few examples train")


def task_settings(task_class: type[Task]) -> Overrides:
    """Return the default settings of a task."""
    return Overrides.of(nest(task_class.default_settings), f"default of the task {task_class.name}")


def augmentation_for(found: Dataset, pixels: NDArray[Any], rows: NDArray[np.int64]) -> Overrides:
    """Choose the policy and flipping: light for small images; no flips where flipped images look unlike the others.

    Targets may depend on left and right. With too few images to detect that, small grey images are not flipped.

    Args:
        found: the data set.
        pixels: (N, C, ...) as stored.
        rows: indices of the training images.
    """
    kind, target_kind = INPUT_KINDS[found.input_kind], found.target_kind
    if not kind.mirrors:
        return Overrides.of({"augment": {"policy": "light", "mirror": False}}, f"{FROM_DATA}: {kind.nouns[1]}")
    small = max(pixels.shape[2:]) <= SMALL_SIDE
    alike = may_mirror(pixels, rows)
    guessed = not small or pixels.shape[1] == 3
    mirror = TARGET_KINDS[target_kind].may_mirror and (guessed if alike is None else alike)
    policy = Overrides.of(
        {"augment": {"policy": "light" if small else "standard"}},
        f"{FROM_DATA}: images of {pixels.shape[2]} x {pixels.shape[3]} pixels",
    )
    why = _mirror_reason(alike) if TARGET_KINDS[target_kind].may_mirror else f"the targets are {target_kind}"
    return Overrides.of({"augment": {"mirror": mirror}}, f"{FROM_DATA}: {why}").over(policy)


def _mirror_reason(alike: bool | None) -> str:
    if alike is None:
        return "too few images to compare with their mirror images"
    return f"mirror images {'look like the others' if alike else 'look unlike the others'}"


def deep_without_norms(model: nn.Module) -> bool:
    """Whether a network has more than `SHALLOW` layers and no normalisation, so that SGD does not converge."""
    layers = list(model.modules())
    normed = any("Norm" in type(layer).__name__ for layer in layers)
    return not normed and sum(isinstance(layer, nn.Conv2d | nn.Linear) for layer in layers) > SHALLOW
