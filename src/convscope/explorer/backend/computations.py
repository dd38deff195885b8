"""What the explorer computes on demand: each a function from what was asked to pictures and numbers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from convscope.analysis.attribution import attributed
from convscope.analysis.layout import sized
from convscope.analysis.result import Findings
from convscope.analysis.selection import attribution_layer, require_class_scores, stages
from convscope.analysis.target import AnalysisTarget, ImageSet
from convscope.api.evaluate import scores
from convscope.errors import ConfigError
from convscope.explain import (
    INVERT,
    crop_patch,
    enlarge,
    feature_vectors,
    filters,
    invert,
    kernel_tile,
    map_2d,
    map_tile,
    nearest,
    overlay,
    pixel_vectors,
    purity,
    stimuli,
)
from convscope.explorer.backend import requests as asks
from convscope.explorer.backend.image_sets import ImageSets
from convscope.explorer.backend.inputs import Inputs
from convscope.explorer.backend.live_run import LiveRun, LoadedModel
from convscope.explorer.backend.pictures import shown_pixels
from convscope.progress import Progress  # fmt: skip
from convscope.runs.loaders import reload
from convscope.runs.predictions import predict_split as answer_all

KERNELS = 256  # of a layer that are drawn
SIDE = 96  # pixels of small pictures
FINEST = 112  # places of a heat map that are sent
SMALL = 6  # digits of a heat map's numbers


@dataclass(frozen=True, eq=False)
class JobContext:
    """What a computation works on: the network with its own copy to compute with, the images, the inputs."""

    run: LiveRun
    loaded_model: LoadedModel
    image_sets: ImageSets
    inputs: Inputs

    @property
    def subject(self) -> AnalysisTarget:
        """The network's copy that nobody else uses, made while nothing hangs on the original."""
        with self.run.lock:
            return self.loaded_model.private_copy

    def stage(self, layer: str | None) -> str:
        """The layer named, or the last stage."""
        return layer or stages(self.subject.model, self.loaded_model.blank())[-1]


JobFunction = Callable[[JobContext, Any, Progress], Findings]


def split_predictions(context: JobContext, request: asks.PredictionsSettings, on_progress: Progress) -> Findings:
    """Ask the network about a whole set, and keep its answers in the run."""
    prepared = reload(context.run.folder, (request.split,))
    found = answer_all(context.run.folder, prepared, request.split, on_progress=on_progress)
    told = scores(found)
    return Findings({}, {"images": len(found.names), "scores": told}, (f"{len(found.names):,} images answered",))


def attribution(context: JobContext, request: asks.AttributionSettings, on_progress: Progress) -> Findings:
    """Which places of a picture speak for a class."""
    subject = context.subject
    require_class_scores(subject)
    images = context.inputs.images(request.image)
    x = subject.input(images)
    target = request.class_
    if target is None:
        target = int(context.inputs.predict(request.image)["answer"][0]["class"])
    if target >= len(subject.classes):
        raise ConfigError(f"class: no {target}; choose from 0 to {len(subject.classes) - 1}")
    layer = request.layer or attribution_layer(subject.model, x)
    found = attributed(subject.model, x, request.how, layer, torch.tensor([target]), request.seed)
    on_progress(1, 1)
    pixels, values = images.pixels()[0].numpy(), found.maps[0]
    heat = enlarge(values[None], subject.size)[0]
    numbers = {
        "how": request.how,
        "layer": found.layer,
        "class": target,
        "low": float(values.min()),
        "high": float(values.max()),
        **_downsample_heat(values),
    }
    return Findings({"map": _heat_overlay(heat), "overlay": overlay(_three(pixels), heat)}, numbers)


def top_patches(context: JobContext, request: asks.TopPatchesSettings, on_progress: Progress) -> Findings:
    """The patches of the run's images that excite channels most, each cut to what the unit sees."""
    images = context.run.images(request.split)

    def report(done: int, _of: int | None) -> None:
        on_progress(done, len(images))

    found = stimuli(context.subject.model, request.layer, context.subject.batches(images), request.each, report)
    _check_channels(request.layer, request.channels, len(found.values))
    pictures, rows = {}, []
    for channel in request.channels:
        patches = []
        for rank, (image, box) in enumerate(zip(found.images[channel], found.boxes[channel], strict=True)):
            name = f"channel-{channel}-{rank}"
            pixels = crop_patch(images.select([int(image)]).pixels()[0].numpy(), box)
            pictures[name] = sized(shown_pixels(torch.from_numpy(pixels)), SIDE)
            patches.append(
                {
                    "image": context.image_sets.record(request.split, int(image)),
                    "value": float(found.values[channel, rank]),
                    "box": box.tolist(),
                    "picture": name,
                }
            )
        rows.append({"channel": channel, "silent": channel in found.silent, "patches": patches})
    return Findings(pictures, {"layer": request.layer, "seen": found.num_images, "channels": rows})


