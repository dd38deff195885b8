"""Feature visualisations of channels, neurons, layers and directions, drawn beside real images."""

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
from convscope.explain import (
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
LEARNING_RATE = 0.05
SMALL_LEARNING_RATE = (
    0.01  # below 128 pixels: at 64, 0.05 ended in pure colours, and 0.01 scored 1.4 to 1.9 times as high
)
CHANNELS = 8  # of a layer, where none are named
PATCHES_BESIDE = 4  # real patches beside a painted picture
REAL = 512  # real images that painted ones are set beside


def optimisation_settings(
    subject: AnalysisTarget, steps: int, seed: int, size: int | None = None, **more: Any
) -> OptimisationSettings:
    """How images of this network's size are optimised: small ones must not be jittered out of sight.

    Args:
        subject: gives the size where `size` is None.
        steps: of optimisation.
        seed: of noise and transforms.
        size: side in pixels.
        **more: "parameterisation" and "copies", as of `OptimisationSettings`.
    """
    sides = subject.size if size is None else (size, size)
    moves, rate = (
        Transforms(jitter=min(8, min(sides) // 16)),
        LEARNING_RATE if min(sides) >= 128 else SMALL_LEARNING_RATE,
    )
    return OptimisationSettings(steps=steps, size=sides, seed=seed, transforms=moves, learning_rate=rate, **more)


def some_images(subject: AnalysisTarget, most: int = REAL, split: str = "train") -> ImageSet:
    """Images of a set, evenly chosen, at most so many."""
    return evenly(subject.read(split), most)


def evenly(images: ImageSet, most: int) -> ImageSet:
    """At most so many of the images, evenly spaced."""
    return images.select(np.unique(np.linspace(0, len(images) - 1, min(most, len(images))).astype(int)))


def sample_images(subject: AnalysisTarget) -> ImageSet:
    """One image of the network's size: the first that there is, else an even one."""
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
    """The images of one layer, with what real images reach where that is known, and each target's name.

    Args:
        subject: the network.
        layer: its layer.
        goal: "channel", "neuron", "layer" or "direction", with the channels, or the names of a direction's classes.
        real: images to compare with.
        settings: of the optimisation.
        report: called with the steps done.
    """
    model, space, (objective, chosen) = subject.model, subject.space, goal
    if objective == "layer":
        return maximise_layer(model, layer, space, optimisation, report), ["all of it"]
    if objective == "direction":
        classes, vectors = class_directions(subject, layer, real, tuple(chosen))
        wanted = maximise_directions(model, layer, vectors, space, optimisation, report)
        return wanted, [f"towards {subject.class_name(k)}" for k in classes]
    sample = subject.input(sample_images(subject))
    channels = chosen_channels(layer, width_of(model, layer, sample), chosen, CHANNELS)
    paint = maximise_channels if objective == "channel" else maximise_neurons
    wanted = paint(model, layer, channels, space, optimisation, report)
    if len(real):
        wanted = wanted.with_data_maximum(
            channel_maxima(model, layer, subject.batches(real), middle=objective == "neuron")
        )
    return wanted, [f"{objective} {channel}" for channel in channels]


def class_directions(
    subject: AnalysisTarget, layer: str, real: ImageSet, wanted: tuple[str, ...]
) -> tuple[list[int], torch.Tensor]:
    """Classes, and for each the direction (D, C) from the mean of all images in a layer to its own.

    Raises:
        ConfigError: no images with classes, or no such class among them.
    """
    known = sorted(set(real.targets[real.targets >= 0].tolist()))
    if len(known) < 2:
        raise ConfigError(f"directions: {subject.name} has no images of two classes; name channels or a layer instead")
    names = {subject.class_name(k): k for k in known}
    for name in wanted:
        if name not in names:
            raise ConfigError(f"images: no class {name}{did_you_mean(name, names)}")
    classes = [names[name] for name in wanted] or known[:CHANNELS]
    features = feature_vectors(subject.model, layer, subject.batches(real))
    means = np.stack([features[real.targets == k].mean(0) for k in classes])
    return classes, torch.from_numpy(means - features.mean(0))


def maximised_sheet(subject: AnalysisTarget, real: ImageSet, wanted: MaximisedImages, names: list[str]) -> np.ndarray:
    """A row for each target: its painted pictures, then its strongest real patches."""
    copies, rows = len(wanted.targets) // len(names), []
    beside = _beside(subject, real, wanted)
    for place, name in enumerate(names):
        first = place * copies
        final = wanted.pictures.final[first : first + copies]
        tiles = [image_tile(pixels, SIDE) for pixels in wanted.pictures.pixels[first : first + copies]]
        label = f"{name}: {final.max():.2f} optimised"
        if wanted.data_maximum is not None:
            label += f", {wanted.data_maximum[first]:.2f} at most on real images"
        patch, called = beside(first)
        rows.append(
            (label, tiles + patch, ["optimised"] * len(tiles) + [f"real: {one}" if one else "real" for one in called])
        )
    note = "Optimised from noise. Trust it where it agrees with the real patches beside it."
    what = {"channel": "channels", "neuron": "single neurons", "layer": "the whole layer"}.get(
        wanted.kind, "directions"
    )
    return titled(table(rows), f"{wanted.layer}: feature visualisations of {what}", note)


NeighbouringPatches = Callable[[int], tuple[list[np.ndarray], list[str]]]


def _beside(subject: AnalysisTarget, real: ImageSet, wanted: MaximisedImages) -> NeighbouringPatches:
    """From a picture's place to the real patches that belong beside it."""
    if not len(real) or wanted.kind == "layer":
        return lambda _place: ([], [])
    if wanted.kind in ("channel", "neuron"):
        found = stimuli(subject.model, wanted.layer, subject.batches(real), PATCHES_BESIDE)
        return lambda place: patches(subject, real, found, int(wanted.targets[place]), PATCHES_BESIDE, SIDE)
    painted = ImageSet(
        ("",) * len(wanted.targets), wanted.targets, wanted.pictures.pixels, np.arange(len(wanted.targets))
    )
    vectors = [feature_vectors(subject.model, wanted.layer, subject.batches(some)) for some in (real, painted)]
    nearest = np.argsort(-vectors[1] @ vectors[0].T, axis=1, kind="stable")[:, :PATCHES_BESIDE]

    def alike(place: int) -> tuple[list[np.ndarray], list[str]]:
        some = real.select(nearest[place])
        return [image_tile(image, SIDE) for image in some.pixels().numpy()], [
            subject.class_name(int(k)) for k in some.targets
        ]

    return alike


def without_history(wanted: MaximisedImages) -> dict[str, object]:
    """The numbers without the way there."""
    return {name: value for name, value in wanted.to_json().items() if name != "history"}


def maximised_sentence(wanted: MaximisedImages) -> str:
    """How far beyond the data the pictures go."""
    final, most = wanted.pictures.final, wanted.data_maximum
    silent = int((final <= 0).sum())
    text = f"{wanted.layer}: {len(final)} {'image' if len(final) == 1 else 'images'} optimised"
    if silent:
        text += f", {silent} of them without any activation"
    if most is None:
        return (
            f"{text}; score {np.median(wanted.pictures.start):.2f} as noise, {np.median(final):.2f} in the end (median)"
        )
    ratio = np.median(final[most > 0] / most[most > 0]) if (most > 0).any() else 0.0
    beyond = int((final > most).sum())
    return f"{text}; {beyond} exceed every real image, at the median by a factor of {ratio:.1f}"
