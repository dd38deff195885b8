"""The pictures that are looked at just now: the network's answers on them and the maps that were asked for."""

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
from convscope.explain import downsample, quantised, record
from convscope.explain import unit as unit_of
from convscope.explorer.backend import uploads
from convscope.explorer.backend.errors import NotAvailableError, NotFoundError
from convscope.explorer.backend.image_sets import ImageSets
from convscope.explorer.backend.live_run import LiveRun, LoadedModel
from convscope.tasks import ViewTransform

MOST = 32  # pictures that are kept
MOST_BYTES = 128 * 2**20  # of kept maps
SENT = 4 * 2**20  # bytes of maps in one answer
CLASSES = 1000  # in an answer
INPUT = "input"


@dataclass(eq=False)
class CachedInput:
    """A picture, what the network said of it, and the maps (C, h, w) or vectors (C,) that were asked for so far."""

    images: ImageSet
    version: str = ""
    output: Tensor | None = None
    milliseconds: float = 0.0
    maps: dict[str, Tensor] = field(default_factory=dict)

    def bytes(self) -> int:
        """Of the maps."""
        return sum(one.numel() * one.element_size() for one in self.maps.values())


@dataclass(frozen=True, eq=False)
class SentMaps:
    """Some channels of a layer's maps: levels with their range, or exact values.

    Attributes:
        channels: their ids.
        total: how many the layer has.
        full: height and width of the layer's maps.
        values: (c, h, w) uint8 levels or float32.
        low: (c,) and `high`: what levels 0 and 255 stand for; None for exact values.
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
    """Pictures by their ids: those of the run's sets, and own ones, of which the last are kept."""

    def __init__(self, run: LiveRun, image_sets: ImageSets) -> None:
        self.seen, self.sets = run, image_sets
        self._looked: OrderedDict[str, CachedInput] = OrderedDict()
        self._decoding = Lock()  # one file at a time: each may take 40 megapixels of memory

    def add(self, content: bytes, name: str, like: str | None, centre: bool) -> str:
        """Take an own picture from a file's bytes; returns its id.

        Raises:
            TooLargeError, NoImageError, NotYetError: as `uploads.decode_upload` says.
        """
        subject = self.seen.loaded_model().subject
        with self._decoding:
            if centre:
                content = uploads.centred(content, self.seen.images("train"))
            pixels = uploads.decode_upload(content, subject)
        truth = int(self.images(like).targets[0]) if like else -1
        image = uploads.own_id(pixels)
        self._keep(image, CachedInput(uploads.single_image_set(pixels, name[:200] or "own picture", truth)))
        return image

    def images(self, image: str) -> ImageSet:
        """The picture of an id.

        Raises:
            UnknownError: there is none, or it is no longer kept.
        """
        return self._of(image).images

    def predict(self, image: str, watch: Sequence[str] = ()) -> dict[str, Any]:
        """What the network says of a picture, and the watched layers' maps into memory in the same pass."""
        loaded = self.seen.loaded_model()
        cached = self._seen(image, loaded, watch)
        assert cached.output is not None  # it has just been computed
        record_ = self.sets.record(*self.sets.split_and_index(image)) if not image.startswith("own-") else {}
        truth = int(cached.images.targets[0])
        return {
            "id": image,
            "name": cached.images.names[0],
            "truth": truth if truth >= 0 else None,
            "mark": record_.get("mark"),
            "answer": _classes(loaded, cached.output),
            "said": _prediction_text(loaded, cached),
            "output": loaded.module_tree.output,
            "network": loaded.version,
            "milliseconds": round(cached.milliseconds, 2),
        }

    def maps(self, image: str, layer: str) -> Tensor:
        """(C, h, w) of a layer, (C, 1, 1) of a vector; "input" is the picture as the network takes it."""
        loaded = self.seen.loaded_model()
        found = self._seen(image, loaded, [layer]).maps[layer]
        return found if found.ndim == 3 else found.reshape(found.shape[0], 1, 1)

    def sent(
        self, image: str, layer: str, part: tuple[int, int | None], side: int | None, exact: bool, strongest: bool
    ) -> SentMaps:  # fmt: skip
        """Some of a layer's channels, small enough to be sent.

        Raises:
            ConfigError: there are no such channels, or they are too many at once.
        """
        maps = self.maps(image, layer)
        total, full = len(maps), (int(maps.shape[1]), int(maps.shape[2]))
        first, stop = part[0], total if part[1] is None else min(part[1], total)
        if not 0 <= first < stop:
            raise ConfigError(f"channels: none from {first} to {part[1]} in layer {layer}, which has {total}")
        order = maps.abs().mean((1, 2)).argsort(descending=True, stable=True) if strongest else torch.arange(total)
        channels = order[first:stop]
        chosen = maps[channels]
        if side is not None and not exact:
            chosen = downsample(chosen[None], side)[0]
        if chosen.numel() * (4 if exact else 1) > SENT:
            raise ConfigError(
                f"maps: {chosen.numel():,} numbers at once are too many; ask for fewer channels or a side"
            )
        kind, ids = "vector" if full == (1, 1) else "maps", tuple(channels.tolist())
        if exact:
            return SentMaps(layer, ids, total, full, kind, chosen.numpy())
        low, high, levels = quantised(chosen.numpy())
        return SentMaps(layer, ids, total, full, kind, levels, low.astype(np.float32), high.astype(np.float32))

    def summary(self, image: str, layer: str) -> dict[str, Any]:
        """Mean and range of every channel, and which answer nothing."""
        flat = self.maps(image, layer).flatten(1)
        low, high = flat.min(1).values, flat.max(1).values
        empty = ((flat == 0).all(1)).nonzero().flatten()
        shape = self.maps(image, layer).shape
        return {
            "layer": layer, "total": len(flat), "full": list(shape[1:]), "mean": flat.mean(1).tolist(),
            "low": low.tolist(), "high": high.tolist(), "empty": empty.tolist(),
        }  # fmt: skip

    def unit(self, image: str, layer: str, channel: int, place: tuple[int, int], most: int) -> dict[str, Any]:
        """The arithmetic behind one number, and the pixels that it sees."""
        loaded, images = self.seen.loaded_model(), self.images(image)
        if not layer.startswith("@"):
            _check_layer(loaded, layer)
        with self.seen.lock:
            x = uploads.input_of(images, loaded.subject)  # it goes where the weights are: another pass moves them
            found = unit_of(loaded.subject.model, x, layer, channel, place, most).to_json()
            row, column = found["row"], found["column"]
            if layer == INPUT:
                found["field"] = [column, row, column + 1, row + 1]
            else:
                found["field"] = None if layer.startswith("@") else list(loaded.field(layer).box(row, column))
        return {**found, "network": loaded.version}

    def _of(self, image: str) -> CachedInput:
        if image in self._looked:
            self._looked.move_to_end(image)
            return self._looked[image]
        if image.startswith("own-"):
            raise NotFoundError("input: this picture is no longer kept; draw or drop it again")
        cached = CachedInput(self.sets.image(image))
        self._keep(image, cached)
        return cached

    def _keep(self, image: str, cached: CachedInput) -> None:
        with self.seen.lock:
            self._looked.pop(image, None)
            self._looked[image] = cached
            while len(self._looked) > MOST:
                self._looked.popitem(last=False)

    def _seen(self, image: str, loaded: LoadedModel, layers: Sequence[str]) -> CachedInput:
        """The picture with the network's answer and these layers' maps, computed where they are not there yet."""
        for layer in layers:
            _check_layer(loaded, layer)
        cached = self._of(image)
        with self.seen.lock:
            if cached.version != loaded.version:
                cached.maps, cached.output, cached.version = {}, None, loaded.version
            missing = [layer for layer in layers if layer not in cached.maps]
            if missing or cached.output is None:
                self._pass(loaded, cached, missing)
                self._make_room(cached)
        return cached

    def _pass(self, loaded: LoadedModel, cached: CachedInput, layers: Sequence[str]) -> None:
        began = time.perf_counter()
        x = uploads.input_of(cached.images, loaded.subject)
        inside = [layer for layer in layers if layer != INPUT]
        with record(loaded.subject.model, *inside) as kept:
            output = loaded.subject.model(x)
            if not isinstance(output, Tensor):
                raise NotAvailableError(
                    f"{loaded.subject.name}: its answer is no single tensor, which this page cannot show"
                )
            cached.output = output.float().cpu()
            for layer in inside:
                cached.maps[layer] = _one(kept[layer], layer)
        if INPUT in layers:
            cached.maps[INPUT] = x[0].float().cpu()
        cached.milliseconds = 1000 * (time.perf_counter() - began)

    def _make_room(self, keep: CachedInput) -> None:
        """Forget the maps of what was looked at longest ago while they take too much memory."""
        taken = sum(cached.bytes() for cached in self._looked.values())
        for cached in list(self._looked.values()):
            if taken <= MOST_BYTES:
                return
            if cached is not keep:
                taken -= cached.bytes()
                cached.maps = {}


