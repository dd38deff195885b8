"""The patches of the user's own images that excite each channel most."""

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
    """The best images of every channel, the strongest first; at most one patch of each image.

    Attributes:
        layer: its name.
        values: (C, k) float32 activations.
        images: (C, k) int64, the images' places in the order they came.
        boxes: (C, k, 4) int64, what the unit can see, xyxy in pixels of the network's input.
        silent: channels that no image drives above zero.
        num_images: how many images went through.
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
        """Return the numbers: per channel the activations, images and boxes."""
        return {
            "layer": self.layer,
            "seen": self.num_images,
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
    """The images, and in them the patches, that excite each channel of a layer most.

    Zeiler and Fergus 2014, figure 2. One pass; only `count` numbers per channel are held, whatever the size of the set.

    Args:
        model: any network.
        layer: one that gives maps (B, C, h, w), or vectors (B, C).
        batches: (B, C, H, W) images as the network takes them, all of one size.
        count: patches per channel; fewer where there are fewer images.
        on_progress: called with the images done.
    Returns:
        Ties go to the image, and in it to the place, that comes first.
    Raises:
        DataError: no images.
        ModelError: no such layer, or one without channels.
        ConfigError: a count below 1.
    """
    if count < 1:
        raise ConfigError(f"count: {count} patches for each channel; ask for at least 1")
    best: _Best | None = None
    sample, size, seen = torch.empty(0), (1, 1), 0
    with record(model, layer) as kept:
        for x in batches:
            kept.forward(x)
            values, places, size = _peaks(kept[layer], layer)
            best = _merge(best, _Best(values, seen + torch.arange(len(x)).expand_as(values), places), count)
            sample, seen = x[:1], seen + len(x)
            if on_progress:
                on_progress(seen, None)
    if best is None:
        raise DataError("stimuli: no images; give at least one batch")
    field = receptive_field(model, layer, sample)
    units = best.places.numpy()
    boxes = [[field.box(*divmod(int(unit), size[1])) for unit in row] for row in units]
    silent = tuple((best.values[:, 0] <= 0).nonzero().flatten().tolist())
    return Stimuli(layer, best.values.numpy(), best.images.numpy(), np.array(boxes), silent, seen, field)


def crop_patch(image: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Return the part of an image (C, H, W) inside a box xyxy."""
    left, top, right, bottom = (int(edge) for edge in box)
    return image[:, top:bottom, left:right]


@dataclass(frozen=True)
class _Best:
    """Each (C, k): activation, image, and place in the flattened map."""

    values: Tensor
    images: Tensor
    places: Tensor


def _peaks(output: Tensor, layer: str) -> tuple[Tensor, Tensor, tuple[int, int]]:
    if output.ndim not in (2, 4):
        shape = tuple(output.shape)
        raise ModelError(
            f"layer {layer}: gives a tensor of shape {shape}; choose one with maps (B, C, h, w) or vectors"
        )
    maps = output if output.ndim == 4 else output[:, :, None, None]
    values, places = maps.flatten(2).float().max(2)
    return values.T.cpu(), places.T.cpu(), (maps.shape[2], maps.shape[3])


def _merge(best: _Best | None, new: _Best, count: int) -> _Best:
    if best is not None:
        joined = zip((best.values, best.images, best.places), (new.values, new.images, new.places), strict=True)
        new = _Best(*(torch.cat(pair, 1) for pair in joined))
    order = torch.sort(new.values, dim=1, descending=True, stable=True).indices[:, :count]
    return _Best(new.values.gather(1, order), new.images.gather(1, order), new.places.gather(1, order))
