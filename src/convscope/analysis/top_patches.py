"""Top activating patches: the image patches that activate each channel most."""

from collections import Counter
from typing import Any

import numpy as np

from convscope.analysis.images import ImageSet
from convscope.analysis.layout import image_tile, sized, table, titled
from convscope.analysis.target import AnalysisTarget
from convscope.datasets import shown_channels
from convscope.explainers import Stimuli, crop_patch, tile

CHANNELS = 12  # of a layer, if none are named
SIDE = 84


def stimuli_sheet(subject: AnalysisTarget, images: ImageSet, found: Stimuli, channels: list[int]) -> np.ndarray:
    """Draw a row per channel, the strongest patch first."""
    rows = []
    for channel in channels:
        tiles, names = patches(subject, images, found, channel)
        values = found.values[channel]
        label = f"channel {channel}: {values[0]:.2f} to {values[-1]:.2f}"
        label += _most_common_class(subject, images, found, channel)
        rows.append((label + (" (silent)" if channel in found.silent else ""), tiles, names))
    height, width = found.field.size
    is_whole_image = (height, width) == found.field.image
    extent = "the whole image" if is_whole_image else f"{height} x {width} pixels"
    note = (
        f"The patches of {found.num_images:,} images that activate each channel most, at most one per image. "
        f"Receptive field of a unit: {extent}."
    )
    return titled(
        table(rows), f"{found.layer}: top activating patches of {len(channels)} of {len(found.values)} channels", note
    )


def patches(
    subject: AnalysisTarget, images: ImageSet, found: Stimuli, channel: int, most: int = 9, side: int = SIDE
) -> tuple[list[np.ndarray], list[str]]:
    """Return a channel's patches as tiles, white outside the image, and their classes."""
    tiles, names = [], []
    for image, box in list(zip(found.images[channel], found.boxes[channel], strict=True))[:most]:
        one = images.select([int(image)])
        tiles.append(image_tile(crop_patch(one.pixels()[0].numpy(), box), side, subject.shown_channels))
        names.append(subject.class_name(int(one.targets[0])))
    return tiles, names


def patch_tiles(
    subject: AnalysisTarget, images: ImageSet, found: Stimuli, channels: list[int], tiles: dict[str, np.ndarray]
) -> list[dict[str, Any]]:
    """Return a record per channel with its patches, whose pictures are added to `tiles`."""
    rows = []
    for channel in channels:
        patches = []
        for rank, (image, box) in enumerate(zip(found.images[channel], found.boxes[channel], strict=True)):
            name = f"{found.layer}.{channel}.{rank}"
            patch = crop_patch(images.select([int(image)]).pixels()[0].numpy(), box)
            tiles[name] = sized(tile(shown_channels(patch, subject.shown_channels)), SIDE)
            patches.append({
                "image": images.names[int(image)], "value": float(found.values[channel, rank]), "box": box.tolist(),
                "picture": name,
            })  # fmt: skip
        silent = channel in found.silent
        rows.append({"layer": found.layer, "channel": channel, "silent": silent, "patches": patches})
    return rows


def class_counts(subject: AnalysisTarget, images: ImageSet, found: Stimuli, channel: int) -> dict[str, int]:
    """Return the number of a channel's patches per class, most frequent first."""
    targets = images.targets[found.images[channel]]
    return dict(Counter(subject.class_name(int(target)) for target in targets if target >= 0).most_common())


def _most_common_class(subject: AnalysisTarget, images: ImageSet, found: Stimuli, channel: int) -> str:
    counts = class_counts(subject, images, found, channel)
    if not counts:
        return ""
    name, count = next(iter(counts.items()))
    return f", {count} of {sum(counts.values())} are {name}"


def stimuli_sentence(subject: AnalysisTarget, images: ImageSet, found: Stimuli) -> str:
    """Report how many channels are silent, and how many respond to one class only."""
    count = len(found.values)
    counts = [class_counts(subject, images, found, channel) for channel in range(count) if channel not in found.silent]
    pure = sum(len(one) == 1 and sum(one.values()) > 1 for one in counts)
    text = f"{found.layer}: {len(found.silent)} of {count} channels are silent on all {found.num_images:,} images"
    if not any(counts):
        return text
    return f"{text}; the strongest patches of {pure} come from one class alone"
