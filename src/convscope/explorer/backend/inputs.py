"""Cache of recent input images with the network's output and the requested feature maps."""

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import numpy as np
import torch
from torch import Tensor

from convscope.analysis.target import ImageSet
from convscope.errors import ConfigError, closest, did_you_mean
from convscope.explainers import downsample, quantised, record
from convscope.explainers import unit as unit_of
from convscope.explorer.backend import uploads
from convscope.explorer.backend.image_sets import ImageSets
from convscope.explorer.backend.live_run import LiveRun, LoadedModel
from convscope.tasks import ViewTransform
from convscope.web.errors import NotAvailableError, NotFoundError

MAX_INPUTS = 32  # images in the cache
MAX_MAP_BYTES = 128 * 2**20  # of cached maps
MAX_RESPONSE_BYTES = 4 * 2**20  # of maps in one response
MAX_CLASSES = 1000  # in a response
INPUT = "input"


@dataclass(eq=False)
class CachedInput:
    """An image, the network's output for it, and the maps (C, h, w) or vectors (C,) that were requested so far."""

    images: ImageSet
    version: str = ""
    output: Tensor | None = None
    milliseconds: float = 0.0
    maps: dict[str, Tensor] = field(default_factory=dict)

    def bytes(self) -> int:
        """Return the size of the maps."""
        return sum(one.numel() * one.element_size() for one in self.maps.values())


@dataclass(frozen=True, eq=False)
class SelectedMaps:
    """Some channels of a layer's maps, quantised or exact.

    Attributes:
        channels: indices of the channels.
        total: number of channels of the layer.
        full: (H, W) of the layer's maps.
        values: (c, h, w) uint8 levels or float32.
        low: (c,) values of level 0; None for exact values.
        high: (c,) values of level 255; None for exact values.
    """

    layer: str
    channels: tuple[int, ...]
    total: int
    full: tuple[int, int]
    kind: str
    values: np.ndarray
    low: np.ndarray | None = None
    high: np.ndarray | None = None


