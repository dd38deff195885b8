"""Figures of activation maps and of kernels."""

import numpy as np

from convscope.analysis.images import ImageSet
from convscope.analysis.layout import INK, beside, headed, image_tile, sized, squared, table, titled
from convscope.analysis.selection import chosen_channels
from convscope.analysis.target import AnalysisTarget
from convscope.explainers import Activations, Filters, grid, kernel_tile, map_tile

CHANNELS = 64  # per figure
KERNEL_CHANNELS = 8  # drawn input channels of a deep kernel


def activation_sheet(
    subject: AnalysisTarget, images: ImageSet, index: int, found: Activations, named: tuple[int, ...] = ()
) -> np.ndarray:
    """Draw one image and its activation maps in a layer."""
    maps, empty = found.maps[index], found.empty[index]
    channels = chosen_channels(found.layer, len(maps), named, CHANNELS)
    side = 96 if len(channels) <= 32 else 72
    whole = float(np.abs(maps).max()) if maps[0].size == 1 else None  # a single position has no scale of its own
    tiles = [sized(map_tile(maps[channel], whole), side) for channel in channels]
    sheet = grid(tiles, [str(channel) for channel in channels], columns=8, marked=[bool(empty[c]) for c in channels])
    image = image_tile(images.select([index]).pixels()[0].numpy(), 160, subject.shown_channels)
    labelled = headed(image, [(subject.class_name(int(images.targets[index])) or images.names[index], "label", INK)])
    shown = "" if len(channels) == len(maps) else f", {len(channels)} of them shown"
    title = f"{found.layer}: {len(maps)} channels of {maps.shape[1]} x {maps.shape[2]}{shown}; {int(empty.sum())} empty"
    scale = "its own scale" if whole is None else "the layer's scale"
    note = f"{images.names[index]}. Each tile is on {scale}, from black (or blue, below zero) up; crossed out: empty."
    return titled(beside([labelled, sheet]), title, note)


def channel_maps_sheet(
    subject: AnalysisTarget, images: ImageSet, found: Activations, channels: list[int]
) -> np.ndarray:
    """Draw a row per image: the image, then its activation maps in some channels."""
    rows, pixels = [], images.pixels().numpy()
    for index, name in enumerate(images.names):
        whole = float(np.abs(found.maps[index]).max()) if found.maps[index, 0].size == 1 else None
        maps = [squared(map_tile(found.maps[index, channel], whole), 96) for channel in channels]
        empty = [" empty" if found.empty[index, channel] else "" for channel in channels]
        class_name = subject.class_name(int(images.targets[index]))
        rows.append((
            f"{name}{': ' if class_name else ''}{class_name}",
            [image_tile(pixels[index], 96, subject.shown_channels), *maps],
            ["image", *(f"channel {channel}{suffix}" for channel, suffix in zip(channels, empty, strict=True))],
        ))  # fmt: skip
    own = "its own scale" if found.maps[0, 0].size > 1 else "the layer's scale"
    note = f"Each tile is on {own}, from black (or blue, below zero) up."
    return titled(table(rows), f"{found.layer}: activation maps of {len(channels)} channels", note)


def filter_sheet(found: Filters, named: tuple[int, ...] = ()) -> np.ndarray:
    """Draw kernels with their index and smoothness."""
    count, depth = found.weights.shape[:2]
    channels = chosen_channels(found.layer, count, named, CHANNELS)
    strongest = np.arange(depth)
    if depth not in (1, 3):
        energy = (found.weights**2).sum((0, 2, 3))
        strongest = np.sort(np.argsort(-energy, kind="stable")[:KERNEL_CHANNELS])
    largest = float(np.abs(found.weights[:, strongest]).max())
    tiles = [_kernel(found.weights[channel, strongest], largest) for channel in channels]
    scores = None if found.smoothness is None else found.smoothness.scores
    names = [f"{c}" if scores is None else f"{c}: {scores[c]:.2f}" for c in channels]
    columns = 8 if tiles[0].shape[1] <= 120 else 1
    sheet = grid(tiles, names, columns=columns, marked=[c in found.dead for c in channels])
    note = (
        "Zero is mid-grey; all kernels on one scale. Labels: index and smoothness, 1 constant, 0 random, "
        "-1 checkerboard; crossed out: dead."
    )
    if depth not in (1, 3):
        note += f" Input channels side by side: {', '.join(map(str, strongest))}, the strongest of {depth}."
    return titled(sheet, f"{found.layer}: {count} kernels of {found.weights.shape[2]} x {found.weights.shape[3]}", note)


def _kernel(kernel: np.ndarray, largest: float) -> np.ndarray:
    picture = kernel_tile(kernel, largest)
    return sized(picture, 72 * (1 if len(kernel) in (1, 3) else len(kernel)))


def filter_sentence(found: Filters) -> str:
    """Summarise the kernels: dead, duplicate and noisy ones."""
    count, smooth = len(found.weights), found.smoothness
    message = (
        f"{found.layer}: {len(found.dead)} dead, {len(found.duplicates)} pairs of duplicates among {count} kernels"
    )
    if smooth is None:
        return message
    noisy = len(smooth.noisy)
    return (
        f"{message}; smoothness {smooth.scores.mean():.2f} on average (random ones {smooth.random_mean:.2f}), "
        f"{noisy} of {count} no smoother than random ones"
    )
