"""Class images: images optimised to maximise a class."""

from typing import TYPE_CHECKING

from convscope.analysis.method import Method, MethodSettings, Split, setting
from convscope.analysis.methods.maximise import Parameterisation
from convscope.progress import Progress

if TYPE_CHECKING:
    from convscope.analysis.result import Findings
    from convscope.analysis.target import AnalysisTarget

CLASSES = 20  # if none are named


class ClassImagesSettings(MethodSettings, frozen=True):
    """Settings of `class_images`."""

    images: tuple[str, ...] = setting((), "Classes.", auto="all, the first 20", widget="class")
    layers: tuple[str, ...] = setting(
        (), "Layer in which real images are compared.", auto="the last stage", widget="layers"
    )
    channels: tuple[int, ...] = setting((), "Channels that are compared.", auto="all", widget="channels")
    count: int = setting(4, "Number of real images per class image.", ge=1, le=64)
    steps: int = setting(256, "Number of optimisation steps.", ge=1, le=100_000)
    size: int | None = setting(None, "Side of the images in pixels.", auto="the network's", ge=4, le=2048)
    parameterisation: Parameterisation = setting("fourier", "fourier, or pixel: independent pixels, noisier.")
    split: Split = setting("train", "Split that real images come from.")


def run(target: "AnalysisTarget", settings: ClassImagesSettings, on_progress: Progress) -> "Findings":
    """Draw a row per class: its optimised image, and the nearest real images in a layer."""
    from convscope.analysis.class_sheet import class_numbers, class_sheet, class_summary, nearest_real, num_outputs
    from convscope.analysis.feature_visualization import optimisation_settings, sample_images, some_images
    from convscope.analysis.result import Findings
    from convscope.analysis.selection import chosen_layers, require_class_scores
    from convscope.errors import ConfigError, did_you_mean
    from convscope.explainers import maximise_classes

    require_class_scores(target, convertible=True)
    for name in settings.images:
        if name not in target.classes:
            raise ConfigError(f"images: no class {name}{did_you_mean(name, target.classes or ('none',))}")
    sample = target.input(sample_images(target))
    layer = chosen_layers(target, settings.layers, sample)[-1]
    classes = [target.classes.index(name) for name in settings.images] or list(range(num_outputs(target, sample)))
    classes = classes if settings.images else classes[:CLASSES]
    optimisation = optimisation_settings(
        target, steps=settings.steps, seed=settings.seed, size=settings.size, parameterisation=settings.parameterisation
    )
    found = maximise_classes(target.model, classes, target.space, optimisation, on_progress)
    real = some_images(target, split=settings.split)
    near = nearest_real(target, found, real, layer, settings.channels, settings.count)
    numbers = class_numbers(target, classes, found, real, near, layer)
    sheet = class_sheet(target, found, real, near, layer)
    return Findings({"class_images": sheet}, numbers, class_summary(classes, found, real, near))


METHOD = Method(
    name="class_images",
    title="Class images",
    summary="Class images: an image optimised to maximise each class, next to the nearest real images in a layer.",
    limitations="Limitations: if the network relies on context instead of the object, the context appears here.",
    settings=ClassImagesSettings,
    run=run,
    task_with_classes=True,
)
