"""Preview of augmentation: original and augmented images, with their masks and boxes."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from convscope.analysis.data_urls import address
from convscope.datasets import Batches, BatchSettings, build_store, shown_channels
from convscope.pipeline import augmentation_for, size_for, task_of_target_kind
from convscope.runs.loaders import open_source
from convscope.runs.overrides import Overrides, lay, nest, settings_from_options
from convscope.runs.parse import check_overrides
from convscope.runs.pixel_settings import images_only
from convscope.runs.recipe import AugmentSettings
from convscope.tasks import TASKS

GAP = 4  # pixels between images
PROBED = 200  # images used to choose defaults


@dataclass(frozen=True, eq=False, repr=False)
class AugmentedImages:
    """A sheet of augmented images.

    Attributes:
        picture: one row per image: the original, then its augmented variants.
        settings: the augmentation.
    """

    picture: Image.Image
    settings: AugmentSettings

    @property
    def description(self) -> str:
        """The augmentation as text."""
        changes = "".join(f", {name} {value:g}" for name, value in self.settings.changes.items())
        return f"policy {self.settings.policy}{changes}, {'flipped' if self.settings.mirror else 'not flipped'}"

    def __repr__(self) -> str:
        """The augmentation and the size of the picture."""
        width, height = self.picture.size
        return f"AugmentedImages({self.description}; {width} x {height} pixels)"

    def _repr_html_(self) -> str:
        return f'<img src="{address(np.asarray(self.picture))}"><p>{escape(repr(self))}</p>'


def augment(
    data: str | Path,
    *,
    task: str | None = None,
    settings: Mapping[str, Any] | None = None,
    images: int = 6,
    variants: int = 7,
) -> AugmentedImages:
    """Draw augmented images: one row per image, the original, then `variants` of it, with boxes and masks.

    Args:
        data: a folder, a table or a built-in name.
        task: the task; by default detected from the data.
        settings: of the augmentation, like ``{"policy": "light", "changes.rotate": 30}``; the defaults are those of
            training.
        images: number of rows, sampled evenly from the data.
        variants: number of augmented variants per image.

    Raises:
        DataError: there are no such data.
        ConfigError: no such task or setting, or a value is out of range.
    """
    options = {"data": ("data.source", str(data)), "task": ("task", task)}
    recipe = check_overrides(settings_from_options(options))
    found = open_source(recipe.data, TASKS[recipe.task].target_kind if task else None, recipe.input)
    images_only(found.input_kind, "convscope augment", found.source)
    found = found.subset(np.unique(np.linspace(0, len(found) - 1, PROBED).astype(int)))
    size = size_for(found, torch.device("cpu"), recipe.model.name)["data"]["size"]
    store = build_store(found, size)
    defaults = augmentation_for(found, store.pixels, store.readable)
    request = Overrides.of({"augment": nest(dict(settings or {}))}, "augment")
    chosen = check_overrides(lay(defaults, request)).augment
    rows = store.readable[np.unique(np.linspace(0, len(store.readable) - 1, images).astype(int))]
    masks, _ = found.kind.decode(found, size)
    targets = found.kind.in_view(found, size) if masks is None else masks
    draw = TASKS[task_of_target_kind(found.target_kind)].draw_target
    augmented = BatchSettings(
        batch=len(rows),
        mean=(0.0,) * found.channels,
        std=(1.0,) * found.channels,
        policy=chosen.chosen(),
        mirror=chosen.mirror,
        target_kind=found.target_kind,
    )
    plain = augmented.model_copy(update={"policy": "none"})
    columns = [next(iter(Batches(store.pixels, targets, rows, plain)(0)))]
    columns += [next(iter(Batches(store.pixels, targets, rows, augmented)(epoch))) for epoch in range(variants)]
    pictures = [[draw(_image(x[i], found.shown_channels), y[i].numpy()) for x, y in columns] for i in range(len(rows))]
    return AugmentedImages(Image.fromarray(_sheet(pictures)), chosen)


def _image(x: torch.Tensor, chosen: tuple[int, ...]) -> NDArray[np.uint8]:
    """Convert (C, H, W) values in [0, 1] to (H, W, 3) bytes."""
    shown = torch.from_numpy(shown_channels(x.numpy(), chosen))
    return (255 * shown.expand(3, -1, -1)).round().to(torch.uint8).permute(1, 2, 0).numpy()


def _sheet(rows: list[list[NDArray[np.uint8]]]) -> NDArray[np.uint8]:
    height, width = rows[0][0].shape[:2]
    shape = (len(rows) * (height + GAP) + GAP, len(rows[0]) * (width + GAP) + GAP, 3)
    sheet = np.full(shape, 255, np.uint8)
    for i, row in enumerate(rows):
        for k, picture in enumerate(row):
            top, left = GAP + i * (height + GAP), GAP + k * (width + GAP)
            sheet[top : top + height, left : left + width] = picture
    return sheet
