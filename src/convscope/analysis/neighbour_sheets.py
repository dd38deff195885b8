"""Neighbours in features and in pixels, look-alikes of other classes, and embedding maps."""

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
MAP_IMAGES = 400
MAX_PAIRS = 12
NAME_WIDTH = 92  # pixels of a file name in a pair's heading


def compare_neighbours(
    subject: AnalysisTarget,
    space: tuple[str, Sequence[int]],
    sets: tuple[ImageSet, ImageSet],
    count: int,
    projection: tuple[Projection, int],
    report: Progress,
) -> Findings:
    """Find the nearest neighbours of images in features and in pixels.

    Args:
        subject: the network.
        space: the layer and the channels whose features are compared.
        sets: the images to search, and the query images.
        count: neighbours per query.
        projection: "pca" or "tsne", and its seed.
        report: classes with the images done and their total.
    """
    (layer, channels), (images, query_images) = space, sets
    features = feature_vectors(subject.model, layer, subject.batches(images), report, tuple(channels))
    vectors = {"features": features, "pixels": pixel_vectors(subject.batches(images))}
    near = {space: nearest(one, count) for space, one in vectors.items()}
    queries = _queries(subject, (layer, channels), sets, count, near, vectors)
    pictures = {
        "neighbours": neighbours_sheet(subject, images, query_images, queries, layer),
        "map": map_sheet(subject, images, features, *projection),
    }
    numbers: dict[str, Any] = {
        "layer": layer,
        "images": images.names,
        "queries": query_images.names,
        "neighbours": {
            space: [[images.names[i] for i in row] for row in one.indices] for space, one in queries.items()
        },
        "distances": {space: one.distances for space, one in queries.items()},
    }
    data = {"layer": layer, "queries": [_records(images, queries, row) for row in range(len(query_images))]}
    if (images.targets < 0).any():
        return Findings(pictures, numbers, (f"{len(query_images)} images compared with {len(images):,}",), data=data)
    pairs = {space: look_alikes(one, images.targets, space) for space, one in near.items()}  # type: ignore[arg-type]
    shares = {space: float(purity(one, images.targets).mean()) for space, one in near.items()}
    if any(pairs.values()):
        pictures["look_alikes"] = pair_sheet(subject, images, pairs)
    numbers |= {"purity": shares, "look_alikes": {s: [_named(images, a) for a in found] for s, found in pairs.items()}}
    return Findings(pictures, numbers, _sentences(shares, pairs, count, layer, len(images)), data=data)