class Inputs:
    """Input images by id: those of the run's splits, and uploaded ones, of which the last are kept."""

    def __init__(self, run: LiveRun, image_sets: ImageSets) -> None:
        self.run, self.image_sets = run, image_sets
        self._cache: OrderedDict[str, CachedInput] = OrderedDict()
        self._decoding = Lock()  # one file at a time: each may take 40 megapixels of memory

    def add(self, content: bytes, name: str, like: str | None, centre: bool) -> str:
        """Add an uploaded image from a file's bytes; return its id.

        Raises:
            TooLargeError, UnsupportedImageError: as in `uploads.decode_upload`.
        """
        subject = self.run.loaded_model().subject
        with self._decoding:
            if centre:
                content = uploads.centred(content, self.run.images("train"))
            pixels = uploads.decode_upload(content, subject)
        truth = int(self.images(like).targets[0]) if like else -1
        image = uploads.own_id(pixels)
        self._add(image, CachedInput(uploads.single_image_set(pixels, name[:200] or "uploaded image", truth)))
        return image

    def images(self, image: str) -> ImageSet:
        """Return the image of an id.

        Raises:
            NotFoundError: no such image, or it is no longer in the cache.
        """
        if image in self._cache or image.startswith("own-"):
            return self._cached(image).images
        return self.image_sets.image(image)

    def predict(self, image: str, watch: Sequence[str] = ()) -> dict[str, Any]:
        """Return the prediction for an image; cache the watched layers' maps in the same forward pass."""
        loaded = self.run.loaded_model()
        cached = self._computed(image, loaded, watch)
        assert cached.output is not None  # it has just been computed
        image_record = (
            self.image_sets.record(*self.image_sets.split_and_index(image)) if not image.startswith("own-") else {}
        )
        truth = int(cached.images.targets[0])
        return {
            "id": image,
            "name": cached.images.names[0],
            "truth": truth if truth >= 0 else None,
            "correction": image_record.get("correction"),
            "scores": class_scores(loaded, cached.output),
            "lines": prediction_lines(loaded, cached.images.names[0], cached.output),
            "output": loaded.module_tree.output,
            "network": loaded.version,
            "milliseconds": round(cached.milliseconds, 2),
        }

    def output(self, image: str) -> Tensor:
        """Return the network's output (1, ...) for an image; one that is not in the cache is not added to it."""
        loaded = self.run.loaded_model()
        if image in self._cache or image.startswith("own-"):
            output = self._computed(image, loaded, ()).output
            assert output is not None  # it has just been computed
            return output
        with self.run.lock, torch.no_grad():
            return single_tensor(loaded, loaded.subject.model(uploads.input_of(self.images(image), loaded.subject)))

    def maps(self, image: str, layer: str) -> Tensor:
        """Return the output of a layer, (C, h, w), or (C, 1, 1) of a vector; "input" is the normalised input."""
        loaded = self.run.loaded_model()
        found = self._computed(image, loaded, [layer]).maps[layer]
        return found if found.ndim == 3 else found.reshape(found.shape[0], 1, 1)

    def select_maps(
        self, image: str, layer: str, part: tuple[int, int | None], side: int | None, exact: bool, strongest: bool
    ) -> SelectedMaps:  # fmt: skip
        """Select channels of a layer, small enough for one response.

        Raises:
            ConfigError: no such channels, or too many values at once.
        """
        maps = self.maps(image, layer)
        total, full = len(maps), (int(maps.shape[1]), int(maps.shape[2]))
        first, stop = part[0], total if part[1] is None else min(part[1], total)
        if not 0 <= first < stop:
            raise ConfigError(
                f"channels: none from {first} to {part[1]} in layer {layer}, which has {total}; "
                f"choose from 0 to {total}"
            )
        order = maps.abs().mean((1, 2)).argsort(descending=True, stable=True) if strongest else torch.arange(total)
        channels = order[first:stop]
        chosen = maps[channels]
        if side is not None and not exact:
            chosen = downsample(chosen[None], side)[0]
        if chosen.numel() * (4 if exact else 1) > MAX_RESPONSE_BYTES:
            raise ConfigError(
                f"maps: {chosen.numel():,} values in one response are too many; request fewer channels or a smaller "
                "side"
            )
        kind, ids = "vector" if full == (1, 1) else "maps", tuple(channels.tolist())
        if exact:
            return SelectedMaps(layer, ids, total, full, kind, chosen.numpy())
        low, high, levels = quantised(chosen.numpy())
        return SelectedMaps(layer, ids, total, full, kind, levels, low.astype(np.float32), high.astype(np.float32))

    def summary(self, image: str, layer: str) -> dict[str, Any]:
        """Return the mean and range of every channel, and the channels that are zero everywhere."""
        flat = self.maps(image, layer).flatten(1)
        low, high = flat.min(1).values, flat.max(1).values
        empty = ((flat == 0).all(1)).nonzero().flatten()
        shape = self.maps(image, layer).shape
        return {
            "layer": layer, "total": len(flat), "full": list(shape[1:]), "mean": flat.mean(1).tolist(),
            "low": low.tolist(), "high": high.tolist(), "empty": empty.tolist(),
        }  # fmt: skip

    def unit(self, image: str, layer: str, channel: int, position: tuple[int, int], most: int) -> dict[str, Any]:
        """Return the computation of one unit's value, and its receptive field in pixels."""
        loaded, images = self.run.loaded_model(), self.images(image)
        if not layer.startswith("@"):
            check_layer(loaded, layer)
        with self.run.lock:
            x = uploads.input_of(images, loaded.subject)  # on the device of the weights, which another pass may move
            unit = unit_of(loaded.subject.model, x, layer, channel, position, most).to_json()
            row, column = unit["row"], unit["column"]
            if layer == INPUT:
                unit["field"] = [column, row, column + 1, row + 1]
            else:
                unit["field"] = None if layer.startswith("@") else list(loaded.field(layer).box(row, column))
        return {**unit, "network": loaded.version}

    def _cached(self, image: str) -> CachedInput:
        if image in self._cache:
            self._cache.move_to_end(image)
            return self._cache[image]
        if image.startswith("own-"):
            raise NotFoundError("input: no longer in the cache; upload it again")
        cached = CachedInput(self.image_sets.image(image))
        self._add(image, cached)
        return cached

    def _add(self, image: str, cached: CachedInput) -> None:
        with self.run.lock:
            self._cache.pop(image, None)
            self._cache[image] = cached
            while len(self._cache) > MAX_INPUTS:
                self._cache.popitem(last=False)

    def _computed(self, image: str, loaded: LoadedModel, layers: Sequence[str]) -> CachedInput:
        """Return the image with the output and these layers' maps, computed if missing."""
        for layer in layers:
            check_layer(loaded, layer)
        cached = self._cached(image)
        with self.run.lock:
            if cached.version != loaded.version:
                cached.maps, cached.output, cached.version = {}, None, loaded.version
            missing = [layer for layer in layers if layer not in cached.maps]
            if missing or cached.output is None:
                self._forward(loaded, cached, missing)
                self._free_memory(cached)
        return cached

    def _forward(self, loaded: LoadedModel, cached: CachedInput, layers: Sequence[str]) -> None:
        started = time.perf_counter()
        x = uploads.input_of(cached.images, loaded.subject)
        recorded = [layer for layer in layers if layer != INPUT]
        with record(loaded.subject.model, *recorded) as outputs:
            cached.output = single_tensor(loaded, loaded.subject.model(x))
            for layer in recorded:
                cached.maps[layer] = _first_output(outputs[layer], layer)
        if INPUT in layers:
            cached.maps[INPUT] = x[0].float().cpu()
        cached.milliseconds = 1000 * (time.perf_counter() - started)

    def _free_memory(self, current: CachedInput) -> None:
        """Drop the maps of the least recently used images while they exceed `MAX_MAP_BYTES`."""
        total = sum(cached.bytes() for cached in self._cache.values())
        for cached in list(self._cache.values()):
            if total <= MAX_MAP_BYTES:
                return
            if cached is not current:
                total -= cached.bytes()
                cached.maps = {}


