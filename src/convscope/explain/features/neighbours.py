"""Which images a layer finds alike, beside which are alike in pixels, and where the two disagree with the classes.

The same thing near: good. The same look near: a network that learnt the look.
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
    """Each query's nearest vectors, the nearest first: indices (Q, k) int64 and Euclidean distances (Q, k)."""

    indices: np.ndarray
    distances: np.ndarray

    def to_json(self) -> dict[str, Any]:
        """Return the numbers."""
        return {"indices": self.indices.tolist(), "distances": self.distances.tolist()}


@dataclass(frozen=True)
class LookAlike:
    """Two images of different classes that are near.

    Attributes:
        first, second: their numbers; the second is the first's nearest.
        space: "pixels" (a look shared by two classes) or "features" (a likely mistake).
        distance: in that space.
        share: of the first's k nearest in that space that have its class.
    """

    first: int
    second: int
    space: str
    distance: float
    share: float

    def to_json(self) -> dict[str, Any]:
        """Return the numbers."""
        return dict(vars(self))


def feature_vectors(
    model: nn.Module,
    layer: str,
    batches: Iterable[Tensor],
    on_progress: Progress | None = None,
    channels: Sequence[int] = (),
) -> np.ndarray:
    """What a layer says of each image, as unit vectors (N, C) float32; maps are averaged over places first.

    Krizhevsky et al. 2012, section 6.1, compare the last hidden layer's vectors. Unit length makes Euclidean distance
    rank as cosine similarity does.

    Args:
        model: any network.
        layer: one that gives maps (B, C, h, w) or vectors (B, C).
        batches: (B, C, H, W) images as the network takes them.
        on_progress: called with the images done.
        channels: these alone; () is all.
    Raises:
        DataError: no images.
        ModelError, ConfigError: no such layer or channel.
    """
    vectors, seen = [], 0
    with record(model, layer) as kept:
        for x in batches:
            kept.forward(x)
            output = kept[layer].float()
            check_channels(layer, channels, output.shape[1])
            output = output[:, list(channels)] if channels else output
            vectors.append(F.normalize(output.flatten(2).mean(2) if output.ndim > 2 else output, dim=1).cpu().numpy())
            seen += len(x)
            if on_progress:
                on_progress(seen, None)
    if not vectors:
        raise DataError("feature vectors: no images; give at least one batch")
    return np.concatenate(vectors)


def pixel_vectors(batches: Iterable[Tensor], side: int = 32) -> np.ndarray:
    """The images themselves as vectors (N, D) float32, averaged down to at most side x side pixels.

    Raises:
        DataError: no images.
    """
    vectors = []
    for x in batches:
        size = min(side, x.shape[2]), min(side, x.shape[3])
        vectors.append(F.adaptive_avg_pool2d(x.float(), size).flatten(1).cpu().numpy())
    if not vectors:
        raise DataError("pixel vectors: no images; give at least one batch")
    return np.concatenate(vectors)


def nearest(vectors: np.ndarray, count: int = 5, queries: np.ndarray | None = None) -> Neighbours:
    """The nearest vectors of each query, exactly, without an index.

    Args:
        vectors: (N, D).
        count: k; fewer where there are fewer vectors.
        queries: (Q, D); None asks for each vector's neighbours but itself.
    Returns:
        Equal distances: the vector that comes first.
    Raises:
        ConfigError: a count below 1, or a single vector that has no others.
    """
    itself = queries is None
    asked = vectors if queries is None else queries
    count = min(count, len(vectors) - itself)
    if count < 1:
        raise ConfigError(f"nearest: {count} neighbours among {len(vectors)} vectors; ask for at least 1 of at least 2")
    known = vectors.astype(np.float64)
    squares = (known**2).sum(1)
    indices, distances = [], []
    for first in range(0, len(asked), 256):
        part = asked[first : first + 256].astype(np.float64)
        square = np.maximum((part**2).sum(1)[:, None] + squares - 2 * part @ known.T, 0)
        if itself:
            square[np.arange(len(part)), first + np.arange(len(part))] = np.inf
        order = np.argsort(square.round(12), axis=1, kind="stable")[
            :, :count
        ]  # rounding must not decide between equals
        indices.append(order)
        distances.append(np.sqrt(np.take_along_axis(square, order, 1)))
    return Neighbours(np.concatenate(indices), np.concatenate(distances))


def purity(neighbours: Neighbours, targets: np.ndarray, queries: np.ndarray | None = None) -> np.ndarray:
    """The share (Q,) of each query's neighbours that have its class; their mean is purity@k.

    Args:
        neighbours: from `nearest`.
        targets: (N,) the vectors' classes.
        queries: (Q,) the queries' classes; None where the vectors are the queries.
    """
    own = targets if queries is None else queries
    return np.asarray((targets[neighbours.indices] == own[:, None]).mean(1))


def look_alikes(
    neighbours: Neighbours, targets: np.ndarray, space: Literal["pixels", "features"], most: int = 50
) -> tuple[LookAlike, ...]:
    """The images whose nearest has another class, the nearest pairs first, each pair once.

    Args:
        neighbours: from `nearest` over all vectors.
        targets: (N,) their classes.
        space: what the vectors were.
        most: pairs at most.
    """
    shares = purity(neighbours, targets)
    second, distance = neighbours.indices[:, 0], neighbours.distances[:, 0]
    alarms, pairs = [], set()
    for first in np.argsort(distance, kind="stable").tolist():
        pair = frozenset((first, int(second[first])))
        if targets[first] == targets[second[first]] or pair in pairs:
            continue
        pairs.add(pair)
        alarms.append(LookAlike(first, int(second[first]), space, float(distance[first]), float(shares[first])))
    return tuple(alarms[:most])


def map_2d(vectors: np.ndarray, method: Literal["pca", "tsne"] = "pca", seed: int = 0) -> np.ndarray:
    """The vectors laid out on a plane (N, 2), near ones near.

    PCA keeps the two widest directions; t-SNE (van der Maaten and Hinton 2008) keeps neighbours, not distances.

    Raises:
        ConfigError: fewer than three vectors, or another method.
    """
    if len(vectors) < 3:
        raise ConfigError(f"map: {len(vectors)} vectors; give at least 3")
    if method == "pca":
        centred = vectors.astype(np.float64) - vectors.mean(0, dtype=np.float64)
        left, values, _ = np.linalg.svd(centred, full_matrices=False)
        plane = np.zeros((len(vectors), 2))
        plane[:, : min(2, len(values))] = left[:, :2] * values[:2]
        return plane * np.where(np.abs(plane.min(0)) > plane.max(0), -1, 1)  # a sign that does not depend on the solver
    if method == "tsne":
        from sklearn.manifold import TSNE

        perplexity = min(30.0, (len(vectors) - 1) / 3)
        layout = TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(vectors.astype(np.float32))
        return np.asarray(layout, np.float64)
    raise ConfigError(f"map: no method {method}; choose pca or tsne")