def _records(images: ImageSet, queries: dict[str, Neighbours], row: int) -> dict[str, list[dict[str, Any]]]:
    return {
        space: [
            {"image": images.names[index], "distance": float(distance)}
            for index, distance in zip(one.indices[row].tolist(), one.distances[row], strict=True)
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
    """Return the neighbours of the queries; an image of the searched set is not its own neighbour."""
    (layer, channels), (images, query_images) = space, sets
    index = {name: i for i, name in enumerate(images.names)}
    if all(name in index for name in query_images.names):
        rows = [index[name] for name in query_images.names]
        return {name: Neighbours(one.indices[rows], one.distances[rows]) for name, one in near.items()}
    query_vectors = {
        "features": feature_vectors(subject.model, layer, subject.batches(query_images), channels=tuple(channels)),
        "pixels": pixel_vectors(subject.batches(query_images)),
    }
    return {one: nearest(vectors[one], count, query_vectors[one]) for one in near}


def neighbours_sheet(
    subject: AnalysisTarget, images: ImageSet, query_images: ImageSet, queries: dict[str, Neighbours], layer: str
) -> np.ndarray:
    """Draw the neighbours of each query in features and in pixels; red frames mark other classes."""
    tables = []
    for space, found in queries.items():
        rows = []
        for index, name in enumerate(query_images.names):
            target = int(query_images.targets[index])
            others = images.select(found.indices[index])
            tiles = [image_tile(query_images.select([index]).pixels()[0].numpy(), SIDE, subject.shown_channels)]
            for image, truth in zip(others.pixels().numpy(), others.targets, strict=True):
                same = target < 0 or truth == target
                tiles.append(with_frame(image_tile(image, SIDE, subject.shown_channels), SAME if same else OTHER))
            classes = [subject.class_name(int(truth)) for truth in (target, *others.targets)]
            rows.append((f"{name}, nearest in {space if space == 'pixels' else layer}", tiles, classes))
        tables.append(table(rows))
    note = "Red frame: another class. Neighbours should share the object, not only background, pose or colour."
    return titled(beside(tables, 28), f"Neighbours in {layer} (left) and in pixels (right)", note)


def pair_sheet(subject: AnalysisTarget, images: ImageSet, pairs: dict[str, tuple[LookAlike, ...]]) -> np.ndarray:
    """Draw pairs of images of different classes that are nearest to each other."""
    rows = []
    for space, found in pairs.items():
        for pair in found[:MAX_PAIRS] if space == "features" else found[: MAX_PAIRS // 2]:
            both = images.select([pair.first, pair.second])
            tiles = [image_tile(image, SIDE, subject.shown_channels) for image in both.pixels().numpy()]
            classes = [subject.class_name(int(target)) for target in both.targets]
            first, second = (shortened(name, NAME_WIDTH) for name in both.names)
            rows.append((f"{space}: {first} {second}", tiles, classes))
    halves = [rows[i::2] for i in range(2) if rows[i::2]]
    parts = [table(half) for half in halves]
    widest = max(part.shape[0] for part in parts)
    padded = [np.pad(part, ((0, widest - part.shape[0]), (0, 16), (0, 0)), constant_values=255) for part in parts]
    note = "Near in features: a likely error of the network or of the label. Near in pixels: similar appearance."
    return titled(np.concatenate(padded, 1), "Similar images of different classes", note)


def positions(features: np.ndarray, projection: Projection, seed: int) -> np.ndarray:
    """Return (N, 2) positions, centred in the unit square."""
    points = map_2d(features, projection, seed)
    spread = float(np.ptp(points, axis=0).max()) or 1.0
    scaled = (points - points.min(0)) / spread
    return np.asarray(scaled + (1 - scaled.max(0)) / 2)


def map_sheet(
    subject: AnalysisTarget, images: ImageSet, features: np.ndarray, projection: Projection, seed: int
) -> np.ndarray:
    """Draw the images at their embedding positions, framed in the colour of their class."""
    chosen = np.unique(np.linspace(0, len(images) - 1, min(MAP_IMAGES, len(images))).astype(int))
    points, some = map_2d(features[chosen], projection, seed), images.select(chosen)
    side = 24 if len(chosen) > 150 else 36
    tiles = [sized(image_tile(image, side, subject.shown_channels), side) for image in some.pixels().numpy()]
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
    note = (
        "PCA: the plane of largest variance."
        if projection == "pca"
        else "t-SNE preserves neighbours; sizes and gaps have no meaning."
    )
    return titled(sheet, f"{len(chosen)} images by their features", note)


def _colour(index: int, count: int) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(index / max(count, 1), 0.75, 0.8)
    return round(255 * red), round(255 * green), round(255 * blue)


def _named(images: ImageSet, pair: LookAlike) -> dict[str, Any]:
    return {**pair.to_json(), "first": images.names[pair.first], "second": images.names[pair.second]}


def _sentences(
    shares: dict[str, float], pairs: dict[str, tuple[LookAlike, ...]], count: int, layer: str, images: int
) -> tuple[str, ...]:
    of_features, of_pixels = 100 * shares["features"], 100 * shares["pixels"]
    advice = "; the layer adds little to the pixels" if of_features - of_pixels < 5 else ""
    return (
        f"purity@{count}: {of_features:.1f} % in {layer}, {of_pixels:.1f} % in pixels{advice}",
        f"of {images:,} images, {len(pairs['features'])} have a nearest neighbour of another class in {layer}, "
        f"{len(pairs['pixels'])} in pixels (at most 50 pairs are listed)",
    )
