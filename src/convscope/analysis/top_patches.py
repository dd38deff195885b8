"""The patches of the user's own images that excite channels most."""

from collections import Counter

import numpy as np

from convscope.analysis.images import Images
from convscope.analysis.layout import shown, table, titled
from convscope.analysis.result import Findings
from convscope.analysis.selection import chosen_channels, chosen_images, chosen_layers
from convscope.analysis.settings import StimuliLook
from convscope.analysis.target import Subject
from convscope.explain import Stimuli, cut, stimuli
from convscope.progress import Progress

CHANNELS = 12  # of a layer, where none are named
SIDE = 84


def see_stimuli(subject: Subject, look: StimuliLook, on_progress: Progress) -> Findings:
    """For each layer a sheet with a row of patches for each channel."""
    images = chosen_images(subject, look.images, look.split, 10**9, 10**9, look.seed)
    layers = chosen_layers(subject, look.layers, subject.input(images, slice(0, 1)))
    pictures, numbers, says = {}, [], []
    for place, layer in enumerate(layers):
        found = stimuli(
            subject.model, layer, subject.batches(images), look.each, _after(on_progress, place, layers, images)
        )
        channels = chosen_channels(layer, len(found.values), look.channels, CHANNELS)
        pictures[layer] = stimuli_sheet(subject, images, found, channels)
        numbers.append(
            {**found.to_json(), "classes": [_classes(subject, images, found, c) for c in range(len(found.values))]}
        )
        says.append(stimuli_sentence(subject, images, found))
    return Findings(pictures, {"images": images.names, "layers": numbers}, tuple(says))


def _after(on_progress: Progress, place: int, layers: tuple[str, ...], images: Images) -> Progress:
    return lambda done, _of: on_progress(place * len(images) + done, len(layers) * len(images))


def stimuli_sheet(subject: Subject, images: Images, found: Stimuli, channels: list[int]) -> np.ndarray:
    """A row for each channel, the strongest patch first."""
    rows = []
    for channel in channels:
        tiles, names = patches(subject, images, found, channel)
        values = found.values[channel]
        label = f"channel {channel}: {values[0]:.2f} to {values[-1]:.2f}{_mostly(subject, images, found, channel)}"
        rows.append((label + (" (silent)" if channel in found.silent else ""), tiles, names))
    height, width = found.field.size
    whole = (height, width) == found.field.image
    seen = "the whole image" if whole else f"{height} x {width} pixels"
    note = (
        f"The patches of {found.seen:,} images that excite each channel most, at most one of an image. "
        f"A unit sees {seen}. Ask what they share, and what differs."
    )
    return titled(table(rows), f"{found.layer}: stimuli of {len(channels)} of {len(found.values)} channels", note)


def patches(
    subject: Subject, images: Images, found: Stimuli, channel: int, most: int = 9, side: int = SIDE
) -> tuple[list[np.ndarray], list[str]]:
    """A channel's patches as tiles, white where the field leaves the image, and their classes."""
    tiles, names = [], []
    for image, box in list(zip(found.images[channel], found.boxes[channel], strict=True))[:most]:
        one = images.take([int(image)])
        tiles.append(shown(cut(one.pixels()[0].numpy(), box), side))
        names.append(subject.called(int(one.targets[0])))
    return tiles, names


def _classes(subject: Subject, images: Images, found: Stimuli, channel: int) -> dict[str, int]:
    targets = images.targets[found.images[channel]]
    return dict(Counter(subject.called(int(target)) for target in targets if target >= 0).most_common())


def _mostly(subject: Subject, images: Images, found: Stimuli, channel: int) -> str:
    counts = _classes(subject, images, found, channel)
    if not counts:
        return ""
    name, count = next(iter(counts.items()))
    return f", {count} of {sum(counts.values())} are {name}"


def stimuli_sentence(subject: Subject, images: Images, found: Stimuli) -> str:
    """How many channels stand for one class, and how many for nothing."""
    count = len(found.values)
    counts = [_classes(subject, images, found, channel) for channel in range(count) if channel not in found.silent]
    pure = sum(len(one) == 1 and sum(one.values()) > 1 for one in counts)
    told = f"{found.layer}: {len(found.silent)} of {count} channels are silent on all {found.seen:,} images"
    if not any(counts):
        return told
    return f"{told}; the strongest patches of {pure} come from one class alone"