def _one(output: Tensor, layer: str) -> Tensor:
    if output.ndim not in (2, 4):
        shape = tuple(output.shape)
        raise ConfigError(f"layer {layer}: gives a tensor of shape {shape}, not maps or a vector; choose another layer")
    return output[0].float().cpu()


def _check_layer(loaded: LoadedModel, layer: str) -> None:
    known = (INPUT, *loaded.module_tree.names())
    if layer not in known:
        outermost = (INPUT, *(part.name for part in loaded.module_tree.parts))
        meant = did_you_mean(layer, known if closest(layer, known) else outermost)
        raise ConfigError(f"layer {layer[:80]}: the network has no such layer{meant}")


def _classes(loaded: LoadedModel, output: Tensor) -> list[dict[str, Any]]:
    """Classes with their probabilities, the likeliest first; none where the task names none."""
    if not loaded.task.outputs_classes or output.ndim != 2:
        return []
    logits, shares = output[0], loaded.task.class_probabilities(output)[0]
    order = shares.argsort(descending=True, stable=True)[:CLASSES].tolist()
    return [{"class": k, "probability": float(shares[k]), "logit": float(logits[k])} for k in order]


def _prediction_text(loaded: LoadedModel, cached: CachedInput) -> list[str]:
    """The answer in the task's own words."""
    height, width = loaded.subject.size
    frame = ViewTransform(cached.images.names[0], (height, width), 0.0, 0.0, float(width), float(height))
    return [str(cell) for cell in loaded.task.predictions(cached.output, [frame])[0].display(5)]  # type: ignore[arg-type]
