"""A small network as a bundle, and image files for it."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from convscope.bundle import BundleConfig, save_bundle
from convscope.datasets.inputs.image_input import ImagePreprocessing
from convscope.models import build, resolve
from convscope.tasks import TASKS, TaskContext, check_options


def saved(folder: Path, channels: int = 3, white: float = 65535.0) -> tuple[nn.Module, BundleConfig]:
    """A ResNet of width 4 for 16 x 12 images of three classes, with statistics that are not those of its start."""
    torch.manual_seed(0)
    architecture = resolve("resnet18", 3, channels, (16, 12), {"width": 4, "depths": [1, 1]})
    model = build(architecture)
    with torch.no_grad():
        for _ in range(3):
            model(torch.randn(8, channels, 16, 12))
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    preprocessing = ImagePreprocessing(
        size=(16, 12),
        channels=channels,
        mean=(0.5, 0.4, 0.3)[:channels],
        std=(0.2, 0.25, 0.3)[:channels],
        white=(white,),
    )
    weights = sum(parameter.numel() for parameter in model.parameters())
    config = BundleConfig(
        task="classify",
        classes=("cat", "dog", "owl"),
        architecture=architecture,
        preprocessing=preprocessing,
        num_parameters=weights,
        epoch=7,
    )
    save_bundle(folder, model, config)
    return model.eval(), config


def drawn(file: Path, seed: int = 0, size: tuple[int, int] = (16, 12)) -> Path:
    """A file of coloured noise, (H, W)."""
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(file)
    return file


def saved_task(folder: Path, name: str) -> BundleConfig:
    """A small network of any task for 16 x 16 images of three classes, with random weights."""
    torch.manual_seed(0)
    kind = TASKS[name]
    shape = {"masks": (4, 16, 16), "boxes": (4, 5), "classes": (4,)}.get(kind.target_kind, (4, 3))
    dtype = np.int64 if kind.target_kind == "classes" else np.float32
    context = TaskContext(("cat", "dog", "owl"), np.ones(shape, dtype), (16, 16))
    task = kind.from_data(context, check_options(kind, {}, "settings"))
    network, options = task.network("resnet18", {"width": 4, "depths": [1, 1]})
    architecture = resolve(network, task.outputs, 3, (16, 16), options)
    model = task.attach_head(build(architecture)).eval()
    config = BundleConfig(
        task=name,
        classes=task.classes,
        architecture=architecture,
        preprocessing=ImagePreprocessing(size=(16, 16), channels=3, mean=(0.5,) * 3, std=(0.25,) * 3),
        num_parameters=sum(parameter.numel() for parameter in model.parameters()),
        task_settings=task.settings(),
    )
    save_bundle(folder, model, config)
    return config
