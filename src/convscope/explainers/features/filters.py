"""Learned kernels: their smoothness, and which are dead or duplicates."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel, Field
from torch import Tensor, nn

from convscope.errors import ModelError
from convscope.explainers.hooks import find_layer


class FilterSettings(BaseModel, frozen=True, extra="forbid"):
    """Thresholds of `filters`.

    Attributes:
        duplicate_similarity: kernels with at least this cosine similarity are duplicates.
        dead_norm: kernels whose norm is at most this fraction of the layer's largest norm are dead.
        samples: number of random kernels that smoothness is compared with.
        seed: seed of the random kernels.
    """

    duplicate_similarity: float = Field(0.98, gt=0, le=1)
    dead_norm: float = Field(0.01, ge=0)
    samples: int = Field(2000, ge=100)
    seed: int = 0


@dataclass(frozen=True)
class Smoothness:
    """Smoothness of each kernel, from -1 (checkerboard) through 0 (noise) to 1 (constant), and of random kernels.

    Attributes:
        scores: (F,), 0 for a kernel that is all zeros.
        random_mean: mean of random kernels of that shape, near 0.
        random_p95: 95th percentile of the random kernels.
        noisy: kernels at or below that percentile, which are indistinguishable from random ones.
    """

    scores: np.ndarray
    random_mean: float
    random_p95: float
    noisy: tuple[int, ...]


@dataclass(frozen=True)
class Filters:
    """A layer's kernels, with dead and duplicate ones.

    Attributes:
        layer: the layer's name.
        weights: (F, C, h, w) float32; h = w = 1 for a linear layer.
        norms: (F,) Euclidean norms.
        dead: filters with near-zero weights.
        duplicates: (first, second, cosine similarity), most similar first; without dead filters.
        smoothness: None for kernels of a single pixel.
    """

    layer: str
    weights: np.ndarray
    norms: np.ndarray
    dead: tuple[int, ...]
    duplicates: tuple[tuple[int, int, float], ...]
    smoothness: Smoothness | None

    def to_json(self) -> dict[str, Any]:
        """Return everything except the weights."""
        smooth = self.smoothness
        return {
            "layer": self.layer,
            "shape": list(self.weights.shape),
            "norms": self.norms.tolist(),
            "dead": list(self.dead),
            "duplicates": [{"first": i, "second": j, "similarity": value} for i, j, value in self.duplicates],
            "smoothness": smooth and smooth.scores.tolist(),
            "smoothness_mean": smooth and float(smooth.scores.mean()),
            "smoothness_random_mean": smooth and smooth.random_mean,
            "smoothness_random_p95": smooth and smooth.random_p95,
            "noisy": smooth and list(smooth.noisy),
        }


def filters(model: nn.Module, layer: str | None = None, settings: FilterSettings | None = None) -> Filters:
    """Return the kernels of a layer with their smoothness, the dead and the duplicate ones.

    Smoothness as a sign of a well-trained first layer: Zeiler and Fergus 2014, section 4.1; Karpathy, CS231n,
    "Understanding CNNs".

    Args:
        model: any network.
        layer: a convolution or linear layer; None is the first convolution.
        settings: thresholds.
    Raises:
        ModelError: no such layer, or it has no kernels.
    """
    settings = settings or FilterSettings()
    layer = first_convolution(model) if layer is None else layer
    weights = _kernels(layer, find_layer(model, layer))
    norms = np.sqrt((weights**2).sum((1, 2, 3)))
    dead = norms <= settings.dead_norm * norms.max()
    pairs = duplicates(weights, settings.duplicate_similarity, ~dead)
    smooth = _smoothness(weights, settings) if max(weights.shape[2:]) > 1 else None
    return Filters(layer, weights, norms, tuple(np.flatnonzero(dead).tolist()), pairs, smooth)


def first_convolution(model: nn.Module) -> str:
    """Return the name of the convolution that the network defines first.

    Raises:
        ModelError: the network has no convolution.
    """
    for name, module in model.named_modules():
        if isinstance(module, nn.Conv2d):
            return str(name)
    raise ModelError("model: no convolution found; name a layer with kernels")


def smoothness(weights: np.ndarray) -> np.ndarray:
    """Similarity of neighbouring weights: 1 - their mean squared difference / twice the mean square.

    von Neumann's ratio (1941) along rows and columns, around zero instead of the mean, so that a constant kernel is
    smooth and there is no small-sample bias: independent weights score 0 on average, at any scale.

    Args:
        weights: (F, C, h, w).
    Returns:
        (F,) in [-1, 1]; input channels are weighted by their energy; 0 if all weights are zero.

    >>> smoothness(np.array([[[[1.0, 1.0], [1.0, 1.0]]], [[[1.0, -1.0], [-1.0, 1.0]]]]))
    array([ 1., -1.])
    """
    difference, energy = np.zeros(len(weights)), np.zeros(len(weights))
    for first, second in (
        (weights[:, :, 1:], weights[:, :, :-1]),
        (weights[..., 1:], weights[..., :-1]),
    ):
        difference += ((first - second) ** 2).sum((1, 2, 3))
        energy += (first**2 + second**2).sum((1, 2, 3))
    return np.where(energy > 0, 1 - difference / np.where(energy > 0, energy, 1), 0.0)


def duplicates(weights: np.ndarray, threshold: float, among: np.ndarray) -> tuple[tuple[int, int, float], ...]:
    """Return the pairs of filters (F, ...), among those marked (F,), with cosine similarity of at least `threshold`."""
    flat = weights.reshape(len(weights), -1).astype(np.float64)
    unit = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), np.finfo(np.float64).tiny)
    similarity = np.triu(unit @ unit.T, k=1)
    rows, columns = np.nonzero((similarity >= threshold) & among[:, None] & among[None, :])
    pairs = [(int(i), int(j), float(similarity[i, j])) for i, j in zip(rows, columns, strict=True)]
    return tuple(sorted(pairs, key=lambda pair: -pair[2]))


def _kernels(layer: str, module: nn.Module) -> np.ndarray:
    weight = getattr(module, "weight", None)
    if not isinstance(weight, Tensor) or weight.ndim not in (2, 4):
        kind = type(module).__name__
        raise ModelError(f"layer {layer}: a {kind}, which has no kernels; choose a convolution or a linear layer")
    if isinstance(module, nn.ConvTranspose2d):  # the only layer with weights (input, output, h, w)
        weight = weight.transpose(0, 1)
    kernels = weight.detach().float().cpu().numpy()
    return kernels if kernels.ndim == 4 else kernels[:, :, None, None]


def _smoothness(weights: np.ndarray, settings: FilterSettings) -> Smoothness:
    generator = np.random.default_rng(settings.seed)
    chunks = []
    for first in range(0, settings.samples, 100):  # all at once, wide kernels would need gigabytes
        count = min(100, settings.samples - first)
        chunks.append(smoothness(generator.standard_normal((count, *weights.shape[1:]), dtype=np.float32)))
    random, scores = np.concatenate(chunks), smoothness(weights)
    top = float(np.quantile(random, 0.95))
    return Smoothness(scores, float(random.mean()), top, tuple(np.flatnonzero(scores <= top).tolist()))
