"""Class images beside the real images nearest to them: numbers, sentences and drawing."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from convscope.analysis.feature_visualization import SIDE, without_history
from convscope.analysis.images import ImageSet
from convscope.analysis.layout import OTHER, SAME, image_tile, table, titled, with_frame
from convscope.analysis.selection import width_of
from convscope.analysis.target import AnalysisTarget
from convscope.explain import REMINDER, MaximisedImages, feature_vectors, nearest


def num_outputs(subject: AnalysisTarget, sample: Tensor) -> int:
    """How many classes the network tells apart."""
    return len(subject.classes) or width_of(subject.model, "", sample)


def class_numbers(
    subject: AnalysisTarget,
    classes: Sequence[int],
    wanted: MaximisedImages,
    real: ImageSet,
    near: np.ndarray,
    layer: str,
) -> dict[str, Any]:
    """The numbers of class images, without the way there."""
    return {
        **without_history(wanted),
        "classes": [subject.class_name(k) for k in classes],
        "resembles": [list(real.select(row).names) for row in near],
        "layer": layer,
    }


def class_summary(classes: Sequence[int], wanted: MaximisedImages, real: ImageSet, near: np.ndarray) -> tuple[str, ...]:
    """How many images are predicted as their class, and how many are nearest to another class."""
    assert wanted.probability is not None  # it is given for classes
    right = sum(probability >= 0.9 for probability in wanted.probability)
    first = f"{right} of {len(classes)} class images are predicted as their class with 90 % or more"
    others = sum(len(row) > 0 and real.targets[row[0]] not in (k, -1) for row, k in zip(near, classes, strict=True))
    alike = () if not others else (f"{others} are nearest to an image of another class: look at what both show",)
    return (first, *alike, REMINDER)


def nearest_real(
    subject: AnalysisTarget, wanted: MaximisedImages, real: ImageSet, layer: str, channels: Sequence[int], most: int
) -> np.ndarray:
    """(B, k) the real images that a layer finds most like each picture."""
    count = len(wanted.targets)
    if not len(real):
        return np.zeros((count, 0), np.int64)
    painted = ImageSet(("",) * count, wanted.targets, wanted.pictures.pixels, np.arange(count))
    vectors = [
        feature_vectors(subject.model, layer, subject.batches(some), channels=tuple(channels))
        for some in (real, painted)
    ]
    return nearest(vectors[0], most, vectors[1]).indices


def class_sheet(
    subject: AnalysisTarget, wanted: MaximisedImages, real: ImageSet, near: np.ndarray, layer: str
) -> np.ndarray:
    """Painted pictures beside real images; red frames are other classes."""
    assert wanted.probability is not None  # it is given for classes
    rows = []
    for place, target in enumerate(wanted.targets.tolist()):
        tiles = [image_tile(wanted.pictures.pixels[place], SIDE)]
        others = real.select(near[place])
        for image, truth in zip(others.pixels().numpy(), others.targets, strict=True):
            tiles.append(with_frame(image_tile(image, SIDE), SAME if truth in (target, -1) else OTHER))
        label = f"{subject.class_name(target)}: predicted as it with {100 * wanted.probability[place]:.1f} %"
        rows.append((label, tiles, ["optimised", *(subject.class_name(int(truth)) for truth in others.targets)]))
    beside = f" Beside it the real images that {layer} finds most like it; red: another class." if len(real) else ""
    return titled(table(rows), "Class images", f"Optimised from noise.{beside} {REMINDER}")
