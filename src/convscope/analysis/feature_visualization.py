"""Feature visualisations of channels, neurons, layers and directions, next to real images."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from convscope.analysis.images import ImageSet
from convscope.analysis.layout import image_tile, table, titled
from convscope.analysis.selection import chosen_channels, width_of
from convscope.analysis.target import AnalysisTarget
from convscope.analysis.top_patches import patches
from convscope.errors import ConfigError, did_you_mean
from convscope.explainers import (
    MaximisedImages,
    OptimisationSettings,
    Transforms,
    channel_maxima,
    feature_vectors,
    maximise_channels,
    maximise_directions,
    maximise_layer,
    maximise_neurons,
    stimuli,
)
from convscope.progress import Progress

SIDE = 132
SMALL_CROP = 0.6  # below 64 pixels, where a smaller crop shows the network few pixels
CHANNELS = 8  # of a layer, if none are named
PATCHES_BESIDE = 4  # real patches next to an optimised image
REAL = 512  # real images to compare with


def optimisation_settings(
    subject: AnalysisTarget, steps: int, seed: int, size: int | None = None, **others: Any
) -> OptimisationSettings:
    """Return optimisation settings for the network's input size; crops of small images are larger.

    Args:
        subject: its size is used if `size` is None.
        steps: number of optimisation steps.
        seed: seed of the noise and the transforms.
        size: side of the images in pixels.
        **others: "parameterisation" and "copies" of `OptimisationSettings`.
    """
    sides = subject.size if size is None else (size, size)
    transforms = Transforms() if min(sides) >= 64 else Transforms(crop=SMALL_CROP)
    return OptimisationSettings(steps=steps, size=sides, seed=seed, transforms=transforms, **others)


def some_images(subject: AnalysisTarget, most: int = REAL, split: str = "train") -> ImageSet:
    """Return at most so many images of a split, evenly spaced."""
    return evenly(subject.read(split), most)


def evenly(images: ImageSet, most: int) -> ImageSet:
    """Return at most so many of the images, evenly spaced."""
    return images.select(np.unique(np.linspace(0, len(images) - 1, min(most, len(images))).astype(int)))


def sample_images(subject: AnalysisTarget) -> ImageSet:
    """Return one image of the network's size: the first training image, or a grey one."""
    images = subject.read("train")
    if len(images):
        return images.select([0])
    grey = np.full((1, len(subject.mean), *subject.size), 0.5, np.float32)
    return ImageSet(("grey",), np.array([-1]), grey, np.array([0]))


def maximise_targets(
    subject: AnalysisTarget,
    layer: str,
    goal: tuple[str, Sequence[Any]],
    real: ImageSet,
    optimisation: OptimisationSettings,
    report: Progress,
) -> tuple[MaximisedImages, list[str]]:
    """Optimise the images of one layer; return them, with the maximum on real images if known, and target names.

    Args:
        subject: the network.
        layer: the layer.
        goal: "channel", "neuron", "layer" or "direction", with the channels, or the names of a direction's classes.
        real: images to compare with.
        optimisation: settings of the optimisation.
        report: called with the steps done and their total.
    """
    model, space, (objective, chosen) = subject.model, subject.space, goal
    if objective == "layer":
        return maximise_layer(model, layer, space, optimisation, report), ["whole layer"]
    if objective == "direction":
        classes, vectors = class_directions(subject, layer, real, tuple(chosen))
        optimised = maximise_directions(model, layer, vectors, space, optimisation, report)
        return optimised, [f"towards {subject.class_name(k)}" for k in classes]
    sample = subject.input(sample_images(subject))
    channels = chosen_channels(layer, width_of(model, layer, sample), chosen, CHANNELS)
    maximise = maximise_channels if objective == "channel" else maximise_neurons
    optimised = maximise(model, layer, channels, space, optimisation, report)
    if len(real):
        optimised = optimised.with_data_maximum(
            channel_maxima(model, layer, subject.batches(real), middle=objective == "neuron")
        )
    return optimised, [f"{objective} {channel}" for channel in channels]