def single_tensor(loaded: LoadedModel, output: Any) -> Tensor:
    """Return a network's output as float32 on the CPU.

    Raises:
        NotAvailableError: it is not a single tensor.
    """
    if not isinstance(output, Tensor):
        raise NotAvailableError(
            f"{loaded.subject.name}: its output is not a single tensor, which the explorer cannot show"
        )
    return output.detach().float().cpu()


def _first_output(output: Tensor, layer: str) -> Tensor:
    if output.ndim not in (2, 4):
        shape = tuple(output.shape)
        raise ConfigError(
            f"layer {layer}: its output has shape {shape}, neither maps nor a vector; choose another layer"
        )
    return output[0].float().cpu()


def check_layer(loaded: LoadedModel, layer: str) -> None:
    """Check that the network has a layer; "input" is one.

    Raises:
        ConfigError: it has none of this name.
    """
    names = (INPUT, *loaded.module_tree.names())
    if layer not in names:
        outermost = (INPUT, *(part.name for part in loaded.module_tree.parts))
        suggestion = did_you_mean(layer, names if closest(layer, names) else outermost)
        raise ConfigError(f"layer {layer[:80]}: the network has no such layer{suggestion}")


def class_scores(loaded: LoadedModel, output: Tensor) -> list[dict[str, Any]]:
    """Return the classes with their probabilities, largest first; [] for tasks without classes."""
    if not loaded.task.outputs_classes or output.ndim != 2:
        return []
    logits, probabilities = output[0], loaded.task.class_probabilities(output)[0]
    order = probabilities.argsort(descending=True, stable=True)[:MAX_CLASSES].tolist()
    return [{"class": k, "probability": float(probabilities[k]), "logit": float(logits[k])} for k in order]


def prediction_lines(loaded: LoadedModel, name: str, output: Tensor) -> list[str]:
    """Return the prediction for an image of this name as the task formats it."""
    height, width = loaded.subject.size
    view = ViewTransform(name, (height, width), 0.0, 0.0, float(width), float(height))
    return [str(cell) for cell in loaded.task.predictions(output, [view])[0].display(5)]
