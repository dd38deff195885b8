"""Neighbours in features and in pixels, look-alikes of other classes, and maps of a set."""

import colorsys
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from convscope.analysis.images import ImageSet
from convscope.analysis.layout import (
    OTHER,
    SAME,
    beside,
    headed,
    image_tile,
    shortened,
    sized,
    table,
    titled,
    with_frame,
)
from convscope.analysis.result import Findings
from convscope.analysis.target import AnalysisTarget
from convscope.explainers import (
    LookAlike,
    Neighbours,
    feature_vectors,
    look_alikes,
    map_2d,
    nearest,
    pixel_vectors,
    purity,
    thumbnails,
)
from convscope.progress import Progress

Projection = Literal["pca", "tsne"]
SIDE = 96
ON_MAP = 400  # images
ALARMS = 12
NAMED = 92  # pixels of a file's name in an alarm's heading


def compare_neighbours(
    subject: AnalysisTarget,
    space: tuple[str, Sequence[int]],
    sets: tuple[ImageSet, ImageSet],
    count: int,
    projection: tuple[Projection, int],
    report: Progress,
) -> Findings:
    """Neighbours of images among others.

    Args:
        subject: the network.
        space: the layer and the channels whose features are compared.
        sets: the images among which neighbours are looked for, and those whose neighbours are wanted.
        count: neighbours of each.
        projection: "pca" or "tsne", and its seed.
        report: called with the images done.
    """
    (layer, channels), (images, request) = space, sets
    features = feature_vectors(subject.model, layer, subject.batches(images), report, tuple(channels))
    vectors = {"features": features, "pixels": pixel_vectors(subject.batches(images))}
    near = {space: nearest(one, count) for space, one in vectors.items()}
    queries = _queries(subject, (layer, channels), sets, count, near, vectors)
    pictures = {
        "neighbours": neighbours_sheet(subject, images, request, queries, layer),
        "map": map_sheet(subject, images, features, *projection),
    }
    numbers: dict[str, Any] = {
        "layer": layer,
        "images": images.names,
        "queries": request.names,
        "neighbours": {
            space: [[images.names[i] for i in row] for row in one.indices] for space, one in queries.items()
        },
        "distances": {space: one.distances for space, one in queries.items()},
    }
    data = {"layer": layer, "queries": [_records(images, queries, row) for row in range(len(request))]}
    if (images.targets < 0).any():
        return Findings(pictures, numbers, (f"{len(request)} images compared with {len(images):,}",), data=data)
    alarms = {space: look_alikes(one, images.targets, space) for space, one in near.items()}  # type: ignore[arg-type]
    shares = {space: float(purity(one, images.targets).mean()) for space, one in near.items()}
    if any(alarms.values()):
        pictures["look_alikes"] = alarm_sheet(subject, images, alarms)
    numbers |= {"purity": shares, "look_alikes": {s: [_named(images, a) for a in found] for s, found in alarms.items()}}
    return Findings(pictures, numbers, _sentences(shares, alarms, count, layer, len(images)), data=data)


def _records(images: ImageSet, queries: dict[str, Neighbours], row: int) -> dict[str, list[dict[str, Any]]]:
    return {
        space: [
            {"image": images.names[place], "distance": float(far)}
            for place, far in zip(one.indices[row].tolist(), one.distances[row], strict=True)
        ]
        for space, one in queries.items()
    }


def _queries(
    subject: AnalysisTarget,
    space: tuple[str, Sequence[int]],
    sets: tuple[ImageSet, ImageSet],
    count: int,
    near: dict[str, Neighbours],
    vectors: dict[str, np.ndarray],
) -> dict[str, Neighbours]:
    """The neighbours of the queries: of the set's own images without themselves, of files among all."""
    (layer, channels), (images, request) = space, sets
    place = {name: i for i, name in enumerate(images.names)}
    if all(name in place for name in request.names):
        rows = [place[name] for name in request.names]
        return {name: Neighbours(one.indices[rows], one.distances[rows]) for name, one in near.items()}
    given = {
        "features": feature_vectors(subject.model, layer, subject.batches(request), channels=tuple(channels)),
        "pixels": pixel_vectors(subject.batches(request)),
    }
    return {one: nearest(vectors[one], count, given[one]) for one in near}