def neighbours(context: JobContext, request: asks.NeighboursSettings, on_progress: Progress) -> Findings:
    """The images that the network finds most like a picture, beside those that are most alike in pixels."""
    images, asked = context.run.images(request.split), context.inputs.images(request.image)
    if len(images) < 3:
        raise ConfigError(f"neighbours: {len(images)} images in the {request.split} set; at least 3 are needed")
    layer, subject = context.stage(request.layer), context.subject
    near, shares = {}, {}
    for space in ("features", "pixels"):
        vectors, query = (_vectors(subject, space, layer, some, on_progress) for some in (images, asked))
        found = nearest(vectors, request.count + 1, query)
        pairs = [
            (int(place), float(far)) for place, far in zip(found.indices[0], found.distances[0], strict=True)
            if f"{request.split}-{place}" != request.image
        ][: request.count]  # fmt: skip
        near[space] = [
            {"image": context.image_sets.record(request.split, place), "distance": far} for place, far in pairs
        ]
        if (images.targets >= 0).all():
            shares[space] = float(purity(nearest(vectors, request.count), images.targets).mean())
    return Findings({}, {"layer": layer, **near, "purity": shares or None})


def embedding_map(context: JobContext, request: asks.EmbeddingMapSettings, on_progress: Progress) -> Findings:
    """A set laid out so that what a layer finds alike is near."""
    images, layer = context.run.images(request.split), context.stage(request.layer)
    places = np.unique(np.linspace(0, len(images) - 1, min(request.most, len(images))).astype(int))
    vectors = _vectors(context.subject, "features", layer, images.select(places), on_progress)
    points = map_2d(vectors, request.method, request.seed)
    spread = float(np.ptp(points, axis=0).max()) or 1.0
    scaled = (points - points.min(0)) / spread
    scaled += (1 - scaled.max(0)) / 2
    rows = []
    for place, (x, y) in zip(places.tolist(), scaled.tolist(), strict=True):
        image = context.image_sets.record(request.split, place)
        rows.append({"id": image["id"], "x": x, "y": y, "truth": image["truth"], "answer": image["answer"]})
    return Findings({}, {"layer": layer, "points": rows})


def inversion(context: JobContext, request: asks.InversionSettings, on_progress: Progress) -> Findings:
    """What a layer has kept of a picture, painted from noise."""
    subject, x = context.subject, context.subject.input(context.inputs.images(request.image))
    settings = INVERT.model_copy(update={"steps": request.steps, "seed": request.seed})
    (found,) = invert(subject.model, x, [request.layer], subject.space, settings, on_progress)
    numbers = {
        "layer": request.layer, "loss_start": float(found.loss_start[0]), "loss_end": float(found.loss_final[0]),
        "fall": float(found.loss_reduction[0]), "likeness": float(found.similarity[0]), "picture": "inverted",
    }  # fmt: skip
    return Findings({"inverted": _small(found.pictures.pixels[0])}, numbers)


def filter_images(context: JobContext, request: asks.FiltersSettings, on_progress: Progress) -> Findings:
    """A layer's kernels as pictures, with their smoothness, the dead and the duplicates."""
    found = filters(context.subject.model, request.layer)
    depth = found.weights.shape[1]
    strongest = np.arange(depth) if depth in (1, 3) else np.argsort(-(found.weights**2).sum((0, 2, 3)))[:1]
    pictures = {
        f"kernel-{k}": sized(kernel_tile(found.weights[k, strongest]), SIDE)
        for k in range(min(KERNELS, len(found.weights)))
    }
    on_progress(1, 1)
    smooth = found.smoothness
    numbers = {
        "layer": found.layer, "dead": found.dead, "duplicates": [list(pair) for pair in found.duplicates],
        "smoothness": smooth and smooth.scores, "kernels": list(pictures), "channels": strongest,
    }  # fmt: skip
    return Findings(pictures, numbers)


def _vectors(subject: AnalysisTarget, space: str, layer: str, images: ImageSet, on_progress: Progress) -> np.ndarray:
    if space == "pixels":
        return pixel_vectors(subject.batches(images))
    return feature_vectors(
        subject.model, layer, subject.batches(images), lambda done, _: on_progress(done, len(images))
    )


def _downsample_heat(values: np.ndarray) -> dict[str, Any]:
    """A heat map's numbers, at no more places than are worth sending."""
    scale = max(1, -(-max(values.shape) // FINEST))
    height, width = (length // scale * scale for length in values.shape)
    cells = values[:height, :width].reshape(height // scale, scale, width // scale, scale).mean((1, 3))
    return {"height": cells.shape[0], "width": cells.shape[1], "map": np.round(cells.astype(np.float64), SMALL)}


def _heat_overlay(heat: np.ndarray) -> np.ndarray:
    """The map in colour, as opaque as it is strong."""
    top = float(np.abs(heat).max())
    opacity = (np.abs(heat) / top if top > 0 else np.zeros(heat.shape)) * 255
    return np.concatenate([map_tile(heat), opacity.round().astype(np.uint8)[..., None]], 2)


def _three(pixels: np.ndarray) -> np.ndarray:
    return pixels if len(pixels) in (1, 3) else pixels.mean(0, keepdims=True)


def _small(pixels: np.ndarray) -> np.ndarray:
    return sized(shown_pixels(torch.from_numpy(pixels)), max(SIDE, max(pixels.shape[1:])))


def _check_channels(layer: str, channels: tuple[int, ...], count: int) -> None:
    wrong = next((channel for channel in channels if not 0 <= channel < count), None)
    if wrong is not None:
        raise ConfigError(f"channels: no {wrong} in layer {layer}, which has {count}; choose from 0 to {count - 1}")