def class_directions(
    subject: AnalysisTarget, layer: str, real: ImageSet, named: tuple[str, ...]
) -> tuple[list[int], torch.Tensor]:
    """Return classes, and for each the direction (D, C) from the mean features of all images to the mean of the class.

    Raises:
        ConfigError: images of fewer than two classes, or no such class.
    """
    known = sorted(set(real.targets[real.targets >= 0].tolist()))
    if len(known) < 2:
        raise ConfigError(f"directions: {subject.name} has no images of two classes; name channels or a layer instead")
    names = {subject.class_name(k): k for k in known}
    for name in named:
        if name not in names:
            raise ConfigError(f"images: no class {name}{did_you_mean(name, names)}")
    classes = [names[name] for name in named] or known[:CHANNELS]
    features = feature_vectors(subject.model, layer, subject.batches(real))
    means = np.stack([features[real.targets == k].mean(0) for k in classes])
    return classes, torch.from_numpy(means - features.mean(0))


def maximised_sheet(
    subject: AnalysisTarget, real: ImageSet, optimised: MaximisedImages, names: list[str]
) -> np.ndarray:
    """Draw a row per target: its optimised images, then the real patches that activate it most."""
    copies, rows = len(optimised.targets) // len(names), []
    real_patches = _real_patches(subject, real, optimised)
    for index, name in enumerate(names):
        first = index * copies
        final = optimised.pictures.final[first : first + copies]
        tiles = [
            image_tile(pixels, SIDE, subject.shown_channels)
            for pixels in optimised.pictures.pixels[first : first + copies]
        ]
        label = f"{name}: {final.max():.2f} optimised"
        if optimised.data_maximum is not None:
            label += f", {optimised.data_maximum[first]:.2f} maximum on real images"
        tiles_of_patches, classes = real_patches(first)
        rows.append(
            (
                label,
                tiles + tiles_of_patches,
                ["optimised"] * len(tiles) + [f"real: {one}" if one else "real" for one in classes],
            )
        )
    note = "Optimised from noise. Reliable where it agrees with the real patches next to it."
    targets = {"channel": "channels", "neuron": "single neurons", "layer": "the whole layer"}.get(
        optimised.kind, "directions"
    )
    return titled(table(rows), f"{optimised.layer}: feature visualisations of {targets}", note)


NeighbouringPatches = Callable[[int], tuple[list[np.ndarray], list[str]]]


def _real_patches(subject: AnalysisTarget, real: ImageSet, optimised: MaximisedImages) -> NeighbouringPatches:
    """Return a function from an image's index to its real patches and their classes."""
    if not len(real) or optimised.kind == "layer":
        return lambda _index: ([], [])
    if optimised.kind in ("channel", "neuron"):
        found = stimuli(subject.model, optimised.layer, subject.batches(real), PATCHES_BESIDE)
        return lambda index: patches(subject, real, found, int(optimised.targets[index]), PATCHES_BESIDE, SIDE)
    generated = ImageSet(
        ("",) * len(optimised.targets), optimised.targets, optimised.pictures.pixels, np.arange(len(optimised.targets))
    )
    vectors = [feature_vectors(subject.model, optimised.layer, subject.batches(some)) for some in (real, generated)]
    nearest = np.argsort(-vectors[1] @ vectors[0].T, axis=1, kind="stable")[:, :PATCHES_BESIDE]

    def similar(index: int) -> tuple[list[np.ndarray], list[str]]:
        some = real.select(nearest[index])
        return [image_tile(image, SIDE, subject.shown_channels) for image in some.pixels().numpy()], [
            subject.class_name(int(k)) for k in some.targets
        ]

    return similar


def without_history(optimised: MaximisedImages) -> dict[str, object]:
    """Return the numbers without the optimisation history."""
    return {name: value for name, value in optimised.to_json().items() if name != "history"}


def maximised_sentence(optimised: MaximisedImages) -> str:
    """Report how the optimised images compare with real ones."""
    final, most = optimised.pictures.final, optimised.data_maximum
    silent = int((final <= 0).sum())
    text = f"{optimised.layer}: {len(final)} {'image' if len(final) == 1 else 'images'} optimised"
    if silent:
        text += f", {silent} of them without any activation"
    if most is None:
        start = np.median(optimised.pictures.start)
        return f"{text}; median score {start:.2f} of the initial noise, {np.median(final):.2f} at the end"
    ratio = np.median(final[most > 0] / most[most > 0]) if (most > 0).any() else 0.0
    beyond = int((final > most).sum())
    return f"{text}; {beyond} exceed every real image (median factor {ratio:.1f})"