def neighbours_sheet(
    subject: AnalysisTarget, images: ImageSet, asked: ImageSet, queries: dict[str, Neighbours], layer: str
) -> np.ndarray:
    """Two rows side by side for each image asked for; red frames are other classes."""
    tables = []
    for space, found in queries.items():
        rows = []
        for place, name in enumerate(asked.names):
            target = int(asked.targets[place])
            others = images.select(found.indices[place])
            tiles = [image_tile(asked.select([place]).pixels()[0].numpy(), SIDE)]
            for image, truth in zip(others.pixels().numpy(), others.targets, strict=True):
                same = target < 0 or truth == target
                tiles.append(with_frame(image_tile(image, SIDE), SAME if same else OTHER))
            called = [subject.class_name(int(truth)) for truth in (target, *others.targets)]
            rows.append((f"{name}, nearest in {space if space == 'pixels' else layer}", tiles, called))
        tables.append(table(rows))
    note = "Red frame: another class. The same thing near: good. The same look near: a network that learned the look."
    return titled(beside(tables, 28), f"Neighbours in {layer} (left) and in pixels (right)", note)


def alarm_sheet(subject: AnalysisTarget, images: ImageSet, alarms: dict[str, tuple[LookAlike, ...]]) -> np.ndarray:
    """Pairs of different classes that are nearest to each other."""
    rows = []
    for space, found in alarms.items():
        for pair in found[:ALARMS] if space == "features" else found[: ALARMS // 2]:
            both = images.select([pair.first, pair.second])
            tiles = [image_tile(image, SIDE) for image in both.pixels().numpy()]
            called = [subject.class_name(int(target)) for target in both.targets]
            first, second = (shortened(name, NAMED) for name in both.names)
            rows.append((f"{space}: {first} {second}", tiles, called))
    halves = [rows[i::2] for i in range(2) if rows[i::2]]
    parts = [table(half) for half in halves]
    widest = max(part.shape[0] for part in parts)
    padded = [np.pad(part, ((0, widest - part.shape[0]), (0, 16), (0, 0)), constant_values=255) for part in parts]
    note = "Near in features: a likely mistake, of the network or of the label. Near in pixels: a look that they share."
    return titled(np.concatenate(padded, 1), "Alike, but of different classes", note)


def positions(features: np.ndarray, projection: Projection, seed: int) -> np.ndarray:
    """(N, 2) positions in [0, 1], in the middle of the unit square."""
    points = map_2d(features, projection, seed)
    spread = float(np.ptp(points, axis=0).max()) or 1.0
    scaled = (points - points.min(0)) / spread
    return np.asarray(scaled + (1 - scaled.max(0)) / 2)


def map_sheet(
    subject: AnalysisTarget, images: ImageSet, features: np.ndarray, projection: Projection, seed: int
) -> np.ndarray:
    """The set on a plane, near what the layer finds alike, framed in its class's colour."""
    chosen = np.unique(np.linspace(0, len(images) - 1, min(ON_MAP, len(images))).astype(int))
    points, some = map_2d(features[chosen], projection, seed), images.select(chosen)
    side = 24 if len(chosen) > 150 else 36
    tiles = [sized(image_tile(image, side), side) for image in some.pixels().numpy()]
    kinds = sorted(set(some.targets.tolist()))
    palette = {kind: _colour(kinds.index(kind), len(kinds)) for kind in kinds}
    colours = np.array([palette[int(target)] for target in some.targets], np.uint8)
    sheet = thumbnails(points, tiles, 900, colours if len(kinds) > 1 else None)
    named = [(subject.class_name(kind), "label", palette[kind]) for kind in kinds[:24] if kind >= 0]
    if named:
        legend = headed(np.full((1, 10, 3), 255, np.uint8), named)
        sheet = np.concatenate([sheet, np.pad(
            legend, ((0, 900 - legend.shape[0]), (0, 0), (0, 0)), constant_values=255,
        )], 1)  # fmt: skip
    kept = "PCA: the widest plane." if projection == "pca" else "t-SNE keeps neighbours; sizes and gaps mean nothing."
    return titled(sheet, f"{len(chosen)} images by their features", kept)


def _colour(place: int, count: int) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(place / max(count, 1), 0.75, 0.8)
    return round(255 * red), round(255 * green), round(255 * blue)


def _named(images: ImageSet, pair: LookAlike) -> dict[str, Any]:
    return {**pair.to_json(), "first": images.names[pair.first], "second": images.names[pair.second]}


def _sentences(
    shares: dict[str, float], alarms: dict[str, tuple[LookAlike, ...]], count: int, layer: str, images: int
) -> tuple[str, ...]:
    ours, plain = 100 * shares["features"], 100 * shares["pixels"]
    advice = "; the layer adds little to the pixels" if ours - plain < 5 else ""
    return (
        f"purity@{count}: {ours:.1f} % in {layer}, {plain:.1f} % in pixels{advice}",
        f"of {images:,} images, {len(alarms['features'])} have a nearest of another class in {layer}, "
        f"{len(alarms['pixels'])} in pixels (50 pairs are listed at most)",
    )
