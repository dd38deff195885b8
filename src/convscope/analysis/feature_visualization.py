"""What channels, neurons, whole layers and directions want to see, painted from noise beside real images."""

from collections.abc import Callable

import numpy as np
import torch

from convscope.analysis.images import ImageSet
from convscope.analysis.layout import image_tile, table, titled
from convscope.analysis.result import Findings
from convscope.analysis.selection import chosen_channels, chosen_images, chosen_layers, width_of
from convscope.analysis.settings import ClassSettings, MaximiseSettings
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


def optimisation_settings(subject: AnalysisTarget, settings: MaximiseSettings | ClassSettings) -> OptimisationSettings:
    """How pictures of this network's size are painted: small ones must not be jittered out of sight."""
    size = subject.size if settings.size is None else (settings.size, settings.size)
    moves = Transforms(jitter=min(8, min(size) // 16))
    return OptimisationSettings(
        steps=settings.steps,
        size=size,
        parameterisation=settings.parameterisation,
        copies=getattr(settings, "copies", 1),
        seed=settings.seed,
        transforms=moves,
        learning_rate=LEARNING_RATE if min(size) >= 128 else SMALL_LEARNING_RATE,
    )


def some_images(subject: AnalysisTarget, most: int = REAL, split: str = "train") -> ImageSet:
    """Images of a set, evenly chosen, at most so many."""
    images = subject.read(split)
    return images.select(np.unique(np.linspace(0, len(images) - 1, min(most, len(images))).astype(int)))


def sample_images(subject: AnalysisTarget) -> ImageSet:
    """One image of the network's size: the first that there is, else an even one."""
    images = subject.read("train")
    if len(images):
        return images.select([0])
    grey = np.full((1, len(subject.mean), *subject.size), 0.5, np.float32)
    return ImageSet(("grey",), np.array([-1]), grey, np.array([0]))


def maximise_images(subject: AnalysisTarget, settings: MaximiseSettings, on_progress: Progress) -> Findings:
    """For each layer a sheet: what was asked after wants to see, beside what of the real images comes nearest."""
    sample = subject.input(sample_images(subject))
    layers = chosen_layers(subject, settings.layers, sample)
    if settings.images and settings.of != "direction":
        real = chosen_images(subject, settings.images, settings.split, settings.each, REAL, settings.seed)
    else:
        real = some_images(subject, split=settings.split)
    pictures, numbers, says = {}, [], []
    for place, layer in enumerate(layers):
        wanted, names = _maximise_layer(subject, settings, layer, real, _progress_from(on_progress, place, len(layers)))
        pictures[layer] = maximised_sheet(subject, real, wanted, names)
        numbers.append({**without_history(wanted), "names": names})
        says.append(maximised_sentence(wanted))
    return Findings(pictures, {"of": settings.of, "layers": numbers}, tuple(says))


def _progress_from(on_progress: Progress, place: int, layers: int) -> Progress:
    return lambda done, of: on_progress(place * (of or 1) + done, layers * (of or 1))


def _maximise_layer(
    subject: AnalysisTarget, settings: MaximiseSettings, layer: str, real: ImageSet, report: Progress
) -> tuple[MaximisedImages, list[str]]:
    """The pictures of one layer, beside what real images reach where that can be said, and each target's name."""
    model, space, optimisation = subject.model, subject.space, optimisation_settings(subject, settings)
    if settings.of == "layer":
        return maximise_layer(model, layer, space, optimisation, report), ["all of it"]
    if settings.of == "direction":
        classes, vectors = class_directions(subject, layer, real, settings.images)
        wanted = maximise_directions(model, layer, vectors, space, optimisation, report)
        return wanted, [f"towards {subject.class_name(k)}" for k in classes]
    sample = subject.input(sample_images(subject))
    channels = chosen_channels(layer, width_of(model, layer, sample), settings.channels, CHANNELS)
    paint = maximise_channels if settings.of == "channel" else maximise_neurons
    wanted = paint(model, layer, channels, space, optimisation, report)
    if len(real):
        wanted = wanted.with_data_maximum(
            channel_maxima(model, layer, subject.batches(real), middle=settings.of == "neuron")
        )  # fmt: skip
    return wanted, [f"{settings.of} {channel}" for channel in channels]


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
        label = f"{name}: {final.max():.2f} painted"
        if wanted.data_maximum is not None:
            label += f", {wanted.data_maximum[first]:.2f} at most on real images"
        patch, called = beside(first)
        rows.append(
            (label, tiles + patch, ["painted"] * len(tiles) + [f"real: {one}" if one else "real" for one in called])
        )
    note = "Painted from noise. Where it agrees with the real patches beside it, believe it."
    what = {"channel": "channels want", "neuron": "single neurons want", "layer": "the whole layer wants"}
    heading = what.get(wanted.kind, "lies in directions")
    return titled(table(rows), f"{wanted.layer}: what {heading}{' to see' if wanted.kind in what else ''}", note)


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
    text = f"{wanted.layer}: {len(final)} {'picture' if len(final) == 1 else 'pictures'} painted"
    if silent:
        text += f", {silent} of them for what could not be woken"
    if most is None:
        return (
            f"{text}; score {np.median(wanted.pictures.start):.2f} as noise, {np.median(final):.2f} in the end (median)"
        )
    ratio = np.median(final[most > 0] / most[most > 0]) if (most > 0).any() else 0.0
    beyond = int((final > most).sum())
    return f"{text}; {beyond} exceed every real image, at the median by a factor of {ratio:.1f}"
