"""Nearest neighbours in a layer's feature space and in pixel space, and their agreement with the classes.

Neighbours of the same class indicate class-specific features; neighbours of merely similar appearance indicate that
the network relies on appearance.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch.nn.functional as F
from torch import Tensor, nn

from convscope.errors import ConfigError, DataError
from convscope.explain.hooks import check_channels, record
from convscope.progress import Progress


@dataclass(frozen=True)
class Neighbours:
    """Nearest vectors of each query, nearest first: indices (Q, k) int64 and Euclidean distances (Q, k)."""

    indices: np.ndarray
    distances: np.ndarray

    def to_json(self) -> dict[str, Any]:
        """Return the fields."""
        return {"indices": self.indices.tolist(), "distances": self.distances.tolist()}


@dataclass(frozen=True)
class LookAlike:
    """Two neighbouring images of different classes.

    Attributes:
        first, second: indices of the images; the second is the nearest neighbour of the first.
        space: "pixels" (similar appearance) or "features" (a likely misclassification).
        distance: Euclidean distance in that space.
        share: fraction of the first image's k nearest neighbours that have its class.
    """

    first: int
    second: int
    space: str
    distance: float
    share: float

    def to_json(self) -> dict[str, Any]:
        """Return the fields."""
        return dict(vars(self))


def feature_vectors(
    model: nn.Module,
    layer: str,
    batches: Iterable[Tensor],
    on_progress: Progress | None = None,
    channels: Sequence[int] = (),
) -> np.ndarray:
    """Return a layer's features as unit vectors (N, C) float32; maps are spatially averaged first.

    Krizhevsky et al. 2012, section 6.1, compare the last hidden layer's vectors. For unit vectors, Euclidean distance
    and cosine similarity give the same ranking.

    Args:
        model: any network.
        layer: a layer that returns maps (B, C, h, w) or vectors (B, C).
        batches: (B, C, H, W) preprocessed images.
        on_progress: called with the number of images done.
        channels: the channels to use; () is all.
    Raises:
        DataError: no images.
        ModelError, ConfigError: no such layer or channel.
    """
    vectors, done = [], 0
    with record(model, layer) as kept:
        for x in batches:
            kept.forward(x)
            output = kept[layer].float()
            check_channels(layer, channels, output.shape[1])
            output = output[:, list(channels)] if channels else output
            vectors.append(F.normalize(output.flatten(2).mean(2) if output.ndim > 2 else output, dim=1).cpu().numpy())
            done += len(x)
            if on_progress:
                on_progress(done, None)
    if not vectors:
        raise DataError("feature vectors: no images; pass at least one batch")
    return np.concatenate(vectors)


def pixel_vectors(batches: Iterable[Tensor], side: int = 32) -> np.ndarray:
    """Return the images as vectors (N, D) float32, downsampled to at most side x side pixels.

    Raises:
        DataError: no images.
    """
    vectors = []
    for x in batches:
        size = min(side, x.shape[2]), min(side, x.shape[3])
        vectors.append(F.adaptive_avg_pool2d(x.float(), size).flatten(1).cpu().numpy())
    if not vectors:
        raise DataError("pixel vectors: no images; pass at least one batch")
    return np.concatenate(vectors)


def nearest(vectors: np.ndarray, count: int = 5, queries: np.ndarray | None = None) -> Neighbours:
    """Find the nearest vectors of each query by exhaustive search.

    Args:
        vectors: (N, D).
        count: k, limited to the number of vectors.
        queries: (Q, D); None finds the neighbours of each vector, excluding itself.
    Returns:
        The neighbours; ties are broken by index.
    Raises:
        ConfigError: the count is below 1, or there is only one vector.
    """
    exclude_self = queries is None
    query_vectors = vectors if queries is None else queries
    count = min(count, len(vectors) - exclude_self)
    if count < 1:
        raise ConfigError(
            f"nearest: {count} neighbours among {len(vectors)} vectors; choose at least 1 among at least 2"
        )
    candidates = vectors.astype(np.float64)
    squares = (candidates**2).sum(1)
    indices, distances = [], []
    for first in range(0, len(query_vectors), 256):
        part = query_vectors[first : first + 256].astype(np.float64)
        square = np.maximum((part**2).sum(1)[:, None] + squares - 2 * part @ candidates.T, 0)
        if exclude_self:
            square[np.arange(len(part)), first + np.arange(len(part))] = np.inf
        rounded = square.round(12)  # rounding errors must not break ties
        order = np.argsort(rounded, axis=1, kind="stable")[:, :count]
        indices.append(order)
        distances.append(np.sqrt(np.take_along_axis(square, order, 1)))
    return Neighbours(np.concatenate(indices), np.concatenate(distances))


def purity(neighbours: Neighbours, targets: np.ndarray, queries: np.ndarray | None = None) -> np.ndarray:
    """Return the fraction (Q,) of each query's neighbours that have its class; the mean is purity@k.

    Args:
        neighbours: from `nearest`.
        targets: (N,) classes of the vectors.
        queries: (Q,) classes of the queries; None if the vectors are the queries.
    """
    query_targets = targets if queries is None else queries
    return np.asarray((targets[neighbours.indices] == query_targets[:, None]).mean(1))


def look_alikes(
    neighbours: Neighbours, targets: np.ndarray, space: Literal["pixels", "features"], most: int = 50
) -> tuple[LookAlike, ...]:
    """Find the images whose nearest neighbour has another class; each pair once, sorted by distance.

    Args:
        neighbours: from `nearest` over all vectors.
        targets: (N,) classes of the vectors.
        space: the space of the vectors.
        most: maximum number of pairs.
    """
    shares = purity(neighbours, targets)
    second, distance = neighbours.indices[:, 0], neighbours.distances[:, 0]
    found, pairs = [], set()
    for first in np.argsort(distance, kind="stable").tolist():
        pair = frozenset((first, int(second[first])))
        if targets[first] == targets[second[first]] or pair in pairs:
            continue
        pairs.add(pair)
        found.append(LookAlike(first, int(second[first]), space, float(distance[first]), float(shares[first])))
    return tuple(found[:most])


def map_2d(vectors: np.ndarray, method: Literal["pca", "tsne"] = "pca", seed: int = 0) -> np.ndarray:
    """Project the vectors to two dimensions (N, 2).

    PCA keeps the two directions of largest variance; t-SNE (van der Maaten and Hinton 2008) preserves neighbourhoods,
    not distances.

    Raises:
        ConfigError: fewer than three vectors, or an unknown method.
    """
    if len(vectors) < 3:
        raise ConfigError(f"map: {len(vectors)} vectors; pass at least 3")
    if method == "pca":
        centered = vectors.astype(np.float64) - vectors.mean(0, dtype=np.float64)
        left, values, _ = np.linalg.svd(centered, full_matrices=False)
        plane = np.zeros((len(vectors), 2))
        plane[:, : min(2, len(values))] = left[:, :2] * values[:2]
        return plane * np.where(np.abs(plane.min(0)) > plane.max(0), -1, 1)  # makes the sign independent of the solver
    if method == "tsne":
        from sklearn.manifold import TSNE

        perplexity = min(30.0, (len(vectors) - 1) / 3)
        layout = TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(vectors.astype(np.float32))
        return np.asarray(layout, np.float64)
    raise ConfigError(f"map: no method {method}; choose pca or tsne")
