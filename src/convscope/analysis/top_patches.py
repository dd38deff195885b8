"""The patches of the user's own images that excite channels most."""

from collections import Counter

import numpy as np

from convscope.analysis.images import ImageSet
from convscope.analysis.layout import image_tile, table, titled
from convscope.analysis.result import Findings
from convscope.analysis.selection import chosen_channels, chosen_images, chosen_layers
from convscope.analysis.settings import StimuliSettings
from convscope.analysis.target import AnalysisTarget
from convscope.explain import Stimuli, crop_patch, stimuli
from convscope.progress import Progress

CHANNELS = 12  # of a layer, where none are named
SIDE = 84


def top_patches(subject: AnalysisTarget, settings: StimuliSettings, on_progress: Progress) -> Findings:
    """For each layer a sheet with a row of patches for each channel."""
    images = chosen_images(subject, settings.images, settings.split, 10**9, 10**9, settings.seed)
    layers = chosen_layers(subject, settings.layers, subject.input(images, slice(0, 1)))
    pictures, numbers, says = {}, [], []
    for place, layer in enumerate(layers):
        found = stimuli(
            subject.model,
            layer,
            subject.batches(images),
            settings.each,
            _progress_from(on_progress, place, layers, images),
        )
        channels = chosen_channels(layer, len(found.values), settings.channels, CHANNELS)
        pictures[layer] = stimuli_sheet(subject, images, found, channels)
        numbers.append(
            {**found.to_json(), "classes": [_classes(subject, images, found, c) for c in range(len(found.values))]}
        )
        says.append(stimuli_sentence(subject, images, found))
    return Findings(pictures, {"images": images.names, "layers": numbers}, tuple(says))


def _progress_from(on_progress: Progress, place: int, layers: tuple[str, ...], images: ImageSet) -> Progress:
    return lambda done, _of: on_progress(place * len(images) + done, len(layers) * len(images))


def stimuli_sheet(subject: AnalysisTarget, images: ImageSet, found: Stimuli, channels: list[int]) -> np.ndarray:
    """A row for each channel, the strongest patch first."""
    rows = []
    for channel in channels:
        tiles, names = patches(subject, images, found, channel)
        values = found.values[channel]
        common = _most_common_class(subject, images, found, channel)
        label = f"channel {channel}: {values[0]:.2f} to {values[-1]:.2f}{common}"
        rows.append((label + (" (silent)" if channel in found.silent else ""), tiles, names))
    height, width = found.field.size
    whole = (height, width) == found.field.image
    seen = "the whole image" if whole else f"{height} x {width} pixels"
    note = (
        f"The patches of {found.num_images:,} images that excite each channel most, at most one of an image. "
        f"A unit sees {seen}. Ask what they share, and what differs."
    )
    return titled(table(rows), f"{found.layer}: stimuli of {len(channels)} of {len(found.values)} channels", note)


def patches(
    subject: AnalysisTarget, images: ImageSet, found: Stimuli, channel: int, most: int = 9, side: int = SIDE
) -> tuple[list[np.ndarray], list[str]]:
    """A channel's patches as tiles, white where the field leaves the image, and their classes."""
    tiles, names = [], []
    for image, box in list(zip(found.images[channel], found.boxes[channel], strict=True))[:most]:
        one = images.select([int(image)])
        tiles.append(image_tile(crop_patch(one.pixels()[0].numpy(), box), side))
        names.append(subject.class_name(int(one.targets[0])))
    return tiles, names


def _classes(subject: AnalysisTarget, images: ImageSet, found: Stimuli, channel: int) -> dict[str, int]:
    targets = images.targets[found.images[channel]]
    return dict(Counter(subject.class_name(int(target)) for target in targets if target >= 0).most_common())


def _most_common_class(subject: AnalysisTarget, images: ImageSet, found: Stimuli, channel: int) -> str:
    counts = _classes(subject, images, found, channel)
    if not counts:
        return ""
    name, count = next(iter(counts.items()))
    return f", {count} of {sum(counts.values())} are {name}"


def stimuli_sentence(subject: AnalysisTarget, images: ImageSet, found: Stimuli) -> str:
    """How many channels stand for one class, and how many for nothing."""
    count = len(found.values)
    counts = [_classes(subject, images, found, channel) for channel in range(count) if channel not in found.silent]
    pure = sum(len(one) == 1 and sum(one.values()) > 1 for one in counts)
    text = f"{found.layer}: {len(found.silent)} of {count} channels are silent on all {found.num_images:,} images"
    if not any(counts):
        return text
    return f"{text}; the strongest patches of {pure} come from one class alone"
