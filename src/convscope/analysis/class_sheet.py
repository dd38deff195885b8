"""Class images next to the nearest real images: numbers, summary and figure."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from convscope.analysis.feature_visualization import SIDE, without_history
from convscope.analysis.images import ImageSet
from convscope.analysis.layout import OTHER, SAME, image_tile, table, titled, with_frame
from convscope.analysis.selection import width_of
from convscope.analysis.target import AnalysisTarget
from convscope.explainers import CONTEXT_LIMITATION, MaximisedImages, feature_vectors, nearest


def num_outputs(subject: AnalysisTarget, sample: Tensor) -> int:
    """Return the number of classes of the network."""
    return len(subject.classes) or width_of(subject.model, "", sample)


def class_numbers(
    subject: AnalysisTarget,
    classes: Sequence[int],
    optimised: MaximisedImages,
    real: ImageSet,
    near: np.ndarray,
    layer: str,
) -> dict[str, Any]:
    """Return the numbers of class images, without the optimisation history."""
    return {
        **without_history(optimised),
        "classes": [subject.class_name(k) for k in classes],
        "resembles": [list(real.select(row).names) for row in near],
        "layer": layer,
    }


def class_summary(
    classes: Sequence[int], optimised: MaximisedImages, real: ImageSet, near: np.ndarray
) -> tuple[str, ...]:
    """Report how many class images are predicted as their class, and how many are nearest to another one."""
    assert optimised.probability is not None  # set for class objectives
    correct = sum(probability >= 0.9 for probability in optimised.probability)
    first = f"{correct} of {len(classes)} class images are predicted as their class with 90 % or more"
    others = sum(len(row) > 0 and real.targets[row[0]] not in (k, -1) for row, k in zip(near, classes, strict=True))
    warnings = (
        () if not others else (f"{others} are nearest to an image of another class: inspect what both have in common",)
    )
    return (first, *warnings, CONTEXT_LIMITATION)


def nearest_real(
    subject: AnalysisTarget, optimised: MaximisedImages, real: ImageSet, layer: str, channels: Sequence[int], most: int
) -> np.ndarray:
    """Return (B, k) indices of the real images nearest to each class image in a layer's features."""
    count = len(optimised.targets)
    if not len(real):
        return np.zeros((count, 0), np.int64)
    generated = ImageSet(("",) * count, optimised.targets, optimised.pictures.pixels, np.arange(count))
    vectors = [
        feature_vectors(subject.model, layer, subject.batches(some), channels=tuple(channels))
        for some in (real, generated)
    ]
    return nearest(vectors[0], most, vectors[1]).indices


def class_sheet(
    subject: AnalysisTarget, optimised: MaximisedImages, real: ImageSet, near: np.ndarray, layer: str
) -> np.ndarray:
    """Draw class images next to real images; red frames mark other classes."""
    assert optimised.probability is not None  # set for class objectives
    rows = []
    for index, target in enumerate(optimised.targets.tolist()):
        tiles = [image_tile(optimised.pictures.pixels[index], SIDE, subject.shown_channels)]
        others = real.select(near[index])
        for image, truth in zip(others.pixels().numpy(), others.targets, strict=True):
            tiles.append(
                with_frame(image_tile(image, SIDE, subject.shown_channels), SAME if truth in (target, -1) else OTHER)
            )
        label = f"{subject.class_name(target)}: predicted with {100 * optimised.probability[index]:.1f} %"
        rows.append((label, tiles, ["optimised", *(subject.class_name(int(truth)) for truth in others.targets)]))
    beside = f" Next to it the nearest real images in the features of {layer}; red: another class." if len(real) else ""
    return titled(table(rows), "Class images", f"Optimised from noise.{beside} {CONTEXT_LIMITATION}")
