"""Image patches that activate each channel most."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from convscope.errors import ConfigError, DataError, ModelError
from convscope.explain.hooks import record
from convscope.explain.receptive_field import ReceptiveField, receptive_field
from convscope.progress import Progress


@dataclass(frozen=True)
class Stimuli:
    """The images that activate each channel most, strongest first, with at most one patch per image.

    Attributes:
        layer: the layer's name.
        values: (C, k) float32 activations.
        images: (C, k) int64, indices of the images in order of the batches.
        boxes: (C, k, 4) int64, the unit's receptive field, xyxy in pixels of the network's input.
        silent: channels that no image activates above zero.
        num_images: number of images processed.
        field: the layer's receptive field.
    """

    layer: str
    values: np.ndarray
    images: np.ndarray
    boxes: np.ndarray
    silent: tuple[int, ...]
    num_images: int
    field: ReceptiveField

    def to_json(self) -> dict[str, Any]:
        """Return per channel the activations, image indices and boxes."""
        return {
            "layer": self.layer,
            "num_images": self.num_images,
            "receptive_field": self.field.to_json(),
            "silent": list(self.silent),
            "values": self.values.tolist(),
            "images": self.images.tolist(),
            "boxes": self.boxes.tolist(),
        }


def stimuli(
    model: nn.Module,
    layer: str,
    batches: Iterable[Tensor],
    count: int = 9,
    on_progress: Progress | None = None,
) -> Stimuli:
    """Find the images, and the patches in them, that activate each channel of a layer most.

    Zeiler and Fergus 2014, figure 2. One pass over the images; memory does not grow with their number.

    Args:
        model: any network.
        layer: a layer that returns maps (B, C, h, w) or vectors (B, C).
        batches: (B, C, H, W) preprocessed images, all of one size.
        count: patches per channel, limited to the number of images.
        on_progress: called with the number of images done.
    Returns:
        The patches; ties go to the first image, and to the first position in it.
    Raises:
        DataError: no images.
        ModelError: no such layer, or its output is neither maps nor vectors.
        ConfigError: the count is below 1.
    """
    if count < 1:
        raise ConfigError(f"count: {count} patches per channel; choose at least 1")
    best: _Best | None = None
    sample, size, num_images = torch.empty(0), (1, 1), 0
    with record(model, layer) as kept:
        for x in batches:
            kept.forward(x)
            values, positions, size = _peaks(kept[layer], layer)
            best = _merge(best, _Best(values, num_images + torch.arange(len(x)).expand_as(values), positions), count)
            sample, num_images = x[:1], num_images + len(x)
            if on_progress:
                on_progress(num_images, None)
    if best is None:
        raise DataError("stimuli: no images; pass at least one batch")
    field = receptive_field(model, layer, sample)
    units = best.positions.numpy()
    boxes = [[field.box(*divmod(int(unit), size[1])) for unit in row] for row in units]
    silent = tuple((best.values[:, 0] <= 0).nonzero().flatten().tolist())
    return Stimuli(layer, best.values.numpy(), best.images.numpy(), np.array(boxes), silent, num_images, field)


def crop_patch(image: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Crop an image (C, H, W) to a box xyxy."""
    left, top, right, bottom = (int(edge) for edge in box)
    return image[:, top:bottom, left:right]


@dataclass(frozen=True)
class _Best:
    """Each (C, k): activation, image index, and position in the flattened map."""

    values: Tensor
    images: Tensor
    positions: Tensor


def _peaks(output: Tensor, layer: str) -> tuple[Tensor, Tensor, tuple[int, int]]:
    if output.ndim not in (2, 4):
        shape = tuple(output.shape)
        raise ModelError(
            f"layer {layer}: output of shape {shape}; choose a layer that returns maps (B, C, h, w) or vectors (B, C)"
        )
    maps = output if output.ndim == 4 else output[:, :, None, None]
    values, positions = maps.flatten(2).float().max(2)
    return values.T.cpu(), positions.T.cpu(), (maps.shape[2], maps.shape[3])


def _merge(best: _Best | None, new: _Best, count: int) -> _Best:
    if best is not None:
        joined = zip((best.values, best.images, best.positions), (new.values, new.images, new.positions), strict=True)
        new = _Best(*(torch.cat(pair, 1) for pair in joined))
    order = torch.sort(new.values, dim=1, descending=True, stable=True).indices[:, :count]
    return _Best(new.values.gather(1, order), new.images.gather(1, order), new.positions.gather(1, order))
