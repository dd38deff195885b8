"""What each class looks like to the network, beside the real images that the picture resembles most."""

import numpy as np

from convscope.analysis.feature_visualization import (
    SIDE,
    optimisation_settings,
    sample_images,
    some_images,
    without_history,
)
from convscope.analysis.images import ImageSet
from convscope.analysis.layout import OTHER, SAME, image_tile, table, titled, with_frame
from convscope.analysis.result import Findings
from convscope.analysis.selection import chosen_layers, require_class_scores, width_of
from convscope.analysis.settings import ClassSettings
from convscope.analysis.target import AnalysisTarget
from convscope.errors import ConfigError, did_you_mean
from convscope.explain import REMINDER, MaximisedImages, feature_vectors, maximise_classes, nearest
from convscope.progress import Progress

CLASSES = 20  # where none are named


def class_images(subject: AnalysisTarget, settings: ClassSettings, on_progress: Progress) -> Findings:
    """A row for each class: its painted picture, and the real images that the network finds most like it."""
    require_class_scores(subject, somehow=True)
    for name in settings.images:
        if name not in subject.classes:
            raise ConfigError(f"images: no class {name}{did_you_mean(name, subject.classes or ('none',))}")
    sample = subject.input(sample_images(subject))
    layer = chosen_layers(subject, settings.layers, sample)[-1]
    classes = [subject.classes.index(name) for name in settings.images] or list(range(_outputs(subject, sample)))[
        :CLASSES
    ]
    wanted = maximise_classes(
        subject.model, classes, subject.space, optimisation_settings(subject, settings), on_progress
    )
    real = some_images(subject, split=settings.split)
    near = _nearest(subject, wanted, real, layer, settings)
    assert wanted.probability is not None  # it is given for classes
    right = sum(probability >= 0.9 for probability in wanted.probability)
    numbers = {
        **without_history(wanted),
        "classes": [subject.class_name(k) for k in classes],
        "resembles": [list(real.select(row).names) for row in near],
        "layer": layer,
    }
    said = f"{right} of {len(classes)} class images are taken for their class with 90 % or more"
    others = sum(len(row) > 0 and real.targets[row[0]] not in (k, -1) for row, k in zip(near, classes, strict=True))
    alike = () if not others else (f"{others} resemble an image of another class most: look at what both show",)
    return Findings({"class": class_sheet(subject, wanted, real, near, layer)}, numbers, (said, *alike, REMINDER))


def _outputs(subject: AnalysisTarget, sample: object) -> int:
    return len(subject.classes) or width_of(subject.model, "", sample)  # type: ignore[arg-type]


def _nearest(
    subject: AnalysisTarget, wanted: MaximisedImages, real: ImageSet, layer: str, settings: ClassSettings
) -> np.ndarray:
    """(B, k) the real images that a layer finds most like each picture."""
    count = len(wanted.targets)
    if not len(real):
        return np.zeros((count, 0), np.int64)
    painted = ImageSet(("",) * count, wanted.targets, wanted.pictures.pixels, np.arange(count))
    vectors = [
        feature_vectors(subject.model, layer, subject.batches(some), channels=settings.channels)
        for some in (real, painted)
    ]
    return nearest(vectors[0], settings.each, vectors[1]).indices


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
        label = f"{subject.class_name(target)}: taken for it with {100 * wanted.probability[place]:.1f} %"
        rows.append((label, tiles, ["painted", *(subject.class_name(int(truth)) for truth in others.targets)]))
    beside = f" Beside it the real images that {layer} finds most like it; red: another class." if len(real) else ""
    return titled(table(rows), "What classes look like to the network", f"Painted from noise.{beside} {REMINDER}")
